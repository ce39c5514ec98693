"""A switchboard that can only *call* somebody can still tell Visio15 about its calls.

It calls a dedicated extension, registered here through pyVoIP, for a second; the INVITE carries the
identifiers. pyVoIP runs in a child process (child.py); its reports are read as untrusted.
Off by default: see docs/telephony.md and docs/adr/0001.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import importlib.util
import json
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from telephony.sip import message as sip
from telephony.sources.feed import FeedHealth, FeedState, HealthBook, room, utc_now
from telephony.sources.pyvoip.facts import facts_from_notice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from telephony.model.facts import Fact

#: Longest line a child may write: an INVITE of 8 kB in base64, with room.
_LINE: Final = 64 * 1024
#: Seconds without a line after which a child is hung: it reports every 5 s once registered.
_SILENCE: Final = 60.0
_GRACE: Final = 3.0


@dataclass(frozen=True, slots=True)
class PyVoipAccount:
    """How the extension reaches its switchboard. `allow` lists the networks it listens to.

    IPv4 and UDP only. `sip_port` and the RTP range must be free on `my_ip`.
    """

    server: str
    username: str
    password: str = field(repr=False)
    port: int = 5060
    my_ip: str = "127.0.0.1"
    sip_port: int = 5062
    rtp_low: int = 16000
    rtp_high: int = 16099
    allow: tuple[str, ...] = ("127.0.0.0/8",)


class ChildEndedError(RuntimeError):
    """The child died or hung; the runner starts the feed again, later and later."""


class SoftphoneMissingError(RuntimeError):
    """Why: the extension is configured and its library, an extra of the package, is not installed."""

    remedy = "a pyVoIP feed is configured but pyVoIP is not installed: it comes with the extra visio15[softphone]"

    def __init__(self) -> None:
        super().__init__(self.remedy)


class PyVoipFeed:
    """Keeps one child registered and turns its reports into facts.

    `run` raises ChildEndedError when the child ends: the runner restarts it with backoff.
    """

    def __init__(
        self,
        name: str,
        account: PyVoipAccount,
        *,
        stations: Collection[str] = (),
        clock: Callable[[], datetime] = utc_now,
        silence: float = _SILENCE,
    ) -> None:
        self.name = name
        self._account = account
        self._stations = frozenset(stations)
        self._silence = silence
        self._book = HealthBook(name, clock=clock)
        self.child_pid: int | None = None

    def health(self) -> FeedHealth:
        """Tell how the feed fares: `connected` while the extension is registered."""
        return self._book.read()

    async def run(self, emit: Callable[[Fact], None]) -> None:
        """Run a child until cancelled. Raises SoftphoneMissingError, ChildEndedError, OSError."""
        if importlib.util.find_spec("pyVoIP") is None:
            raise SoftphoneMissingError
        self._book.state(FeedState.STARTING)
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "telephony.sources.pyvoip.child"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        self.child_pid = child.pid
        try:
            await self._converse(child, emit)
        finally:
            self.child_pid = None
            self._book.state(FeedState.DOWN)
            await _stop(child)

    async def _converse(
        self, child: asyncio.subprocess.Process, emit: Callable[[Fact], None]
    ) -> None:
        """Configure the child, then read its lines until it ends or hangs."""
        if child.stdin is None or child.stdout is None:
            raise ChildEndedError("no pipes")
        config = asdict(self._account) | {"allow": list(self._account.allow)}
        child.stdin.write(json.dumps(config).encode() + b"\n")
        await child.stdin.drain()
        while True:
            await room(emit)  # the child waits meanwhile, and who calls it repeats
            try:
                line = await asyncio.wait_for(child.stdout.readline(), self._silence)
            except TimeoutError:
                raise ChildEndedError("silent") from None
            except ValueError:
                raise ChildEndedError("line too long") from None
            if not line:
                raise ChildEndedError("ended")
            self._line(line, emit)

    def _line(self, line: bytes, emit: Callable[[Fact], None]) -> None:
        """Take one report; a bad one is counted, never raised."""
        try:
            report = json.loads(line)
            kind = report["type"]
        except (ValueError, KeyError, TypeError, RecursionError):
            self._book.reject("child_line")
            return
        if kind == "invite":
            self._invite(report, emit)
        elif kind == "alive":
            up = report.get("status") == "REGISTERED"
            self._book.state(FeedState.CONNECTED if up else FeedState.STARTING)
        elif kind == "refused":
            self._book.reject("source")
        elif kind == "unread":  # it was reported beside this
            self._book.reject("pyvoip_headers")
        else:
            self._book.reject("pyvoip_error")

    def _invite(self, report: dict[str, Any], emit: Callable[[Fact], None]) -> None:
        try:
            message = sip.parse(base64.b64decode(report["raw"], validate=True))
            at = datetime.fromtimestamp(float(report["at"]), UTC)
        except sip.SipDecodeError as error:
            self._book.reject(f"sip_{error.reason}")
            return
        except (KeyError, TypeError, ValueError, OverflowError, binascii.Error):
            self._book.reject("child_line")
            return
        facts = facts_from_notice(message, at, self.name, self._stations)
        if not facts:
            self._book.reject("no_identifier")
            return
        self._book.message()
        for fact in facts:
            emit(fact)


async def _stop(child: asyncio.subprocess.Process) -> None:
    """End the child: politely by closing its stdin, then for good."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), _GRACE)
    except TimeoutError:
        child.kill()
        await child.wait()
