"""A gate before the carrier's gateway, so that it can be down, mute, or deaf to nothing but our thanks."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Gate:
    """Set `mode` while it runs.

    `open` passes everything. `down` refuses connections. `stuck` accepts them and passes nothing. `silent` passes
    what is asked to the carrier and keeps the answer: the message goes out, and nobody hears that it did.
    """

    port: int
    upstream: int
    mode: str = "open"
    tries: int = 0
    taken: asyncio.Event = field(default_factory=asyncio.Event)  # the carrier answered, unheard
    _server: asyncio.Server | None = None
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def down(self) -> None:
        """Listen no more, cut what is open."""
        self.mode = "down"
        if self._server:
            self._server.close()
            self._server = None
        for writer in self._writers:
            writer.close()

    async def up(self, mode: str = "open") -> None:
        """Listen."""
        self.mode = mode
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        self.tries += 1
        self._writers.add(back)
        mode = self.mode
        try:
            if mode == "stuck":
                await client.read()  # until the other side gives up
                return
            with suppress(OSError):
                await self._pass(client, back, mode)
        finally:
            self._writers.discard(back)
            back.close()

    async def _pass(
        self, client: asyncio.StreamReader, back: asyncio.StreamWriter, mode: str
    ) -> None:
        asked = await client.readuntil(b"\r\n\r\n")
        carrier, forth = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            forth.write(asked)
            answer = await carrier.readuntil(b"\r\n\r\n")
            if mode == "silent":
                self.taken.set()
                await client.read()
                return
            back.write(answer)
            while data := await carrier.read(4096):
                back.write(data)
            await back.drain()
        finally:
            forth.close()


@asynccontextmanager
async def gate(upstream: int) -> AsyncIterator[Gate]:
    """Run a gate before a port."""
    made = Gate(free_port(), upstream)
    await made.up()
    try:
        yield made
    finally:
        await made.down()
