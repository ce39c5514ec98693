"""Captured traffic read back as facts: what a switchboard said, told again by the code that listens live.

Understood: streams of a manager interface (AMI) or an event socket (ESL), HEP3 packets as JSON lines
(`hep3_b64`), pcap or pcapng files with SIP or HEP3 inside (NOTIFY of dialog-info too), and dialog-info documents. A
folder is read whole: its streams tell of the same calls.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import dpkt

from telephony import dialog_info, hep, sip
from telephony.ami import AmiDecoder, greeted, too_old
from telephony.esl import EslDecoder
from telephony.facts_from_ami import AmiObserver
from telephony.facts_from_dialog import DialogObserver
from telephony.facts_from_esl import EslObserver
from telephony.facts_from_sip import DEFAULT_HEADERS, SipObserver
from telephony.sip import uri_user

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from telephony.facts import Fact

    _Reader = Callable[[bytes, Collection[str], "Recorded"], None]

#: Bytes of one file; more is not a trace but an archive.
MAX_FILE: Final = 512 * 1024 * 1024
_EXTENSION: Final = re.compile(r"[0-9]{4,6}")
_SNIFF: Final = 65536
_DIALOG_INFO: Final = "dialog-info+xml"
_ENTITY: Final = re.compile(rb'entity="([^"]*)"')
_PCAP: Final = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"


class UnreadableError(ValueError):
    """A file is no trace this can read; the text says which, and what is understood."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured datagram with SIP inside."""

    at: datetime
    src: tuple[str, int]
    dst: tuple[str, int]
    payload: bytes = field(repr=False)


@dataclass(slots=True)
class Recorded:
    """What files told: facts in the order of the files, and how many of their parts were dropped, by reason."""

    facts: list[Fact] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    def drop(self, reasons: Mapping[str, int]) -> None:
        """Count what was left out."""
        for reason, count in reasons.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def read(paths: Iterable[Path], stations: Collection[str] = ()) -> Recorded:
    """Read files and folders. Raises OSError, and UnreadableError for a file that is no trace.

    `stations` are the monitored extensions; when empty, whatever looks like one is.
    """
    told = Recorded()
    for path in paths:
        files = (
            sorted(each for each in path.iterdir() if each.is_file()) if path.is_dir() else [path]
        )
        known = [(each, reader) for each in files if (reader := _reader(each))]
        if not known:
            raise UnreadableError(path.name)
        for file, reader in known:
            reader(file.read_bytes(), stations, told)
            told.files.append(file.name)
    return told


def _reader(file: Path) -> _Reader | None:
    """Recognise a file by what it begins with, not by its name."""
    if file.stat().st_size > MAX_FILE:
        return None
    with file.open("rb") as opened:
        head = opened.read(_SNIFF)
    for begins, reader in _KINDS:
        if begins(head):
            return reader
    return None


def _ami(data: bytes, stations: Collection[str], told: Recorded) -> None:
    decoder, observer = AmiDecoder(), AmiObserver("ami", stations, max_skew=None)
    at = datetime.fromtimestamp(0, UTC)
    messages = decoder.feed(data + b"\r\n\r\n")
    if too_old(greeted(decoder.banner) or ""):
        told.drop({"ami_version": 1})
        return
    for message in messages:
        for fact in observer.observe(message, at):
            told.facts.append(fact)
            at = max(at, fact.at)  # an event without a date happened after the one before it
    told.drop(decoder.rejected + observer.rejected)


def _esl(data: bytes, stations: Collection[str], told: Recorded) -> None:
    decoder, observer = EslDecoder(), EslObserver("esl", stations, max_skew=None)
    at = datetime.fromtimestamp(0, UTC)
    for message in decoder.feed(data):
        for fact in observer.observe(message, at):
            told.facts.append(fact)
            at = max(at, fact.at)
    told.drop(decoder.rejected)


def _hep_lines(data: bytes, stations: Collection[str], told: Recorded) -> None:
    _sip(_packets_of_lines(data, told), stations, told)


def _pcap(data: bytes, stations: Collection[str], told: Recorded) -> None:
    _sip(_packets_of_pcap(data, told), stations, told)


