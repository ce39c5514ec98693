"""A network between a phone and the server that lets pages through and no WebSocket, in each of the known ways."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = "127.0.0.1"
UPGRADE = re.compile(rb"^upgrade:\s*websocket\s*$", re.IGNORECASE | re.MULTILINE)
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Barred:
    """Set `mode` while it runs.

    `open` passes everything. `refuse` answers upgrades with 403. `hang` never answers them. `close` cuts them.
    `swallow` lets sockets open and no frame through. `dead` passes nothing at all, not even of what is open.
    """

    mode: str
    upstream: int
    port: int = 0
    upgrades: int = 0
    _passes: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def set(self, mode: str) -> None:
        """Change what passes from now on."""
        self.mode = mode
        if mode == "dead":
            self._passes.clear()
        else:
            self._passes.set()

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pass one connection on, or do not."""
        self._open.add(back)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._passes.wait()
                head = await client.readuntil(b"\r\n\r\n")
                if not UPGRADE.search(head):
                    await self._pass(client, back, head)
                else:
                    self.upgrades += 1
                    await self._upgrade(client, back, head)
        finally:
            self._open.discard(back)
            back.close()

    async def _upgrade(
        self, client: asyncio.StreamReader, back: asyncio.StreamWriter, head: bytes
    ) -> None:
        match self.mode:
            case "refuse":
                back.write(FORBIDDEN)
                await back.drain()
            case "hang":
                await client.read()
            case "close":
                pass
            case "swallow":
                server, forth = await asyncio.open_connection(HOST, self.upstream)
                forth.write(head)
                back.write(await server.readuntil(b"\r\n\r\n"))
                while await client.read(65_536):  # the server hears nothing of it
                    pass
                forth.close()
            case _:
                await self._pass(client, back, head)

    async def _pass(
        self, client: asyncio.StreamReader, back: asyncio.StreamWriter, head: bytes
    ) -> None:
        server, forth = await asyncio.open_connection(HOST, self.upstream)
        forth.write(head)
        await asyncio.gather(self._pump(client, forth), self._pump(server, back))

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                while data := await source.read(65_536):
                    await self._passes.wait()
                    target.write(data)
                    await target.drain()
        finally:
            target.close()

    def cut(self) -> None:
        """Close what is open."""
        self._passes.set()
        for writer in self._open:
            writer.close()


@asynccontextmanager
async def barred(upstream: int, mode: str) -> AsyncIterator[Barred]:
    """Stand before the server at `upstream`."""
    relay = Barred(mode, upstream)
    relay.set(mode)
    server = await asyncio.start_server(relay.serve, HOST, 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
