"""Captured traffic read back as facts: what a switchboard said, told again by the code that listens live.

Understood: streams of a manager interface (AMI) or an event socket (ESL), HEP3 packets as JSON lines
(`hep3_b64`), pcap or pcapng files with SIP or HEP3 inside (NOTIFY of dialog-info too), and dialog-info documents. A
folder is read whole: its streams tell of the same calls. Where two of them, or two agents of one, do not agree on the
time of a call, what the later one tells of it is left out, and said.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from telephony.sip import message as sip
from telephony.sip.message import uri_user
from telephony.sources.ami.codec import AmiDecoder, greeted, too_old
from telephony.sources.ami.facts import AmiFactReader
from telephony.sources.dialog_info import codec as dialog_info
from telephony.sources.dialog_info.facts import DialogFactReader
from telephony.sources.esl.codec import EslDecoder
from telephony.sources.esl.facts import EslFactReader
from telephony.sources.hep import codec as hep
from telephony.sources.hep.facts import DEFAULT_HEADERS, SipFactReader
from telephony.sources.replay.capture import BEGINS, Capture, NoReadableInterfaceError
from telephony.sources.replay.clocks import ClockGap, SipMessageKey, gaps, key_of, without_far

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from telephony.model.facts import Fact


#: Bytes of one file; more is not a trace but an archive.
MAX_FILE: Final = 512 * 1024 * 1024
_EXTENSION: Final = re.compile(r"[0-9]{4,6}")
_SNIFF: Final = 65536
_DIALOG_INFO: Final = "dialog-info+xml"
_ENTITY: Final = re.compile(rb'entity="([^"]*)"')


class UnreadableError(ValueError):
    """A file is no trace this can read; the text says which.

    `links`: a capture of such kinds of networks only; `why`: what the operating system says, which does not give it.
    """

    def __init__(self, name: str, links: tuple[int, ...] = (), why: str = "") -> None:
        super().__init__(name)
        self.links = links
        self.why = why


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured datagram with SIP inside; `agent` is who captured it, where it says so."""

    at: datetime
    src: tuple[str, int]
    dst: tuple[str, int]
    payload: bytes = field(repr=False)
    agent: str = ""


class _Heard(NamedTuple):
    """One SIP message, and how it came."""

    packet: Packet
    message: sip.SipMessage


@dataclass(slots=True)
class CapturedFacts:
    """What files told: facts in the order of the files, and how many of their parts were dropped, by reason.

    `clocks`: who does not agree on the time with whom.
    """

    facts: list[Fact] = field(default_factory=list)
    rejected: dict[str, int] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    clocks: list[ClockGap] = field(default_factory=list)

    def drop(self, reasons: Mapping[str, int]) -> None:
        """Count what was left out."""
        for reason, count in reasons.items():
            self.rejected[reason] = self.rejected.get(reason, 0) + count


def read(paths: Iterable[Path], stations: Collection[str] = ()) -> CapturedFacts:
    """Read files and folders. Raises UnreadableError.

    `stations` are the monitored extensions; when empty, whatever looks like one is.
    """
    told = CapturedFacts()
    files = [found for path in paths for found in _files(path)]
    heard = {file: _heard(file, kind, told) for file, kind in files if kind in _CAPTURES}
    _agree(heard, told)
    accounts: list[tuple[str, Sequence[Fact]]] = []
    for file, kind in files:
        before = len(told.facts)
        if file in heard:
            _sip(heard.pop(file), stations, told)
        else:
            _STREAMS[kind](_bytes(file), stations, told)
        accounts.append((file.name, told.facts[before:]))
        told.files.append(file.name)
    far, facts = without_far(accounts)
    told.clocks += far
    if far:
        told.drop({"clock": len(told.facts) - len(facts)})
        told.facts = facts
    return told


def _files(path: Path) -> list[tuple[Path, str]]:
    """List what can be read of a file or folder, and what it is. Raises UnreadableError when nothing can."""
    with _named(path):
        files = sorted(path.iterdir()) if path.is_dir() else [path]
    known = [(each, kind) for each in files if (kind := _kind(each))]
    if not known:
        raise UnreadableError(path.name)
    return known


def _kind(file: Path) -> str:
    """Recognise a file by what it begins with, not by its name; empty for none that can be read, or only once."""
    with _named(file):
        if not file.is_file() or file.stat().st_size > MAX_FILE:
            return ""
        with file.open("rb") as opened:
            head = opened.read(_SNIFF)
    return next((kind for kind, begins in _KINDS.items() if begins(head)), "")


