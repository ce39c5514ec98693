"""Videos go with their calls: shown where a call moved to, linked to what it turned out to be.

Hooks of line 15, in the unit of work that stores the call.
"""

from datetime import datetime

from server.core.audit_entries import Actor
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.core.journal.verbs import FOLLOWED
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.service.ingest import CallMerged
from server.video.domain.session import SessionState
from server.video.store.sessions import SessionStore
from telephony import Call


async def accompany(uow: UnitOfWork, site: str, call: Call, now: datetime) -> None:
    """Write down, once, that the videos of a call that moved are shown where it is now (the desk's view does it)."""
    if not call.live or len({span.station for span in call.stations if span.taken}) <= 1:
        return
    for session in await SessionStore(uow).of_calls(site, [call.id]):
        elsewhere = [station for station in call.talking_stations if station != session.station]
        if session.state is SessionState.ENDED or not elsewhere:
            continue
        told = await Journal(uow).told(site, session.id, FOLLOWED)
        known = {one.to for one in told}
        for station in elsewhere:
            if station in known:
                continue
            entry = journal.session_followed(session.id, call.id, was=session.station, now=station)
            await Journal(uow).append(Actor("feed", site), entry, now)


async def relink(uow: UnitOfWork, merged: CallMerged) -> None:
    """Append to every session of the former call the link to what that call turned out to be (I2)."""
    for session in await SessionStore(uow).of_call(merged.site, merged.former):
        links = await SessionStore(uow).links(merged.site, session.id)
        if not links or links[-1].call != merged.former:
            continue
        launched = merged.evidence is Evidence.LAUNCH_CONTEXT
        certainty = Certainty.CERTAIN if launched else links[-1].certainty
        link = CallLink(
            session=session.id,
            call=merged.call,
            certainty=certainty,
            evidence=merged.evidence,
            actor=None,
            at=merged.at,
        )
        await SessionStore(uow).add_link(merged.site, link)
        entry = journal.session_linked(
            link.session, link.call, certainty=link.certainty, evidence=link.evidence
        )
        await Journal(uow).append(merged.actor, entry, merged.at)
