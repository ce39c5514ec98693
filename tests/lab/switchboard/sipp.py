"""Phones: SIPp places the calls and answers them.

Both sides obey: a *command* is a SIP request with a method of ours (HANGUP, HOLD, RESUME, ANSWER, REJECT,
TRANSFER), sent from
the test straight to SIPp's port with the Call-ID of the call; SIPp's scenario waits for it. It does not pass through
the switchboard and is not mirrored; every real message of the call is SIPp's own.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.lab.ports import free_port, udp_port_taken
from tests.lab.process import PATIENCE, Part, launch, own_folder, started, until
from tests.lab.switchboard.scenarios import (
    FOREVER_MS,
    caller_scenario,
    phone_scenario,
    register_scenario,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_numbers = itertools.count(1)


def _command(port: int, host: str, method: str, call_id: str, *headers: str) -> str:
    """Tell a SIPp scenario to go on. The message goes to SIPp alone; return the mark it carries."""
    number = next(_numbers)
    mark = f"z9hG4bK-command-{number}-"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind((host, 0))
        here = f"{host}:{udp.getsockname()[1]}"
        lines = (
            f"{method} sip:scenario@{host}:{port} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch={mark}",
            f"From: <sip:test@{here}>;tag=command{number}",
            f"To: <sip:scenario@{host}:{port}>",
            f"Call-ID: {call_id}",
            f"CSeq: {number} {method}",
            *headers,
            "Content-Length: 0",
        )
        udp.sendto("".join(f"{line}\r\n" for line in (*lines, "")).encode(), (host, port))
    return mark


TRACED = re.compile(
    r"^UDP message (?:sent|received)[^\n]*\n\n(?P<start>[^\r\n]*)\r?\n.*?^Call-ID: *(?P<call>[^\r\n]*)",
    re.MULTILINE | re.DOTALL,
)
RINGING = re.compile(r"SIP/2\.0 18\d ")
TALKING = re.compile(r"ACK |SIP/2\.0 202 ")  # the last handshake, or a REFER, is over
EITHER = re.compile(r"SIP/2\.0 18\d |ACK |SIP/2\.0 202 ")


@dataclass
class _Sipp:
    host: str
    port: int
    part: Part
    folder: Path

    def messages(self) -> str:
        """Return every SIP message so far, as SIPp's own trace."""
        trace = self.folder / "messages.log"
        return trace.read_text(errors="replace") if trace.exists() else ""

    def explain(self) -> str:
        errors = self.folder / "errors.log"
        text = errors.read_text(errors="replace") if errors.exists() else ""
        return f"{self.part.tail()}\n--- errors ---\n{text}\n--- messages ---\n{self.messages()}"

    async def seen(self, pattern: str, *, timeout: float = PATIENCE, count: int = 1) -> None:
        """Wait until a line of the trace matches `pattern` (a regular expression) `count` times."""
        line = re.compile(pattern, re.MULTILINE)
        await until(
            lambda: len(line.findall(self.messages())) >= count,
            f"{self.part.name} sees {count} × {pattern}",
            timeout=timeout,
            explain=self.explain,
        )

    async def obey(
        self,
        method: str,
        *call_ids: str,
        after: re.Pattern[str],
        timeout: float = PATIENCE,
        headers: tuple[str, ...] = (),
    ) -> None:
        """Give a command once each call stands where it can be heard, and return once it was heard."""

        def settled() -> bool:
            last = {found["call"]: found["start"] for found in TRACED.finditer(self.messages())}
            return all(after.match(last.get(call_id, "")) for call_id in call_ids)

        what = f"{self.part.name} can be told to {method}"
        await until(settled, what, timeout=timeout, explain=self.explain)
        marks = [_command(self.port, self.host, method, call_id, *headers) for call_id in call_ids]

        def heard() -> bool:
            trace = self.messages()
            return all(mark in trace for mark in marks)

        await until(
            heard, f"{self.part.name} hears {method}", timeout=timeout, explain=self.explain
        )


