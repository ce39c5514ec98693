"""Phones: SIPp places the calls and answers them.

Both sides obey: a *command* is a SIP request with a method of ours (HANGUP, HOLD, RESUME, ANSWER, REJECT), sent from
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
from string import Template
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tests.lab.ports import free_port, udp_port_taken
from tests.lab.process import Part, launch, own_folder, started, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

FOREVER_MS = 3_600_000
_numbers = itertools.count(1)


class _Scenario(Template):
    delimiter = "%"  # SIPp's own variables are written with a dollar sign


SDP = """
v=0
o=- 1 %version IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 6000 RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=%direction
"""

# --- the caller's phone

_IN_DIALOG = """%method [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]-[cseq]
[routes]
From: %{display}<sip:%caller@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To:[$to]
Call-ID: [call_id]
CSeq: [cseq] %method
Contact: <sip:%caller@[local_ip]:[local_port]>
Max-Forwards: 70
"""

_CALLER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
<send retrans="500"><![CDATA[
INVITE sip:%called@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-invite
From: %{display}<sip:%caller@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:%called@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: [cseq] INVITE
Contact: <sip:%caller@[local_ip]:[local_port]>
Max-Forwards: 70
%{headers}Content-Type: application/sdp
Content-Length: [len]
%sdp
]]></send>
<recv response="100" optional="true"/>
<recv response="183" optional="true"/>
<recv response="180" optional="true" next="ringing_"/>
<recv response="486" optional="true" next="refused_"/>
<recv response="404" optional="true" next="refused_"/>
<recv response="480" optional="true" next="refused_"/>
<recv response="503" optional="true" next="refused_"/>
<recv response="200" rrs="true" next="answered_"><action>
  <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/></action></recv>

<label id="ringing_"/>
<recv response="180" optional="true" next="ringing_" timeout="%patience" ontimeout="cancel_"/>
<recv request="HANGUP" optional="true" next="cancel_" timeout="%patience" ontimeout="cancel_"/>
<recv response="486" optional="true" next="refused_" timeout="%patience" ontimeout="cancel_"/>
<recv response="480" optional="true" next="refused_" timeout="%patience" ontimeout="cancel_"/>
<recv response="200" rrs="true" next="answered_" timeout="%patience" ontimeout="cancel_"><action>
  <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/></action></recv>

<label id="answered_"/>
<send><![CDATA[
%ack
Content-Length: 0

]]></send>
<label id="talking_"/>
<recv request="BYE" optional="true" next="hung_up_" timeout="%hold" ontimeout="bye_"/>
<recv request="INVITE" optional="true" next="reinvited_" timeout="%hold" ontimeout="bye_"/>
<recv request="HOLD" optional="true" next="hold_" timeout="%hold" ontimeout="bye_"/>
<recv request="RESUME" optional="true" next="resume_" timeout="%hold" ontimeout="bye_"/>
<recv request="HANGUP" next="bye_" timeout="%hold" ontimeout="bye_"/>

<label id="reinvited_"/>
<send><![CDATA[
%last_ok
Content-Type: application/sdp
Content-Length: [len]
%sdp
]]></send>
<recv request="ACK" next="talking_"/>

<label id="hold_"/>
%reinvite_hold
<label id="resume_"/>
%reinvite_resume

<label id="bye_"/>
<send retrans="500"><![CDATA[
%bye
Content-Length: 0

]]></send>
<recv response="200" next="end_" timeout="5000" ontimeout="end_"/>

<label id="hung_up_"/>
<send next="end_"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>

<label id="cancel_"/>
<send retrans="500"><![CDATA[
CANCEL sip:%called@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-invite
From: %{display}<sip:%caller@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:%called@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 CANCEL
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv response="200"/>
<recv response="487"/>
<label id="refused_"/>
<send next="end_"><![CDATA[
ACK sip:%called@[remote_ip]:[remote_port] SIP/2.0
[last_Via:]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<label id="end_"/>
<nop/>
</scenario>
"""

_REINVITE = """<send retrans="500"><![CDATA[
%reinvite
Content-Type: application/sdp
Content-Length: [len]
%sdp
]]></send>
<recv response="100" optional="true"/>
<recv response="200"/>
<send next="talking_"><![CDATA[
%ack
Content-Length: 0

]]></send>
"""

# --- the phone that rings (a regulator's, an ARM's)

_RESPONSE = """SIP/2.0 %status
Via:[$via]
Record-Route:[$rr]
From:[$from]
To:[$to];tag=[pid]s[call_number]
[last_Call-ID:]
CSeq:[$cs]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
"""

