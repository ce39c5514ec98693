"""PyVoIP runs alone in this process, so that its defects cannot touch anything else.

Registers one extension and reports each INVITE it receives, raw, before pyVoIP thinks about it: what pyVoIP cannot
read (a header without a value, a name in Latin-1) is reported too, counted, and refused to the switchboard.
Configuration: one JSON object on the first line of stdin (a password must not stand in argv). Out:
JSON lines on stdout. The end of stdin is the order to leave. Started by feed.py only.

Known defects worked around (docs/adr/0001): `pyVoIP.VoIP` is imported before `pyVoIP.SIP`; `deny()`
is never called; a cancelled INVITE is never answered; INVITEs are source-checked at the socket; a
phone whose registration failed three times never recovers, so the process ends with status 1, as
it does when the thread that receives dies.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import threading
import time
import uuid
import warnings
from collections import OrderedDict
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import IO, TYPE_CHECKING, Any, Final

from pyVoIP.VoIP import VoIPCall, VoIPPhone  # isort: skip -- before pyVoIP.SIP, or it fails
from pyVoIP import SIP
from pyVoIP.VoIP import CallState, PhoneStatus

from telephony.sip import message as sip
from telephony.sip.write import response

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT: Final = 5.0
#: Seconds between answer and hang-up: the caller's ACK must not cross the BYE.
_TALK: Final = 0.2
_REMEMBERED: Final = 512
#: Server error: what could not be read is not the switchboard's fault, and it need not try again.
_REFUSED: Final = 500


class Reporter:
    """One writer of whole JSON lines, from any of pyVoIP's threads."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()

    def __call__(self, kind: str, **values: object) -> None:
        """Write one line; leave when nobody reads any more."""
        with self._lock:
            try:
                self._out.write(json.dumps({"type": kind, **values}) + "\n")
                self._out.flush()
            except (BrokenPipeError, ValueError):
                os._exit(0)


class GuardedSocket(socket.socket):
    """PyVoIP reads without looking at the source; this one drops foreign datagrams, and shows each INVITE first."""

    allow: tuple[Any, ...] = ()
    report: Reporter
    invited: Callable[[bytes], bytes | None]

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return the next datagram of an allowed source that pyVoIP can read."""
        while True:
            data, source = self.recvfrom(size, flags)
            if not any(ip_address(source[0]) in network for network in self.allow):
                self.report("refused", reason="source")
            elif not data.startswith(b"INVITE "):
                return data
            elif refusal := self.invited(data):
                with suppress(
                    OSError
                ):  # it cannot be sent: the switchboard repeats, and we still hear
                    self.sendto(refusal, source)
            else:
                return data


class GuardedClient(SIP.SIPClient):
    """The same client on a guarded socket; `start` is pyVoIP's but for that line."""

    allow: tuple[Any, ...] = ()
    report: Reporter
    invited: Callable[[bytes], bytes | None]

    def start(self) -> None:
        """Bind, register, then receive."""
        self.NSD = True
        self.s = GuardedSocket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.allow, self.s.report, self.s.invited = self.allow, self.report, self.invited
        self.s.bind((self.myIP, self.myPort))
        self.out = self.s
        self.register()
        thread = threading.Timer(0, self.recv_loop)
        thread.daemon = True
        thread.start()

    def recv_loop(self) -> None:
        """Receive until stopped. Registered and deaf it would look well: what ends its hearing ends the process."""
        try:
            super().recv_loop()
        except Exception as error:  # noqa: BLE001 -- reported by name, then the parent starts again
            self.report("error", reason=type(error).__name__)
            os._exit(1)


class Extension:
    """The notified extension: reports an INVITE at once, answers it, hangs up."""

    def __init__(self, config: dict[str, Any], report: Reporter) -> None:
        self._report = report
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._cancelled: OrderedDict[str, None] = OrderedDict()
        self.phone = VoIPPhone(
            config["server"],
            config["port"],
            config["username"],
            config["password"],
            myIP=config["my_ip"],
            callCallback=self._talk,
            sipPort=config["sip_port"],
            rtpPortLow=config["rtp_low"],
            rtpPortHigh=config["rtp_high"],
        )
        guarded = GuardedClient(
            config["server"],
            config["port"],
            config["username"],
            config["password"],
            phone=self.phone,
            myIP=config["my_ip"],
            myPort=config["sip_port"],
            callCallback=self._message,
            fatalCallback=self.phone.fatal,
        )
        guarded.allow = tuple(ip_network(each) for each in config["allow"])
        guarded.report = report
        guarded.invited = self._invited
        self.phone.sip = guarded

    def _invited(self, raw: bytes) -> bytes | None:
        """Report an INVITE before pyVoIP reads it; return the refusal of one that it cannot read."""
        try:
            message = sip.parse(raw)
        except sip.SipDecodeError:
            message = None  # what it lacks is for the parent to count
        if _remember(self._seen, message.call_id if message else raw.hex()):
            self._report("invite", raw=base64.b64encode(raw).decode(), at=time.time())
        try:
            SIP.SIPMessage(raw)
        except Exception as error:  # noqa: BLE001 -- whatever it raises, the switchboard must not wait for an answer
            self._report("unread", reason=type(error).__name__)
            return response(message, _REFUSED, uuid.uuid4().hex) if message else None
        return None

    def _message(self, request: Any) -> None:
        """Hand a message to pyVoIP, and tell when it fails on it."""
        if request.type == SIP.SIPMessageType.MESSAGE and request.method == "CANCEL":
            _remember(self._cancelled, request.headers.get("Call-ID", ""))
        try:
            self.phone.callback(request)
        except Exception as error:
            self._report("error", reason=type(error).__name__)
            raise

    def _talk(self, call: VoIPCall) -> None:
        """End the notification call: answer it, hang up; a cancelled one is only forgotten."""
        try:
            if call.call_id in self._cancelled:
                self.phone.calls.pop(call.call_id, None)
                return
            call.answer()
            time.sleep(_TALK)
            if call.state == CallState.ANSWERED:
                call.hangup()
        except Exception as error:  # noqa: BLE001 -- whatever pyVoIP raises, the next call must work
            self._report("error", reason=type(error).__name__)
            self.phone.calls.pop(call.call_id, None)
        finally:
            self.phone.release_ports(call)


def _remember(seen: OrderedDict[str, None], call_id: str) -> bool:
    """Note a Call-ID; whether it is new. Bounded."""
    if call_id in seen:
        return False
    seen[call_id] = None
    if len(seen) > _REMEMBERED:
        seen.popitem(last=False)
    return True


def _private_stdout() -> Reporter:
    """Keep stdout for reports; what libraries print goes to stderr."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return Reporter(out)


def _leave_with_parent() -> None:
    """Wait for the end of stdin, then end at once: the registration expires by itself."""
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Run until stdin ends (status 0) or the phone has failed for good (status 1)."""
    warnings.simplefilter("ignore")
    report = _private_stdout()
    config = json.loads(sys.stdin.readline())
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    extension = Extension(config, report)
    try:
        extension.phone.start()
    except Exception as error:  # noqa: BLE001 -- reported by name, then the parent starts again
        report("error", reason=type(error).__name__)
        os._exit(1)
    while True:
        status = extension.phone.get_status()
        report("alive", status=status.name)
        if status in {PhoneStatus.FAILED, PhoneStatus.INACTIVE}:
            os._exit(1)
        time.sleep(1.0 if status is not PhoneStatus.REGISTERED else BEAT)


if __name__ == "__main__":
    main()