@dataclass
class Phone(_Sipp):
    """A phone that rings, answers and obeys; any number of calls at once.

    A call is named by its Call-ID, which the lab's switchboard keeps: `Call.call_id`.
    """

    @property
    def address(self) -> str:
        """Return host:port, to be used in Kamailio's routes: f"1501@{phone.address}"."""
        return f"{self.host}:{self.port}"

    async def answer(self, call_id: str) -> None:
        await self.obey("ANSWER", call_id, after=RINGING)

    async def reject(self, call_id: str) -> None:
        """486 Busy Here, while it rings."""
        await self.obey("REJECT", call_id, after=RINGING)

    async def hang_up(self, call_id: str) -> None:
        await self.obey("HANGUP", call_id, after=TALKING)

    async def hold(self, call_id: str) -> None:
        """Re-INVITE, sendonly."""
        await self.obey("HOLD", call_id, after=TALKING)

    async def resume(self, call_id: str) -> None:
        await self.obey("RESUME", call_id, after=TALKING)

    async def transfer(self, call_id: str, refer_to: str) -> None:
        """Ask the other side to call somebody else: REFER; returns when it was accepted."""
        headers = (f"Refer-To: <{refer_to}>",)
        await self.obey("TRANSFER", call_id, after=TALKING, headers=headers)
        await self.seen(r"^SIP/2.0 202 ")

    def dialog(self, call_id: str) -> tuple[str, str]:
        """Return the tags of a call that was answered here: the caller's, ours."""
        found = re.search(
            rf"SIP/2.0 200 OK\r?\n(?:(?!\r?\n\r?\n).)*?^From:[^\n]*tag=(?P<theirs>[^;\s]+)"
            rf"(?:(?!\r?\n\r?\n).)*?^To:[^\n]*tag=(?P<ours>[^;\s]+)"
            rf"(?:(?!\r?\n\r?\n).)*?^Call-ID: *{re.escape(call_id)}\s",
            self.messages(),
            re.MULTILINE | re.DOTALL,
        )
        assert found, self.explain()
        return found["theirs"], found["ours"]


@dataclass
class Call(_Sipp):
    """One call (or `count` of them) placed by SIPp."""

    call_ids: tuple[str, ...] = field(default=())

    @property
    def call_id(self) -> str:
        return self.call_ids[0]

    async def ringing(self, timeout: float = PATIENCE) -> None:
        await self.seen(r"^SIP/2.0 180 ", timeout=timeout, count=len(self.call_ids))

    async def answered(self, timeout: float = PATIENCE) -> None:
        await self.seen(r"^ACK ", timeout=timeout, count=len(self.call_ids))

    async def hold(self) -> None:
        """Re-INVITE, sendonly."""
        await self.obey("HOLD", *self.call_ids, after=TALKING)

    async def resume(self) -> None:
        await self.obey("RESUME", *self.call_ids, after=TALKING)

    async def hang_up(self, timeout: float = PATIENCE) -> None:
        """End the call: BYE when it is answered, CANCEL while it rings. Returns when it is over."""
        await self.obey("HANGUP", *self.call_ids, after=EITHER, timeout=timeout)
        await self.ended(timeout)

    async def ended(self, timeout: float = PATIENCE) -> None:
        """Wait for the end, whoever ended it; fail if SIPp saw anything it did not expect."""
        await until(
            lambda: not self.part.running, "the call ends", timeout=timeout, explain=self.explain
        )
        status = self.part.popen.returncode
        assert status == 0, f"SIPp says the call failed (status {status})\n{self.explain()}"


def _argv(scenario: Path, host: str, port: int) -> list[str]:
    media = free_port(host)
    return [
        *("sipp", "-sf", str(scenario), "-i", host, "-p", str(port), "-nostdin", "-skip_rlimit"),
        *("-ci", host, "-cp", str(free_port(host)), "-mp", str(media - media % 2), "-aa"),
        *("-trace_msg", "-message_file", "messages.log"),
        *("-trace_err", "-error_file", "errors.log"),
    ]


