"""Incidents and remarks reach the site's référent with what helps to understand them, and stay on record."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.days import zone_of
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Invalid
from server.core.journal import incidents as journal
from server.core.journal.append import Journal
from server.core.personal import PersonalStore
from server.core.seal import Seal
from server.core.sites import Site
from server.delivery.domain.messages import Message
from server.delivery.store import MessageStore
from server.identity.domain.users import User
from server.incidents.domain import KINDS, YEAR, Incident, IncidentState, reference
from server.incidents.errors import TooManyReports
from server.incidents.store import IncidentStore
from server.storage.transactions import Transactions
from server.web.pages import Pages

LONGEST: Final = 4_000
LONGEST_VALUE: Final = 300
PATIENCE: Final = timedelta(days=2)  # a mail relay may be away for a week-end's night
MOST_AN_HOUR: Final = 60
CONTEXT: Final = {
    "page": "Page",
    "session": "Session vidéo",
    "call": "Appel",
    "station": "Poste",
    "ua": "Navigateur",
    "viewport": "Fenêtre",
    "socket_state": "Liaison",
    "steps": "Étapes",
    "cause": "Cause affichée",
    "camera": "Caméra du correspondant",
    "image": "Image",
    "quality": "Qualité du réseau",
    "selftest": "Test du poste",
    "language": "Langue",
    "version": "Version",
}
_IDS: Final = frozenset({"session", "call"})
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER: Final = re.compile(
    r"(?<![\w.])(?:\+|00)?\d(?:[ .\-\u00a0\u2010-\u2015\u2212]?\d){8,14}(?![\w.])"
)
_SDP: Final = re.compile(r"(^v=0\b)|candidate:|ice-pwd|fingerprint:|data:\w+/")


def known_context(given: object) -> dict[str, str]:
    """Keep the keys we know, as short printable texts; whatever else a page sends is dropped.

    A page of ours sends no number, picture or SDP: what looks like one is dropped too.
    """
    if not isinstance(given, Mapping):
        return {}
    kept = {}
    for key in CONTEXT:
        value = given.get(key)
        if not isinstance(value, str | int | float) or not str(value):
            continue
        text = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * LONGEST_VALUE])
        named = key not in _IDS or (_ID.fullmatch(text) and not _NUMBER.fullmatch(text))
        if named and not _SDP.search(text):
            kept[key] = (text if key in _IDS else _NUMBER.sub("…", text))[:LONGEST_VALUE]
    return kept


class IncidentReporting:
    """The use case of telling the référent."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        *,
        pages: Pages,
        public_url: str,
        wake: Callable[[], None],
    ) -> None:
        """Take the parts; `wake` starts the delivery."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._pages = pages
        self._public_url = public_url
        self._wake = wake

    async def send(
        self, actor: Actor, user: User, site: Site, *, kind: str, remark: str, context: object
    ) -> Incident:
        """Record it, queue the mail to the référent and return it; Invalid when it says nothing or too much."""
        text = clean(remark)
        if kind not in KINDS:
            raise Invalid("feedback_kind")
        if not text or len(text) > LONGEST:
            raise Invalid("feedback_remark")
        now, id_, known = self._clock.now(), self._ids.new(), known_context(context)
        async with self._transactions() as uow:
            if (
                await IncidentStore(uow).sent_since(site.id, user.id, now - timedelta(hours=1))
                >= MOST_AN_HOUR
            ):
                raise TooManyReports
            number = await _next_number(uow, site, now)
            personal = await PersonalStore(uow).add(site.id, "remark", text, now)
            body = self._mail(user, site, kind, text, known, id_, number)
            mail = await self._queue(uow, body, site, now)
            incident = Incident(
                id=id_,
                site=site.id,
                user=user.id,
                kind=kind,
                remark=personal,
                context=known,
                created=now,
                number=number,
                state=IncidentState.NEW,
                steps=0,
                mail=mail,
            )
            await IncidentStore(uow).add(incident)
            entry = journal.feedback_sent(id_, kind=kind, reference=incident.reference)
            await Journal(uow).append(actor, entry, now)
            await uow.commit()
        self._wake()
        return incident

    def _mail(
        self,
        user: User,
        site: Site,
        kind: str,
        text: str,
        context: Mapping[str, str],
        id_: str,
        number: int,
    ) -> dict[str, Any]:
        name = reference(number)
        body = self._pages.text(
            "mail/feedback.txt",
            site_name=site.name,
            kind=kind,
            reference=name,
            address=f"{self._public_url}/incidents/{id_}",
            remark=text,
            context_lines=[f"{CONTEXT[key]} : {value}" for key, value in context.items()],
            me=user,
        )
        return {
            "to": site.referent_email,
            "subject": f"Visio15, {site.name} : {KINDS[kind].lower()} {name}",
            "text": body,
            "html": None,
            "reply_to": user.email,
        }

    async def _queue(self, uow: UnitOfWork, body: dict[str, Any], site: Site, now: datetime) -> str:
        id_ = self._ids.new()
        await MessageStore(uow).add(
            Message(
                id=id_,
                site=site.id,
                kind="feedback",
                channel="email",
                invitation=None,
                sealed=self._seal.close(json.dumps(body)),
                receipt_ref=self._ids.token(),
                created=now,
                expires=now + PATIENCE,
                due=now,
            )
        )
        return id_


async def _next_number(uow: UnitOfWork, site: Site, now: datetime) -> int:
    """Return the next number of the site's own year; writers come one after the other, so none is given twice."""
    first = now.astimezone(zone_of(site)).year * YEAR
    last = await IncidentStore(uow).last_number(site.id, first, first + YEAR - 1)
    return (last or first) + 1


def clean(remark: str) -> str:
    """Return the remark with plain line ends; half characters (JSON allows them) become question marks."""
    return remark.replace("\r\n", "\n").strip().encode("utf-8", "replace").decode()
