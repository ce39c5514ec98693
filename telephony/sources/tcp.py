"""One TCP connection to a switchboard, opened and closed within limits: the feeds that connect share it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from telephony.sources.feed import FeedCutError

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

#: Seconds to connect, and to sign in.
PATIENCE: Final = 5.0
_GOODBYE: Final = 1.0


@asynccontextmanager
async def connected(
    address: tuple[str, int], tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and close whatever happens. Raises FeedCutError when nobody answers in time, OSError."""
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(*address, ssl=tls)
    except TimeoutError:
        raise FeedCutError("no answer") from None
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await writer.wait_closed()