_FROM_PHONE = """%method [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]-[cseq]
[routes]
From:[$to];tag=[pid]s[call_number]
To:[$from]
[last_Call-ID:]
CSeq: [cseq] %method
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
Max-Forwards: 70
"""

_LAST = """SIP/2.0 %status
[last_Via:]
[last_Record-Route:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port];transport=[transport]>
"""

_PHONE = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="phone">
<recv request="INVITE" rrs="true"><action>
  <ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
  <ereg regexp=".*" search_in="hdr" header="Record-Route:" assign_to="rr"/>
  <ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
  <ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
  <ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cs"/>
</action></recv>
<send><![CDATA[
%ringing
Content-Length: 0

]]></send>
<recv request="CANCEL" optional="true" next="canceled_" timeout="%ring" ontimeout="answer_"/>
<recv request="REJECT" optional="true" next="reject_" timeout="%ring" ontimeout="answer_"/>
<recv request="ANSWER" next="answer_" timeout="%ring" ontimeout="answer_"/>

<label id="answer_"/>
<send retrans="500"><![CDATA[
%ok
Content-Type: application/sdp
Content-Length: [len]
%sdp
]]></send>
<recv request="ACK"/>

<label id="talking_"/>
<recv request="BYE" optional="true" next="hung_up_" timeout="%forever" ontimeout="bye_"/>
<recv request="INVITE" optional="true" next="reinvited_" timeout="%forever" ontimeout="bye_"/>
<recv request="HOLD" optional="true" next="hold_" timeout="%forever" ontimeout="bye_"/>
<recv request="RESUME" optional="true" next="resume_" timeout="%forever" ontimeout="bye_"/>
<recv request="HANGUP" next="bye_" timeout="%forever" ontimeout="bye_"/>

<label id="reinvited_"/>
<send><![CDATA[
%last_ok
Content-Type: application/sdp
Content-Length: [len]
%sdp
]]></send>
<recv request="ACK" next="talking_"/>

<label id="hold_"/>
%reinvite_hold
<label id="resume_"/>
%reinvite_resume

<label id="bye_"/>
<send retrans="500"><![CDATA[
%bye
Content-Length: 0

]]></send>
<recv response="200" next="end_" timeout="5000" ontimeout="end_"/>

<label id="hung_up_"/>
<send next="end_"><![CDATA[
%last_ok
Content-Length: 0

]]></send>

<label id="reject_"/>
<send retrans="500"><![CDATA[
%busy
Content-Length: 0

]]></send>
<recv request="ACK" next="end_"/>

