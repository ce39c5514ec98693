"""Videos go with their calls: shown where a call moved to, linked to what it turned out to be.

Hooks of line 15, in the unit of work that stores the call.
"""

from datetime import datetime
from typing import Final

from server.core.audit_entries import Actor, AuditEvent
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import Journal
from server.line15.domain.call_links import CallLink, Certainty, Evidence, linked_event
from server.line15.service.ingest import CallMerged
from server.video.domain.session import SessionState
from server.video.store.sessions import SessionStore
from telephony import Call

FOLLOWED: Final = "session.followed"


async def accompany(uow: UnitOfWork, site: str, call: Call, now: datetime) -> None:
    """Write down, once, that the videos of a call that moved are shown where it is now (the desk's view does it)."""
    if not call.live or len({span.station for span in call.stations if span.taken}) <= 1:
        return
    for session in await SessionStore(uow).of_calls(site, [call.id]):
        elsewhere = [station for station in call.talking_stations if station != session.station]
        if session.state is SessionState.ENDED or not elsewhere:
            continue
        known = {data["to"] for data in await Journal(uow).told(site, session.id, FOLLOWED)}
        for station in elsewhere:
            if station in known:
                continue
            data: dict[str, object] = {"from": session.station, "to": station}
            event = AuditEvent(FOLLOWED, f"session:{session.id}", session.id, call.id, data)
            await Journal(uow).append(Actor("feed", site), event, now)


async def relink(uow: UnitOfWork, merged: CallMerged) -> None:
    """Append to every session of the former call the link to what that call turned out to be (I2)."""
    for session in await SessionStore(uow).of_call(merged.site, merged.former):
        links = await SessionStore(uow).links(merged.site, session.id)
        if not links or links[-1].call != merged.former:
            continue
        launched = merged.evidence is Evidence.LAUNCH_CONTEXT
        certainty = Certainty.CERTAIN if launched else links[-1].certainty
        link = CallLink(session.id, merged.call, certainty, merged.evidence, None, merged.at)
        await SessionStore(uow).add_link(merged.site, link)
        await Journal(uow).append(merged.actor, linked_event(link), merged.at)
