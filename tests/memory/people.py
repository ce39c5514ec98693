"""A desk and its callers, session after session, over the server's own sockets."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tornado.httpclient import HTTPClientError

from tests.bench import pages
from tests.lab.process import until
from tests.server.video.sdp_samples import OFFERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kills.carrier import Carrier

LINK = re.compile(r"/v/([A-Za-z0-9_-]{20,64})")
CANDIDATE = {
    "candidate": "candidate:1 1 udp 2122260223 192.0.2.17 50000 typ host generation 0 ufrag 4ZcD",
    "sdpMid": "0",
    "sdpMLineIndex": 0,
    "usernameFragment": "4ZcD",
}


@dataclass
class Regulator:
    """One desk."""

    url: str
    cookie: str
    name: str
    done: int = 0
    _socket: pages.Socket | None = None
    _answers: dict[str, str] = field(default_factory=dict)
    _refused: list[str] = field(default_factory=list)

    @property
    def peer(self) -> str:
        """The id of his page."""
        return f"desk-peer-{self.name}"

    async def sit_down(self) -> None:
        """Open the desk."""
        self._socket = await pages.desk(self.url, self.cookie, self.peer)
        self._socket.heard = self._hear

    async def leave(self) -> None:
        """Close it."""
        if self._socket is not None:
            await pages.close([self._socket])

    def _hear(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] == "error":
            self._refused.append(text)
        elif message["type"] == "done":
            self._answers[message["id"]] = (message.get("result") or {}).get("session", "")
        elif message["type"].startswith("signal."):
            self._answers[message["type"]] = message["session"]

    async def _ask(self, type_: str, command: str, **fields: object) -> str:
        """Say it, and again after a refusal, as a person does whom a busy machine told to."""
        while command not in self._answers:
            self._refused.clear()
            self._say(type_, id=command, **fields)
            await until(
                lambda: command in self._answers or bool(self._refused),
                f"{type_} is answered",
                timeout=60,
            )
        return self._answers.pop(command)

    def _say(self, type_: str, **fields: object) -> None:
        assert self._socket
        self._socket.say(type_, **fields)

    async def session(self, number: int, carrier: Carrier) -> None:
        """Go through one whole session."""
        mobile = f"+33612{number:06d}"
        session = await self._ask("invite", f"invite-{number:08d}", mobile=mobile)
        await self._ask("session.watch", f"watch-{number:08d}", session=session)
        await self._until(lambda: mobile in carrier.copies(), "the SMS leaves")
        found = LINK.search(carrier.copies()[mobile][0])
        assert found
        phone = await self._tapped(found.group(1))
        phone.say("camera", state="granted")
        phone.say("signal.offer", peer=self.peer, sdp=OFFERS["safari"])
        await self._told("signal.offer", session)
        self._say("signal.answer", session=session, page="phone-page-1", sdp=OFFERS["chromium"])
        phone.say("signal.candidate", peer=self.peer, candidate=CANDIDATE)
        await self._told("signal.candidate", session)
        phone.say("media.report", camera="live")
        self._say("media.report", session=session, state="flowing")
        await self._ask("session.end", f"end-{number:08d}", session=session)
        await phone.told("ended")
        await pages.close([phone])
        self.done += 1

    async def _tapped(self, token: str) -> pages.Socket:
        """Open the link and tap, again where a busy machine refused."""
        while True:
            with suppress(HTTPClientError):
                return await pages.Phone(self.url).tap(token)

    async def _told(self, type_: str, session: str) -> None:
        await self._until(lambda: self._answers.get(type_) == session, f"{type_} arrives")

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it; a refusal ends the waiting."""
        await until(lambda: bool(self._refused) or condition(), what, timeout=60)
        assert not self._refused, self._refused
