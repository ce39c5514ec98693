"""One-time codes as messages: a row that leaves, or the same row that never does."""

import json
from datetime import datetime
from typing import Any, Final

from server.core.clock import Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.seal import Seal
from server.core.sites import Site
from server.delivery.domain.messages import Message, failed
from server.delivery.domain.sms_text import one_segment
from server.delivery.store import MessageStore
from server.identity.domain.login import CODE_LIFE
from server.identity.domain.users import User
from server.web.pages import Pages

CODE_MINUTES: Final = int(CODE_LIFE.total_seconds() // 60)
SUBJECT: Final = "Votre code de connexion Visio15"


class LoginCodes:
    """Writes the message that carries a code."""

    def __init__(self, ids: Ids, seal: Seal, pages: Pages) -> None:
        """Take what a message is made of."""
        self._ids = ids
        self._seal = seal
        self._pages = pages

    def hash(self, challenge: str, code: str) -> str:
        """Hash a code under our key: six digits are found at once from a plain hash."""
        return self._seal.lookup("code", f"{challenge}:{code}")

    async def queue(
        self,
        uow: UnitOfWork,
        user: User | None,
        asked: str,
        site: Site,
        *,
        code: str,
        now: datetime,
    ) -> str | None:
        """Store the message; for nobody (wrong credentials) or without a contact as failed and empty.

        Returns the channel it leaves by, or None when it does not.
        """
        channel, to = _contact(user, asked)
        bodies = {"sms": self._sms(to, site, code), "email": self._mail(to, site, code)}
        message = Message(
            id=self._ids.new(),
            site=site.id,
            kind="code",
            channel=channel,
            invitation=None,
            sealed=self._seal.close(json.dumps(bodies[channel])),
            receipt_ref=self._ids.token(),
            created=now,
            expires=now + CODE_LIFE,
            due=now,
        )
        await MessageStore(uow).add(message if to else failed(message, "withheld"))
        return channel if to else None

    def _sms(self, to: str, site: Site, code: str) -> dict[str, str | None]:
        text = one_segment(
            lambda name: self._pages.text("sms/code.txt", code=code, site_name=name), site.name
        )
        return {"to": to, "sender": site.sms_sender, "subject": None, "text": text, "html": None}

    def _mail(self, to: str, site: Site, code: str) -> dict[str, str | None]:
        shown: dict[str, Any] = {"code": code, "minutes": CODE_MINUTES, "site_name": site.name}
        text = self._pages.text("mail/code.txt", **shown)
        html = self._pages.text("mail/code.html", **shown)
        return {"to": to, "subject": SUBJECT, "text": text, "html": html}


def _contact(user: User | None, asked: str) -> tuple[str, str]:
    """Return channel and recipient: the channel asked for, else the other one, else nobody."""
    contacts = {
        "sms": (user.mobile if user else None) or "",
        "email": (user.email if user else None) or "",
    }
    other = "email" if asked == "sms" else "sms"
    channel = other if contacts[other] and not contacts[asked] else asked
    return channel, contacts[channel]
