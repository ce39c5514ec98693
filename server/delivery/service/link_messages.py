"""Messages that carry a link: their words, and what becomes of them when the link is of no more use."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from server.core.db.unit_of_work import UnitOfWork
from server.core.sites import Site
from server.delivery.domain.carrier_order import settled
from server.delivery.domain.messages import Message, dropped, failed
from server.delivery.domain.sms_text import one_segment
from server.delivery.store import MessageStore
from server.web.pages import Pages


def link_message(
    pages: Pages,
    *,
    site: Site,
    channel: str,
    to: str,
    name: str,
    subject: str,
    link: str,
    life: timedelta,
    **context: str,
) -> dict[str, object]:
    """Write one SMS of one segment, or a mail, with the templates of this name.

    `life`: how long the link may be tapped for the first time.
    """
    told: dict[str, Any] = {**context, "link": link, "minutes": int(life.total_seconds() // 60)}

    def text(template: str, site_name: str) -> str:
        return pages.text(template, **told, site_name=site_name)

    body: dict[str, object] = {"to": to, "sender": site.sms_sender}
    if channel == "sms":
        body["text"] = one_segment(lambda fits: text(f"sms/{name}.txt", fits), site.name)
    else:
        body["subject"] = f"{site.name} : {subject}"
        body["text"] = text(f"mail/{name}.txt", site.name)
        body["html"] = text(f"mail/{name}.html", site.name)
    return body


async def withdraw(uow: UnitOfWork, messages: Iterable[Message]) -> None:
    """A desk took the link back: what waits does not leave, and no other carrier follows."""
    for message in messages:
        if message.due is not None:
            await MessageStore(uow).save(settled(failed(message, "revoked")))


async def drop(uow: UnitOfWork, messages: Iterable[Message]) -> None:
    """The session ended: what waits does not leave, and nothing of what was written is kept."""
    for message in messages:
        stopped = dropped(message, "session_ended")
        if stopped is not message:
            await MessageStore(uow).save(stopped)
