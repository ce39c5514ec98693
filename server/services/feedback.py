"""Incidents and remarks reach the site's référent with what helps to understand them, and stay on record."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from server.domain.audit import AuditEvent
from server.domain.messages import Message
from server.errors import Invalid
from server.ports import Actor, Clock, Ids, Render, Seal, Site, Transactions, UnitOfWork, User

KINDS: Final = {"incident": "Incident", "remark": "Remarque"}
LONGEST: Final = 4_000
LONGEST_VALUE: Final = 300
PATIENCE: Final = timedelta(days=2)  # a mail relay may be away for a week-end's night
CONTEXT: Final = {
    "page": "Page",
    "session": "Session vidéo",
    "call": "Appel",
    "station": "Poste",
    "ua": "Navigateur",
    "viewport": "Fenêtre",
    "socket_state": "Liaison",
    "language": "Langue",
    "version": "Version",
}


def known_context(given: object) -> dict[str, str]:
    """Keep the keys we know, as short printable texts; whatever else a page sends is dropped."""
    if not isinstance(given, Mapping):
        return {}
    kept = {}
    for key in CONTEXT:
        value = given.get(key)
        if isinstance(value, str | int | float) and str(value):
            text = "".join(c if c.isprintable() else " " for c in str(value))
            kept[key] = text[:LONGEST_VALUE]
    return kept


class Feedback:
    """The use case of telling the référent."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        *,
        render: Render,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        """Take the parts; `wake` starts the delivery."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._render = render
        self._wake = wake

    async def send(
        self, actor: Actor, user: User, site: Site, *, kind: str, remark: str, context: object
    ) -> str:
        """Record it, queue the mail to the référent and return its id; Invalid when it says nothing or too much."""
        text = _clean(remark)
        if kind not in KINDS:
            raise Invalid("feedback_kind")
        if not text or len(text) > LONGEST:
            raise Invalid("feedback_remark")
        now, id_, known = self._clock.now(), self._ids.new(), known_context(context)
        async with self._transactions() as uow:
            personal = await uow.personal.add(site.id, "remark", text, now)
            await uow.feedback.add(
                id_=id_,
                site=site.id,
                user=user.id,
                kind=kind,
                remark=personal,
                context=known,
                at=now,
            )
            await self._queue(uow, self._mail(user, site, kind, text, known), site, now)
            event = AuditEvent("feedback.sent", f"feedback:{id_}", data={"kind": kind})
            await uow.audit.append(actor, event, now)
            await uow.commit()
        self._wake()
        return id_

    def _mail(
        self, user: User, site: Site, kind: str, text: str, context: Mapping[str, str]
    ) -> dict[str, Any]:
        body = self._render.text(
            "mail/feedback.txt",
            site_name=site.name,
            kind=kind,
            remark=text,
            context_lines=[f"{CONTEXT[key]} : {value}" for key, value in context.items()],
            me=user,
        )
        return {
            "to": site.referent_email,
            "subject": f"Visio15, {site.name} : {KINDS[kind].lower()}",
            "text": body,
            "html": None,
            "reply_to": user.email,
        }

    async def _queue(
        self, uow: UnitOfWork, body: dict[str, Any], site: Site, now: datetime
    ) -> None:
        await uow.messages.add(
            Message(
                id=self._ids.new(),
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


def _clean(remark: str) -> str:
    """Return the remark with plain line ends; half characters (JSON allows them) become question marks."""
    return remark.replace("\r\n", "\n").strip().encode("utf-8", "replace").decode()