def _bytes(file: Path) -> bytes:
    with _named(file):
        return file.read_bytes()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say which file the operating system does not give."""
    try:
        yield
    except OSError as error:
        raise UnreadableError(path.name, why=error.strerror or type(error).__name__) from error


def _heard(file: Path, kind: str, told: CapturedFacts) -> list[_Heard]:
    """Read the SIP of a capture. Raises UnreadableError."""
    heard = []
    try:
        for packet in _CAPTURES[kind](_bytes(file), told):
            try:
                heard.append(_Heard(packet, sip.parse(packet.payload)))
            except sip.SipDecodeError as error:
                told.drop({f"sip_{error.reason}": 1})
    except NoReadableInterfaceError as error:
        raise UnreadableError(file.name, error.links) from None
    return heard


def _agree(heard: dict[Path, list[_Heard]], told: CapturedFacts) -> None:
    """Leave out what an agent tells of a call that another one dated otherwise, and say so."""
    stamps: dict[str, dict[SipMessageKey, datetime]] = {}
    for file, messages in heard.items():
        for packet, message in messages:
            if (key := key_of(message)) is not None:
                mine = stamps.setdefault(_source(file, packet), {})
                mine[key] = min(mine.get(key, packet.at), packet.at)
    told.clocks = gaps(stamps)
    doubtful = {gap.source: {key.call for key in stamps[gap.other]} for gap in told.clocks}
    for file, messages in heard.items():
        kept = [
            each
            for each in messages
            if each.message.call_id not in doubtful.get(_source(file, each.packet), ())
        ]
        if len(kept) < len(messages):
            told.drop({"clock": len(messages) - len(kept)})
            heard[file] = kept


def _source(file: Path, packet: Packet) -> str:
    return f"{file.name}, agent {packet.agent}" if packet.agent else file.name


def _ami(data: bytes, stations: Collection[str], told: CapturedFacts) -> None:
    decoder, observer = AmiDecoder(), AmiFactReader("ami", stations, max_skew=None)
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


def _esl(data: bytes, stations: Collection[str], told: CapturedFacts) -> None:
    decoder, observer = EslDecoder(), EslFactReader("esl", stations, max_skew=None)
    at = datetime.fromtimestamp(0, UTC)
    for message in decoder.feed(data):
        for fact in observer.observe(message, at):
            told.facts.append(fact)
            at = max(at, fact.at)
    told.drop(decoder.rejected)


def _sip(messages: Sequence[_Heard], stations: Collection[str], told: CapturedFacts) -> None:
    """Observe SIP in the order of its capture."""
    known = stations or {
        user
        for _, message in messages
        for user in (message.from_.user, message.to.user)
        if user and _EXTENSION.fullmatch(user)
    }
    observer = SipFactReader("hep", known, DEFAULT_HEADERS)
    presence = DialogFactReader("dialog-info", known)
    for packet, message in sorted(messages, key=lambda each: each.packet.at):
        if message.method == "NOTIFY" and _DIALOG_INFO in message.first("content-type").lower():
            _document(message.body, presence, packet.at, told)
        else:
            told.facts += observer.observe(message, packet.at, packet.src, packet.dst)


def _documents(data: bytes, stations: Collection[str], told: CapturedFacts) -> None:
    """Read dialog-info documents, one after another; undated themselves, a second lies between two."""
    documents = [b"<?xml" + part for part in data.split(b"<?xml") if part.strip()]
    entities = (uri_user(found.decode("utf-8", "replace")) for found in _ENTITY.findall(data))
    observer = DialogFactReader("dialog-info", stations or {user for user in entities if user})
    for number, document in enumerate(documents):
        _document(document, observer, datetime.fromtimestamp(number, UTC), told)


def _document(data: bytes, observer: DialogFactReader, at: datetime, told: CapturedFacts) -> None:
    try:
        info = dialog_info.read(data)
    except dialog_info.DialogInfoError as error:
        told.drop({error.reason: 1})
        return
    facts, wrong = observer.observe(uri_user(info.entity), info, at)
    told.facts += facts
    if wrong:
        told.drop({wrong: 1})


def _packets_of_lines(data: bytes, told: CapturedFacts) -> Iterator[Packet]:
    for line in data.splitlines():
        try:
            yield from _unwrapped(base64.b64decode(json.loads(line)["hep3_b64"]), told)
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
            told.drop({"line": 1})


def _unwrapped(data: bytes, told: CapturedFacts) -> Iterator[Packet]:
    try:
        packet = hep.decode(data)
    except hep.HepDecodeError as error:
        told.drop({f"hep_{error.reason}": 1})
        return
    if packet.protocol == hep.SIP:
        agent = packet.node_name or str(packet.capture_id or "")
        yield Packet(packet.time, packet.src, packet.dst, packet.payload, agent)


def _packets_of_pcap(data: bytes, told: CapturedFacts) -> Iterator[Packet]:
    capture = Capture(data)
    for payload in capture.payloads():
        if payload.data.startswith(hep.MAGIC):
            yield from _unwrapped(payload.data, told)
        else:
            yield Packet(*payload)
    told.drop(capture.dropped)


#: How each kind of file begins.
_KINDS: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "pcap": lambda head: head[:4] in BEGINS,
    "hep": lambda head: head.lstrip().startswith(b"{") and b"hep3_b64" in head,
    "ami": lambda head: (
        head.startswith(b"Asterisk Call Manager/") or bool(re.match(rb"(Event|Response): ", head))
    ),
    "esl": lambda head: bool(re.match(rb"\s*Content-(Type|Length): ", head)),
    "dialog-info": lambda head: head.lstrip().startswith(b"<?xml") and b"<dialog-info" in head,
}
_CAPTURES: Final[Mapping[str, Callable[[bytes, CapturedFacts], Iterator[Packet]]]] = {
    "pcap": _packets_of_pcap,
    "hep": _packets_of_lines,
}
_STREAMS: Final[Mapping[str, Callable[[bytes, Collection[str], CapturedFacts], None]]] = {
    "ami": _ami,
    "esl": _esl,
    "dialog-info": _documents,
}