<label id="canceled_"/>
<send><![CDATA[
%last_ok
Content-Length: 0

]]></send>
<send retrans="500"><![CDATA[
%terminated
Content-Length: 0

]]></send>
<recv request="ACK"/>
<label id="end_"/>
<nop/>
</scenario>
"""

# --- a phone that registers

_REGISTER = """<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
<send retrans="500"><![CDATA[
%request

]]></send>
<recv response="200" optional="true" next="end_"/>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
%request
[authentication username=%user password=%password]

]]></send>
<recv response="200"/>
<label id="end_"/>
<nop/>
</scenario>
"""

_REGISTER_REQUEST = """REGISTER sip:[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:%user@[remote_ip]>;tag=[pid]r[call_number]
To: <sip:%user@[remote_ip]>
Call-ID: [call_id]
CSeq: [cseq] REGISTER
Contact: <sip:%contact>
Expires: 3600
Max-Forwards: 70
Content-Length: 0"""


def _fill(text: str, **values: object) -> str:
    return _Scenario(text).safe_substitute({name: str(value) for name, value in values.items()})


def _sdp(direction: str = "sendrecv", version: int = 1) -> str:
    return _fill(SDP, direction=direction, version=version)


def _reinvite(request: str, ack: str, direction: str, version: int) -> str:
    return _fill(_REINVITE, reinvite=request, ack=ack, sdp=_sdp(direction, version)).rstrip()


def _caller_scenario(
    *, caller: str, called: str, display: str, headers: Mapping[str, str], hold: int, patience: int
) -> str:
    who = {"caller": caller, "called": called, "display": f'"{display}" ' if display else ""}

    def request(method: str) -> str:
        return _fill(_IN_DIALOG, method=method, **who).rstrip()

    return _fill(
        _CALLER,
        headers="".join(f"{name}: {value}\n" for name, value in headers.items()),
        sdp=_sdp(),
        hold=hold,
        patience=patience,
        ack=request("ACK"),
        bye=request("BYE"),
        last_ok=_fill(_LAST, status="200 OK").rstrip(),
        reinvite_hold=_reinvite(request("INVITE"), request("ACK"), "sendonly", 2),
        reinvite_resume=_reinvite(request("INVITE"), request("ACK"), "sendrecv", 3),
        **who,
    )


def _phone_scenario(ring: int) -> str:
    def response(status: str) -> str:
        return _fill(_RESPONSE, status=status).rstrip()

    def request(method: str) -> str:
        return _fill(_FROM_PHONE, method=method).rstrip()

    return _fill(
        _PHONE,
        ring=ring,
        forever=FOREVER_MS,
        sdp=_sdp(),
        ringing=response("180 Ringing"),
        ok=response("200 OK"),
        busy=response("486 Busy Here"),
        terminated=response("487 Request Terminated"),
        last_ok=_fill(_LAST, status="200 OK").rstrip(),
        bye=request("BYE"),
        reinvite_hold=_reinvite(request("INVITE"), request("ACK"), "sendonly", 2),
        reinvite_resume=_reinvite(request("INVITE"), request("ACK"), "sendrecv", 3),
    )


def _command(port: int, host: str, method: str, call_id: str) -> str:
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
            "Content-Length: 0",
        )
        udp.sendto("".join(f"{line}\r\n" for line in (*lines, "")).encode(), (host, port))
    return mark


TRACED = re.compile(
    r"^UDP message (?:sent|received)[^\n]*\n\n(?P<start>[^\r\n]*)\r?\n.*?^Call-ID: *(?P<call>[^\r\n]*)",
    re.MULTILINE | re.DOTALL,
)
RINGING = re.compile(r"SIP/2\.0 18\d ")
TALKING = re.compile(r"ACK ")  # the last handshake is over
EITHER = re.compile(r"SIP/2\.0 18\d |ACK ")


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

    async def seen(self, pattern: str, *, timeout: float = 10, count: int = 1) -> None:
        """Wait until a line of the trace matches `pattern` (a regular expression) `count` times."""
        line = re.compile(pattern, re.MULTILINE)
        await until(
            lambda: len(line.findall(self.messages())) >= count,
            f"{self.part.name} sees {count} × {pattern}",
            timeout=timeout,
            explain=self.explain,
        )

    async def obey(
        self, method: str, *call_ids: str, after: re.Pattern[str], timeout: float = 10
    ) -> None:
        """Give a command once each call stands where it can be heard, and return once it was heard."""

        def settled() -> bool:
            last = {found["call"]: found["start"] for found in TRACED.finditer(self.messages())}
            return all(after.match(last.get(call_id, "")) for call_id in call_ids)

        what = f"{self.part.name} can be told to {method}"
        await until(settled, what, timeout=timeout, explain=self.explain)
        marks = [_command(self.port, self.host, method, call_id) for call_id in call_ids]

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


@dataclass
class Call(_Sipp):
    """One call (or `count` of them) placed by SIPp."""

    call_ids: tuple[str, ...] = field(default=())

    @property
    def call_id(self) -> str:
        return self.call_ids[0]

    async def ringing(self, timeout: float = 10) -> None:
        await self.seen(r"^SIP/2.0 180 ", timeout=timeout, count=len(self.call_ids))

    async def answered(self, timeout: float = 10) -> None:
        await self.seen(r"^ACK ", timeout=timeout, count=len(self.call_ids))

    async def hold(self) -> None:
        """Re-INVITE, sendonly."""
        await self.obey("HOLD", *self.call_ids, after=TALKING)

    async def resume(self) -> None:
        await self.obey("RESUME", *self.call_ids, after=TALKING)

    async def hang_up(self, timeout: float = 10) -> None:
        """End the call: BYE when it is answered, CANCEL while it rings. Returns when it is over."""
        await self.obey("HANGUP", *self.call_ids, after=EITHER, timeout=timeout)
        await self.ended(timeout)

    async def ended(self, timeout: float = 10) -> None:
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
            _phone_scenario(FOREVER_MS if ring is None else max(1, int(ring * 1000)))
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
            _caller_scenario(
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
        request = _fill(_REGISTER_REQUEST, user=user, contact=contact)
        scenario = folder / "register.xml"
        scenario.write_text(_fill(_REGISTER, request=request, user=user, password=password))
        argv = [*_argv(scenario, host, free_port(host)), "-m", "1", to]
        part = launch("sipp-register", argv, folder=folder, env={**os.environ, "TERM": "dumb"})
        try:
            await Call(host, 0, part, folder).ended()
        finally:
            part.kill()