@asynccontextmanager
async def phone(
    *, ring: float | None = 0.2, host: str = "127.0.0.1", port: int | None = None
) -> AsyncIterator[Phone]:
    """Run a phone.

    Args:
        ring: seconds it rings before it answers by itself; None rings until `answer()` or the caller's CANCEL.
        host: where it listens.
        port: where it listens; a free one if None.
    """
    port = port or free_port(host)
    async with own_folder("phone") as folder:
        scenario = folder / "phone.xml"
        scenario.write_text(
            phone_scenario(FOREVER_MS if ring is None else max(1, int(ring * 1000)))
        )
        async with started(
            "sipp-phone",
            _argv(scenario, host, port),
            folder=folder,
            ready=lambda _part: udp_port_taken(port, host),
            env={**os.environ, "TERM": "dumb"},
        ) as part:
            yield Phone(host, port, part, folder)


@asynccontextmanager
async def call(
    to: str,
    *,
    caller: str = "+33612345678",
    called: str = "15",
    display: str = "",
    headers: Mapping[str, str] | None = None,
    call_id: str | None = None,
    hold: float | None = None,
    patience: float | None = None,
    count: int = 1,
    rate: float = 10,
    host: str = "127.0.0.1",
) -> AsyncIterator[Call]:
    """Place a call; leaving the block hangs up what is still there.

    Args:
        to: the switchboard, host:port.
        caller: user part of From and Contact.
        called: the number called.
        display: display name of From.
        headers: further headers of the INVITE, such as Call-Info or X-Line15-Call-ID.
        call_id: the Call-ID, if it matters; otherwise a new one, in `Call.call_id`.
        hold: seconds until the caller hangs up by itself; None waits for `hang_up()`.
        patience: seconds of ringing until the caller gives up (CANCEL); None waits for ever.
        count: how many calls; their Call-IDs stand in `Call.call_ids`.
        rate: calls a second, when there are several.
        host: from where.
    """
    port = free_port(host)
    prefix = call_id or f"lab-{os.getpid()}-{next(_numbers)}-{port}@{host}"
    ids = (prefix,) if count == 1 else tuple(f"{n}-{prefix}" for n in range(1, count + 1))
    async with own_folder("call") as folder:
        scenario = folder / "caller.xml"
        scenario.write_text(
            caller_scenario(
                caller=caller,
                called=called,
                display=escape(display),
                headers=headers or {},
                hold=FOREVER_MS if hold is None else max(1, int(hold * 1000)),
                patience=FOREVER_MS if patience is None else max(1, int(patience * 1000)),
            )
        )
        argv = [
            *_argv(scenario, host, port),
            *("-m", str(count), "-l", str(count), "-r", f"{rate:g}"),
            *("-cid_str", prefix if count == 1 else f"%u-{prefix}"),
            to,
        ]
        part = launch("sipp-call", argv, folder=folder, env={**os.environ, "TERM": "dumb"})
        placed = Call(host, port, part, folder, ids)
        try:
            await placed.seen(r"^INVITE ", count=1)
            yield placed
        finally:
            if part.running:
                with suppress(AssertionError):
                    await placed.hang_up(timeout=2)
            part.kill()


async def register(
    to: str, user: str, password: str, contact: str, *, host: str = "127.0.0.1"
) -> None:
    """Register `user` at the switchboard `to` by digest; its calls then go to `contact`, user@host:port."""
    async with own_folder("register") as folder:
        scenario = folder / "register.xml"
        scenario.write_text(register_scenario(user=user, password=password, contact=contact))
        argv = [*_argv(scenario, host, free_port(host)), "-m", "1", to]
        part = launch("sipp-register", argv, folder=folder, env={**os.environ, "TERM": "dumb"})
        try:
            await Call(host, 0, part, folder).ended()
        finally:
            part.kill()
