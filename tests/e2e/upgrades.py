"""A network before the server that lets requests through and does not let a WebSocket up."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

UPGRADE = b"upgrade: websocket"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\n"


@dataclass
class Filter:
    """Set `mode` while it runs.

    `open` passes everything. `refuse` answers 403 to an upgrade. `hang` never answers one. `swallow` lets it up and
    passes nothing more.
    """

    port: int
    upstream: int
    mode: str = "open"
    upgrades: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """Pass one connection on; its pages are told the server's own address."""
        server, forth = await asyncio.open_connection("127.0.0.1", self.upstream)
        self._writers |= {back, forth}
        answers = asyncio.get_running_loop().create_task(self._answers(server, back))
        try:
            with suppress(OSError):
                await self._asks(client, forth, back)
        finally:
            answers.cancel()
            for writer in (back, forth):
                self._writers.discard(writer)
                writer.close()

    async def _asks(
        self, client: asyncio.StreamReader, forth: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        upgraded = False
        while data := await client.read(65_536):
            if UPGRADE in data.lower():
                self.upgrades += 1
                upgraded = True
                if self.mode == "refuse":
                    back.write(REFUSED)
                    return
                if self.mode == "hang":
                    await client.read()  # until the page gives up
                    return
            elif upgraded and self.mode == "swallow":
                continue
            forth.write(data.replace(b"127.0.0.1:%d" % self.port, b"127.0.0.1:%d" % self.upstream))
            await forth.drain()

    async def _answers(self, server: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await server.read(65_536):
                back.write(data)
                await back.drain()
            back.close()

    def cut(self) -> None:
        """Cut what is open."""
        for writer in list(self._writers):
            writer.close()


@asynccontextmanager
async def filtered(url: str) -> AsyncIterator[Filter]:
    """Run a filter before the server at `url`."""
    made = Filter(free_port(), urlsplit(url).port or 0)
    listening = await asyncio.start_server(made.serve, "127.0.0.1", made.port)
    try:
        yield made
    finally:
        listening.close()
        made.cut()
