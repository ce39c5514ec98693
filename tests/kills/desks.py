"""Desks that invite without end: each says a command again until it is acknowledged, over a new socket after a cut."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketError

from tests.bench import pages
from tests.lab.process import until

if TYPE_CHECKING:
    import random

PAUSE = (0.02, 0.25)  # seconds between two invitations of one desk
AGAIN = 0.1  # until it knocks again


@dataclass
class Desk:
    """One station's page; `acknowledged` maps each number to the session it was told."""

    url: str
    cookie: str
    name: str
    first: int
    chance: random.Random
    acknowledged: dict[str, str] = field(default_factory=dict)
    said: int = 0
    stopping: bool = False
    _answers: asyncio.Queue[dict[str, str]] = field(default_factory=asyncio.Queue)
    _socket: pages.Socket | None = None

    async def work(self) -> None:
        """Invite until told to stop, and until the last invitation is acknowledged."""
        while not self.stopping:
            self.said += 1
            await self._invite(self.first + self.said)
            await asyncio.sleep(self.chance.uniform(*PAUSE))
        await self._hang_up()

    async def _invite(self, number: int) -> None:
        mobile, command = f"+33612{number:06d}", f"command-{self.name}-{number:06d}"
        while mobile not in self.acknowledged:
            socket = await self._connected()
            with suppress(WebSocketError):  # cut meanwhile: that is the next answer
                socket.say("invite", id=command, mobile=mobile)
            answer = await self._answers.get()
            if answer.get("id") == command and answer["type"] == "done":
                self.acknowledged[mobile] = answer["session"]
            elif answer["type"] == "closed":
                socket.wire.close()
                self._socket = None

    async def _connected(self) -> pages.Socket:
        while self._socket is None:
            with suppress(OSError, HTTPClientError, WebSocketError):
                socket = await pages.connect(f"{self.url}/ws/desk", self.cookie)
                self._answers = asyncio.Queue()
                socket.gone = self._gone
                socket.say("hello", peer=f"desk-peer-{self.name}")
                await until(lambda: bool({"view", "closed"} & socket.counts.keys()), "a view")  # noqa: B023 - awaited here
                if "closed" not in socket.counts:
                    socket.heard = self._hear
                    self._socket = socket
                    break
                socket.wire.close()
            await asyncio.sleep(AGAIN)
        return self._socket

    def _hear(self, text: str) -> None:
        message = json.loads(text)
        if message["type"] in {"done", "error"}:
            session = (message.get("result") or {}).get("session", "")
            heard = {"type": message["type"], "id": message.get("id", ""), "session": session}
            self._answers.put_nowait(heard)

    def _gone(self) -> None:
        self._answers.put_nowait({"type": "closed"})

    async def _hang_up(self) -> None:
        if self._socket is not None:
            await pages.close([self._socket])
