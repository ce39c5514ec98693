"""What the lab's phones say: SIPp scenarios, filled in for one phone.

The commands they wait for (HANGUP, HOLD, RESUME, ANSWER, REJECT, TRANSFER) are explained in sipp.py.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FOREVER_MS = 3_600_000


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
<recv request="REFER" optional="true" next="referred_" timeout="%hold" ontimeout="bye_"/>
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

<label id="referred_"/>
<send next="talking_"><![CDATA[
%accepted
Content-Length: 0

]]></send>

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
<recv request="TRANSFER" optional="true" next="transfer_" timeout="%forever" ontimeout="bye_"><action>
  <ereg regexp=".*" search_in="hdr" header="Refer-To:" assign_to="target"/></action></recv>
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

<label id="transfer_"/>
<send retrans="500"><![CDATA[
%refer
Refer-To:[$target]
Referred-By: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
<recv response="202" next="talking_"/>

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


def caller_scenario(
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
        accepted=_fill(_LAST, status="202 Accepted").rstrip(),
        reinvite_hold=_reinvite(request("INVITE"), request("ACK"), "sendonly", 2),
        reinvite_resume=_reinvite(request("INVITE"), request("ACK"), "sendrecv", 3),
        **who,
    )


def phone_scenario(ring: int) -> str:
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
        refer=request("REFER"),
        reinvite_hold=_reinvite(request("INVITE"), request("ACK"), "sendonly", 2),
        reinvite_resume=_reinvite(request("INVITE"), request("ACK"), "sendrecv", 3),
    )


def register_scenario(*, user: str, password: str, contact: str) -> str:
    request = _fill(_REGISTER_REQUEST, user=user, contact=contact)
    return _fill(_REGISTER, request=request, user=user, password=password)