def _sip(packets: Iterator[Packet], stations: Collection[str], told: Recorded) -> None:
    """Observe SIP in the order of its capture."""
    messages = []
    for packet in packets:
        try:
            messages.append((packet, sip.parse(packet.payload)))
        except sip.DecodeError as error:
            told.drop({f"sip_{error.reason}": 1})
    known = stations or {
        user
        for _, message in messages
        for user in (message.from_.user, message.to.user)
        if user and _EXTENSION.fullmatch(user)
    }
    observer = SipObserver("hep", known, DEFAULT_HEADERS)
    presence = DialogObserver("dialog-info", known)
    for packet, message in sorted(messages, key=lambda each: each[0].at):
        if message.method == "NOTIFY" and _DIALOG_INFO in message.first("content-type").lower():
            _document(message.body, presence, packet.at, told)
        else:
            told.facts += observer.observe(message, packet.at, packet.src, packet.dst)


def _documents(data: bytes, stations: Collection[str], told: Recorded) -> None:
    """Read dialog-info documents, one after another; undated themselves, a second lies between two."""
    documents = [b"<?xml" + part for part in data.split(b"<?xml") if part.strip()]
    entities = (uri_user(found.decode("utf-8", "replace")) for found in _ENTITY.findall(data))
    observer = DialogObserver("dialog-info", stations or {user for user in entities if user})
    for number, document in enumerate(documents):
        _document(document, observer, datetime.fromtimestamp(number, UTC), told)


def _document(data: bytes, observer: DialogObserver, at: datetime, told: Recorded) -> None:
    try:
        info = dialog_info.read(data)
    except dialog_info.DialogInfoError as error:
        told.drop({error.reason: 1})
        return
    facts, wrong = observer.observe(uri_user(info.entity), info, at)
    told.facts += facts
    if wrong:
        told.drop({wrong: 1})


def _packets_of_lines(data: bytes, told: Recorded) -> Iterator[Packet]:
    for line in data.splitlines():
        try:
            yield from _unwrapped(base64.b64decode(json.loads(line)["hep3_b64"]), told)
        except (ValueError, KeyError, TypeError, binascii.Error):
            told.drop({"line": 1})


def _unwrapped(data: bytes, told: Recorded) -> Iterator[Packet]:
    try:
        packet = hep.decode(data)
    except hep.DecodeError as error:
        told.drop({f"hep_{error.reason}": 1})
        return
    if packet.protocol == hep.SIP:
        yield Packet(packet.time, packet.src, packet.dst, packet.payload)


def _packets_of_pcap(data: bytes, told: Recorded) -> Iterator[Packet]:
    try:
        opened = dpkt.pcap.UniversalReader(io.BytesIO(data))
        for seconds, frame in opened:
            yield from _datagram(seconds, frame, opened.datalink(), told)
    except (ValueError, dpkt.UnpackError) as error:
        told.drop({f"pcap_{type(error).__name__}": 1})


def _datagram(seconds: float, frame: bytes, link: int, told: Recorded) -> Iterator[Packet]:
    try:
        layer = _LINKS.get(link, dpkt.ethernet.Ethernet)(frame)
        inside = layer if link in _RAW else layer.data
        transport = inside.data
        payload = bytes(transport.data)
        hosts = [_host(inside.src), _host(inside.dst)]
        ends = (hosts[0], int(transport.sport)), (hosts[1], int(transport.dport))
    except (AttributeError, dpkt.UnpackError, ValueError):
        return  # ARP, ICMP, fragments: no signalling
    if payload.startswith(hep.MAGIC):
        yield from _unwrapped(payload, told)
    elif payload[:1].isalpha() and b"SIP/2.0" in payload[:512]:
        at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=float(seconds))
        yield Packet(at, *ends, payload)


def _host(address: bytes) -> str:
    return str(ip_address(address))


_RAW: Final = frozenset({dpkt.pcap.DLT_RAW, 12, 14, 101, 228, 229})
_LINKS: Final = {
    dpkt.pcap.DLT_LINUX_SLL: dpkt.sll.SLL,
    dpkt.pcap.DLT_NULL: dpkt.loopback.Loopback,
    **dict.fromkeys(_RAW, dpkt.ip.IP),
}
_KINDS: Final[tuple[tuple[Callable[[bytes], bool], _Reader], ...]] = (
    (lambda head: head.startswith(_PCAPNG) or head[:4] in _PCAP, _pcap),
    (lambda head: head.lstrip().startswith(b"{") and b"hep3_b64" in head, _hep_lines),
    (
        lambda head: (
            head.startswith(b"Asterisk Call Manager/")
            or bool(re.match(rb"(Event|Response): ", head))
        ),
        _ami,
    ),
    (lambda head: bool(re.match(rb"\s*Content-(Type|Length): ", head)), _esl),
    (lambda head: head.lstrip().startswith(b"<?xml") and b"<dialog-info" in head, _documents),
)
