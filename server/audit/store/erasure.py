"""Forgetting a person (I4): every sealed place is emptied of a number or address; the chain stays whole."""

from datetime import datetime

from sqlalchemy import Select, and_, or_, select, update

from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Invalid
from server.core.journal.append import audit, audit_payload
from server.core.journal.verbs import SEARCHED
from server.core.personal import lookup_of, personal
from server.core.sites import SiteStore
from server.delivery.store import message
from server.incidents.store import feedback
from server.invitations.store.invitations import invitation
from server.line15.store.call_tables import call, call_alias, call_span
from server.line15.store.facts import call_fact
from server.observers.store import observer
from server.recordings.store import recording
from server.video.store.sessions import session, session_link
from server.video.store.snapshots import snapshot
from telephony import compacted, parse_number

ERASED = "erased"


class ErasureStore:
    """Forgets a person in every sealed place of one site."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._db = uow.connection
        self._sites = SiteStore(uow)
        self._seal = uow.seal

    async def erase(self, site: str, kind: str, value: str, at: datetime) -> dict[str, int]:
        """Empty every place of one site that holds this number or e-mail; return how many of each."""
        people = await self._ids(
            select(personal.c.id).where(
                personal.c.site == site, personal.c.lookup == lookup_of(self._seal, kind, value)
            )
        )
        calls = await self._ids(select(call.c.id).where(call.c.caller.in_(people)))
        links = await self._ids(select(invitation.c.id).where(invitation.c.contact.in_(people)))
        sessions = await self._ids(select(invitation.c.session).where(invitation.c.id.in_(links)))
        sessions += await self._ids(
            select(session_link.c.session).where(session_link.c.call.in_(calls))
        )
        watchers = await self._ids(select(observer.c.id).where(observer.c.contact.in_(people)))
        about = or_(
            audit.c.session.in_(sessions),
            audit.c.call.in_(calls),
            audit.c.subject.in_([f"observer:{id_}" for id_ in watchers]),
        )
        found = await self._db.execute(select(audit.c.seq).where(audit.c.site == site, about))
        rows = {*found.scalars(), *await self._searches(site, value)}
        remarks = await self._remarks(site, kind, value)
        await self._empty(people + remarks, links, calls, at)
        await self._unmail(remarks)
        pictures = await self._unpicture(sessions)
        await self._unwatch(watchers, at)
        await self._unlist(site, value)
        await self._db.execute(
            update(session).where(session.c.id.in_(sessions)).values(language=None)
        )
        await self._db.execute(
            update(audit_payload)
            .where(audit_payload.c.site == site, audit_payload.c.seq.in_(rows))
            .values(salt=None, sealed=None)
        )
        return {
            "values": len(people),
            "calls": len(calls),
            "invitations": len(links),
            "payloads": len(rows),
            "remarks": len(remarks),
            "snapshots": pictures,
        }

    async def _empty(
        self, people: list[str], links: list[str], calls: list[str], at: datetime
    ) -> None:
        await self._db.execute(
            update(personal)
            .where(personal.c.id.in_(people))
            .values(sealed=None, lookup=None, erased=at)
        )
        await self._db.execute(
            update(message).where(message.c.invitation.in_(links)).values(sealed=None)
        )
        await self._db.execute(
            update(call_fact).where(call_fact.c.call.in_(calls)).values(sealed=None)
        )
        await self._unname(calls)

    async def _unpicture(self, sessions: list[str]) -> int:
        """Stored pictures show the person; that they were taken, and by whom, stays."""
        emptied = await self._db.execute(
            update(snapshot)
            .where(snapshot.c.session.in_(sessions), snapshot.c.sealed.is_not(None))
            .values(sealed=None)
        )
        return emptied.rowcount

    async def _unwatch(self, watchers: list[str], at: datetime) -> None:
        """An observer's name stands beside his number or address, and both in the text that was sent."""
        names = select(observer.c.name).where(observer.c.id.in_(watchers))
        await self._db.execute(
            update(personal)
            .where(personal.c.id.in_(names))
            .values(sealed=None, lookup=None, erased=at)
        )
        sent = select(observer.c.message).where(observer.c.id.in_(watchers))
        await self._db.execute(update(message).where(message.c.id.in_(sent)).values(sealed=None))

    async def _unlist(self, site: str, value: str) -> None:
        """Who is forgotten is not invited from the site's list any more."""
        known = await self._sites.get(site)
        known.check_policy()  # what cannot be read may name the person
        left = [one for one in known.policy.observers if one.to.lower() != value]
        if len(left) != len(known.policy.observers):
            await self._sites.set_policy(known, known.policy.decide(observers=left))

    async def _unname(self, calls: list[str]) -> None:
        """Recorders write the number into the names of their files; the files themselves are not ours."""
        await self._db.execute(
            update(recording).where(recording.c.call.in_(calls)).values(sealed=None)
        )
        await self._db.execute(
            update(call_alias)
            .where(call_alias.c.call.in_(calls), call_alias.c.type == "recording")
            .values(value=ERASED)
        )
        await self._db.execute(
            update(call_span)
            .where(call_span.c.call.in_(calls), call_span.c.kind == "recording")
            .values(value=ERASED)
        )

    async def _searches(self, site: str, value: str) -> list[int]:
        """Find the auditors' own searches for this value: they are in payloads that name no call."""
        query = (
            select(audit.c.seq, audit_payload.c.sealed)
            .join(
                audit_payload,
                and_(audit_payload.c.site == audit.c.site, audit_payload.c.seq == audit.c.seq),
            )
            .where(audit.c.site == site, audit.c.action == SEARCHED)
        )
        return [
            row.seq
            for row in await self._db.execute(query)
            if row.sealed is not None and value in self._read(row.sealed)
        ]

    async def _remarks(self, site: str, kind: str, value: str) -> list[str]:
        """Find the remarks and notes in which somebody wrote this number or address, however it was spaced."""
        query = select(personal.c.id, personal.c.sealed).where(
            personal.c.site == site,
            personal.c.kind.in_(("remark", "note")),
            personal.c.sealed.is_not(None),
        )
        wanted = value.lower() if kind == "email" else _ends(value)
        return [
            row.id
            for row in await self._db.execute(query)
            if wanted in _as(kind, self._read(row.sealed))
        ]

    async def _unmail(self, remarks: list[str]) -> None:
        """The mail to the référent holds the remark too."""
        mails = await self._ids(
            select(feedback.c.mail).where(
                feedback.c.remark.in_(remarks), feedback.c.mail.is_not(None)
            )
        )
        await self._db.execute(update(message).where(message.c.id.in_(mails)).values(sealed=None))

    def _read(self, sealed: bytes) -> str:
        try:
            return self._seal.open(sealed)
        except Invalid:
            return ""

    async def _ids(self, query: Select[str]) -> list[str]:
        return list((await self._db.execute(query)).scalars())


def _as(kind: str, text: str) -> str:
    """Write a text so that a value is found in it: addresses in small letters, numbers without what groups digits."""
    return text.lower() if kind == "email" else compacted(text)


def _ends(e164: str) -> str:
    """Return the digits that a number has with and without its country's."""
    parsed = parse_number(e164)
    national = parsed.national if parsed else e164
    return compacted(national).lstrip("+0") or e164
