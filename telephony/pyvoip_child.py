"""PyVoIP runs alone in this process, so that its defects cannot touch anything else.

Registers one extension and reports each INVITE it receives, raw, before pyVoIP thinks about it.
Configuration: one JSON object on the first line of stdin (a password must not stand in argv). Out:
JSON lines on stdout. The end of stdin is the order to leave. Started by feed_pyvoip.py only.

Known defects worked around (docs/adr/0001): `pyVoIP.VoIP` is imported before `pyVoIP.SIP`; `deny()`
is never called; a cancelled INVITE is never answered; INVITEs are source-checked at the socket; a
phone whose registration failed three times never recovers, so the process ends with status 1.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import threading
import time
import warnings
from collections import OrderedDict
from ipaddress import ip_address, ip_network
from typing import IO, Any, Final

from pyVoIP.VoIP import VoIPCall, VoIPPhone  # isort: skip -- before pyVoIP.SIP, or it fails
from pyVoIP import SIP
from pyVoIP.VoIP import CallState, PhoneStatus

BEAT: Final = 5.0
#: Seconds between answer and hang-up: the caller's ACK must not cross the BYE.
_TALK: Final = 0.2
_REMEMBERED: Final = 512


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
    """PyVoIP reads without looking at the source; this one drops foreign datagrams."""

    allow: tuple[Any, ...] = ()
    report: Reporter

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """Return the next datagram of an allowed source."""
        while True:
            data, (host, _port) = self.recvfrom(size, flags)
            if any(ip_address(host) in network for network in self.allow):
                return data
            self.report("refused", reason="source")


class GuardedClient(SIP.SIPClient):
    """The same client on a guarded socket; `start` is pyVoIP's but for that line."""

    allow: tuple[Any, ...] = ()
    report: Reporter

    def start(self) -> None:
        """Bind, register, then receive."""
        self.NSD = True
        self.s = GuardedSocket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.allow, self.s.report = self.allow, self.report
        self.s.bind((self.myIP, self.myPort))
        self.out = self.s
        self.register()
        thread = threading.Timer(0, self.recv_loop)
        thread.daemon = True
        thread.start()


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
        self.phone.sip = guarded

    def _message(self, request: Any) -> None:
        """Report an INVITE before pyVoIP handles it: its own callback comes 1 s later."""
        if request.type == SIP.SIPMessageType.MESSAGE:
            call_id = request.headers.get("Call-ID", "")
            if request.method == "INVITE" and _remember(self._seen, call_id):
                raw = base64.b64encode(request.raw).decode()
                self._report("invite", raw=raw, at=time.time())
            elif request.method == "CANCEL":
                _remember(self._cancelled, call_id)
        self.phone.callback(request)

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
