"""Captures of every kind of network are read as what they are, or refused; what is missing in them is said.

The first is github.com/irontec/sngrep/issues/402: tcpdump -i any writes link type 276 since 2020.
"""

from __future__ import annotations

import base64
import json
import struct
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dpkt
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from server.cli import main as cli
from telephony.sources.hep import codec as hep
from telephony.sources.replay.capture import Capture, NoReadableInterfaceError, Payload
from telephony.sources.replay.link_types import is_read
from telephony.sources.replay.recorded import UnreadableError, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from click.testing import Result

CASES: Final = Path(__file__).parents[2] / "cases" / "11-pcap-sll2"
T0: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
TRUNK, PBX = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
V6: Final = (("2001:db8::1", 5060), ("2001:db8::2", 5060))
SDP: Final = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 30000 RTP/AVP 8\r\n"


def message(start: str, cseq: str, *more: str, body: str = "", call: str = "pc-1") -> bytes:
    lines = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKi",
        "From: <sip:+33612345678@gw>;tag=a",
        f"To: <sip:1501@pbx>{'' if cseq == '1 INVITE' and start.startswith('INV') else ';tag=b'}",
        f"Call-ID: {call}",
        f"CSeq: {cseq}",
        *more,
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
        "",
        body,
    ]
    return "\r\n".join(lines).encode()


INVITE: Final = message("INVITE sip:1501@pbx SIP/2.0", "1 INVITE", body=SDP)
OK: Final = message("SIP/2.0 200 OK", "1 INVITE", body=SDP)
BYE: Final = message("BYE sip:1501@192.0.2.2 SIP/2.0", "2 BYE")
CALL: Final = [(0.0, TRUNK, PBX, INVITE), (3.25, PBX, TRUNK, OK), (30.5, TRUNK, PBX, BYE)]
Sent = tuple[float, tuple[str, int], tuple[str, int], bytes]


def udp(src: tuple[str, int], dst: tuple[str, int], data: bytes) -> bytes:
    return struct.pack(">HHHH", src[1], dst[1], 8 + len(data), 0) + data


def ip(
    src: tuple[str, int], dst: tuple[str, int], data: bytes, *, kind: int = 17, place: int = 0
) -> bytes:
    """Write an IP packet; `place`: the field of flags and offset of IPv4."""
    ends = ip_address(src[0]).packed + ip_address(dst[0]).packed
    if len(ends) == 8:
        return (
            struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 7, place, 64, kind, 0) + ends + data
        )
    return struct.pack(">IHBB", 6 << 28, len(data), kind, 64) + ends + data


def packets(sent: Iterable[Sent]) -> list[tuple[float, bytes]]:
    return [(at, ip(src, dst, udp(src, dst, data))) for at, src, dst, data in sent]


def pcap(
    link: int,
    frames: Iterable[tuple[float, bytes]],
    *,
    order: str = "<",
    nano: bool = False,
    kept: int = 65535,
) -> bytes:
    magic, parts = (0xA1B23C4D, 10**9) if nano else (0xA1B2C3D4, 10**6)
    written = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for at, frame in frames:
        second, part = divmod(int(T0.timestamp()) * parts + round(at * parts), parts)
        cut = frame[:kept]
        written += struct.pack(f"{order}IIII", second, part, len(cut), len(frame)) + cut
    return written


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    body += b"\0" * (-len(body) % 4)
    size = struct.pack(f"{order}I", 12 + len(body))
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, options: bytes = b"", order: str = "<") -> bytes:
    return block(1, struct.pack(f"{order}HHI", link, 0, 65535) + options, order)


def enhanced(which: int, at: float, frame: bytes, *, parts: int = 10**6, order: str = "<") -> bytes:
    ticks = int(T0.timestamp()) * parts + round(at * parts)
    head = struct.pack(
        f"{order}IIIII", which, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)
    )
    return block(6, head + frame, order)


def kind_of(packet: bytes) -> int:
    return 0x0800 if packet[0] >> 4 == 4 else 0x86DD


def ethernet(packet: bytes, *tags: int) -> bytes:
    vlans = b"".join(struct.pack(">HH", tag, 100) for tag in tags)
    return b"\2\0\0\0\0\1\2\0\0\0\0\2" + vlans + struct.pack(">H", kind_of(packet)) + packet


def snap(packet: bytes) -> bytes:
    return b"\xaa\xaa\x03\0\0\0" + struct.pack(">H", kind_of(packet)) + packet


def ppp(packet: bytes) -> bytes:
    return (b"\x00\x21" if packet[0] >> 4 == 4 else b"\x00\x57") + packet


def family(packet: bytes) -> int:
    return 2 if packet[0] >> 4 == 4 else 30


def wireless(packet: bytes) -> bytes:
    return b"\x88\x01" + bytes(24) + snap(packet)  # data of a station, with priorities


#: How each kind of network that carries IP frames a packet.
FRAMES: Final[dict[int, Callable[[bytes], bytes]]] = {
    0: lambda packet: struct.pack("<I", family(packet)) + packet,
    1: ethernet,
    6: lambda packet: b"\x10\x40" + bytes(12) + snap(packet),
    8: lambda packet: bytes(16) + packet,
    9: lambda packet: b"\xff\x03" + ppp(packet),
    10: lambda packet: b"\x50" + bytes(12) + snap(packet),
    12: lambda packet: packet,
    50: lambda packet: b"\x0f\x00" + struct.pack(">H", kind_of(packet)) + packet,
    51: lambda packet: b"\x11\0\0\1" + struct.pack(">H", len(packet) + 2) + ppp(packet),
    100: snap,
    101: lambda packet: packet,
    104: lambda packet: b"\x0f\x00" + struct.pack(">H", kind_of(packet)) + packet,
    105: wireless,
    107: lambda packet: b"\x18\x41\x03" + (b"\xcc" if kind_of(packet) == 0x0800 else b"\x8e") + packet,
    108: lambda packet: struct.pack(">I", family(packet)) + packet,
    113: lambda packet: struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind_of(packet)) + packet,
    117: lambda packet: bytes([61, family(packet)]) + bytes(62) + packet,
    119: lambda packet: struct.pack("<II", 0x44, 144) + bytes(136) + wireless(packet),
    122: lambda packet: bytes(16) + snap(packet),
    123: lambda packet: b"\x02\0\0\1" + snap(packet),
    127: lambda packet: struct.pack("<BBHI", 0, 0, 8, 0) + wireless(packet),
    138: lambda packet: bytes(16) + struct.pack(">H", kind_of(packet)) + packet,
    163: lambda packet: struct.pack(">II", 0x80211001, 64) + bytes(56) + wireless(packet),
    166: lambda packet: b"\x01\x03" + ppp(packet),
    192: lambda packet: struct.pack("<BBHI", 0, 0, 8, 105) + wireless(packet),
    204: lambda packet: b"\x01\xff\x03" + ppp(packet),
    205: lambda packet: b"\x01\x0f\x00" + struct.pack(">H", kind_of(packet)) + packet,
    206: lambda packet: b"\x01\x18\x41" + struct.pack(">H", kind_of(packet)) + packet,
    226: lambda packet: bytes([1, 2 if kind_of(packet) == 0x0800 else 26]) + bytes(22) + packet,
    228: lambda packet: packet,
    229: lambda packet: packet,
    239: lambda packet: bytes([family(packet), 0, 0, 1])
    + struct.pack("<HHI", 8, 1, 0)
    + struct.pack("<HH", 4 + len(packet), 9)
    + packet,
    240: lambda packet: bytes(4) + ethernet(packet),
    241: lambda packet: bytes(12) + ethernet(packet),
    242: lambda packet: bytes(40) + struct.pack(">HH", kind_of(packet), 0) + packet,
    258: lambda packet: struct.pack("<III", 108, 1, 1) + bytes(96) + ethernet(packet),
    276: lambda packet: struct.pack(">HHIHBB8s", kind_of(packet), 0, 2, 1, 0, 6, bytes(8)) + packet,
}  # fmt: skip
KNOWN: Final = sorted({link for name, link in vars(dpkt.pcap).items() if name.startswith("DLT_")})


def told(data: bytes) -> tuple[list[Payload], dict[str, int]]:
    capture = Capture(data)
    found = list(capture.payloads())
    return found, dict(capture.dropped)


def replay(*files: Path) -> Result:
    return CliRunner().invoke(cli.main, ["replay", *map(str, files), "--station", "1501"])


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# --- kinds of networks
@pytest.mark.parametrize("name", ["ethernet", "cooked-v1", "cooked-v2"])
def test_the_same_call_of_three_kinds(name: str) -> None:
    result = replay(CASES / f"{name}.pcap")
    assert result.exit_code == 0
    assert "1 appel(s)" in result.stdout
    assert "+33612345678  terminé" in result.stdout
    assert "décroché    3.0 s" in result.stdout


@pytest.mark.parametrize("link", [*KNOWN, 278, 999, 65000])
@pytest.mark.parametrize("ends", [(TRUNK, PBX), V6], ids=["v4", "v6"])
def test_each_kind_is_read_or_refused(
    tmp_path: Path, link: int, ends: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    """Every kind dpkt knows and three it does not: never read as Ethernet, never silently empty."""
    sent = [(at, *(ends if src == TRUNK else ends[::-1]), data) for at, src, _, data in CALL]
    frame = FRAMES.get(link, ethernet)
    data = pcap(link, [(at, frame(packet)) for at, packet in packets(sent)])
    assert is_read(link) is (link in FRAMES)
    if link in FRAMES:
        payloads, dropped = told(data)
        assert [(each.src, each.dst, each.data) for each in payloads] == [each[1:] for each in sent]
        assert [each.at - T0 for each in payloads] == [timedelta(seconds=at) for at, *_ in sent]
        assert not dropped
        return
    result = replay(write(tmp_path / "capture.pcap", data))
    assert result.exit_code == 1
    assert f"capture.pcap : type de liaison {link} non pris en charge" in result.stderr


@pytest.mark.parametrize("tags", [(0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100)])
def test_vlans(tags: tuple[int, ...]) -> None:
    frames = [(at, ethernet(packet, *tags)) for at, packet in packets(CALL)]
    assert len(told(pcap(1, frames))[0]) == 3


@pytest.mark.parametrize("more", [1, 113])
def test_a_capture_of_several_interfaces_is_read_by_each_one_s_kind(
    tmp_path: Path, more: int
) -> None:
    """An interface of another kind, of which nothing can be read, is counted and hides nothing."""
    (_, first), (_, second), (_, third) = packets(CALL)
    data = b"".join(
        [
            section(),
            interface(276),
            interface(147),
            interface(more),
            enhanced(0, 0, FRAMES[276](first)),
            enhanced(1, 1, ethernet(second)),
            enhanced(2, 3.25, FRAMES[more](second)),
            section(">"),  # another program went on with it
            interface(12, struct.pack(">HHB3xHHq", 9, 1, 9, 14, 8, 3600), ">"),
            enhanced(0, 30.5 - 3600, third, parts=10**9, order=">"),
        ]
    )
    payloads, dropped = told(data)
    assert [each.at for each in payloads] == [T0 + timedelta(seconds=at) for at, *_ in CALL]
    assert dropped == {"link_147": 1}
    result = replay(write(tmp_path / "several.pcapng", data))
    assert "1 appel(s)" in result.stdout
    assert "link_147 1" in result.stderr
    with pytest.raises(UnreadableError) as refused:
        read([write(tmp_path / "none.pcapng", section() + interface(147) + interface(195))])
    assert refused.value.links == (147, 195)


def test_an_interface_that_cannot_be_read_keeps_its_place() -> None:
    """Else each later one would be taken for the next, and its packets for another kind of network."""
    (_, first), (_, second), _ = packets(CALL)
    offset_too_short = struct.pack("<HHI", 14, 4, 0)
    data = b"".join(
        [
            section(),
            interface(195, offset_too_short),
            interface(1),
            interface(276),
            enhanced(0, 0, ethernet(first)),
            enhanced(1, 1, ethernet(first)),
            enhanced(2, 2, FRAMES[276](second)),
        ]
    )
    payloads, dropped = told(data)
    assert [each.at - T0 for each in payloads] == [timedelta(seconds=1), timedelta(seconds=2)]
    assert [each.data for each in payloads] == [INVITE, OK]
    assert dropped == {"frame": 2}, "the interface, and its packet"


def test_a_packet_without_a_time_is_counted() -> None:
    frame = ethernet(packets(CALL)[0][1])
    data = section() + interface(1) + block(3, struct.pack("<I", len(frame)) + frame)
    assert told(data) == ([], {"undated": 1})


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_times(order: str, nano: bool) -> None:  # noqa: FBT001
    frames = [(at, ethernet(packet)) for at, packet in packets(CALL)]
    payloads, _ = told(pcap(1, frames, order=order, nano=nano))
    assert [each.at for each in payloads] == [T0 + timedelta(seconds=at) for at, *_ in CALL]


# --- what is missing
def test_a_file_cut_short_says_so(tmp_path: Path) -> None:
    frames = [(at, ethernet(packet)) for at, packet in packets(CALL)]
    for data in (
        pcap(1, frames),
        section() + interface(1) + b"".join(enhanced(0, at, f) for at, f in frames),
    ):
        payloads, dropped = told(data[:-10])
        assert (len(payloads), dropped) == (2, {"truncated": 1})
        result = replay(write(tmp_path / "cut", data[:-10]))
        assert "fin non entendue" not in result.stdout
        assert "en conversation" in result.stdout
        assert "truncated : fichier coupé avant sa fin" in result.stderr


def test_messages_cut_by_the_capture_are_not_half_believed() -> None:
    frames = [(at, ethernet(packet)) for at, packet in packets(CALL)]
    payloads, dropped = told(pcap(1, frames, kept=300))
    assert [each.data for each in payloads] == [BYE]
    assert dropped == {"cut": 2}


def fragmented(
    order: Sequence[int], ends: tuple[tuple[str, int], tuple[str, int]]
) -> list[tuple[float, bytes]]:
    """Send the INVITE in three fragments."""
    whole = udp(*ends, INVITE)
    cuts = [(0, 80), (80, 160), (160, len(whole))]
    found = []
    for which in order:
        first, last = cuts[which]
        more = last < len(whole)
        if ends[0] == TRUNK:
            found.append(ip(*ends, whole[first:last], place=first // 8 | (more << 13)))
        else:
            head = struct.pack(">BxHI", 17, first | more, 99)
            found.append(ip(*ends, head + whole[first:last], kind=44))
    return [(0.0, ethernet(each)) for each in found]


@pytest.mark.parametrize("ends", [(TRUNK, PBX), V6], ids=["v4", "v6"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_fragments_are_put_together(
    order: tuple[int, ...], ends: tuple[tuple[str, int], tuple[str, int]]
) -> None:
    payloads, dropped = told(pcap(1, fragmented(order, ends)))
    assert [each.data for each in payloads] == [INVITE]
    assert not dropped
    assert told(pcap(1, fragmented(order[:2], ends))) == ([], {"fragment": 1})


def test_a_datagram_of_very_many_fragments_is_joined_once() -> None:
    """Each arrival must not join anew what came before: that work grows with the square."""
    whole = udp(TRUNK, PBX, INVITE + bytes(40_000))
    last = len(whole) // 8
    pieces = [
        ip(TRUNK, PBX, whole[at * 8 : at * 8 + 8], place=at | (at < last) << 13)
        for at in range(last + 1)
    ]
    frames = [(0.0, ethernet(each)) for each in pieces]
    begun = time.process_time()
    payloads, dropped = told(pcap(1, frames))
    assert [each.data[: len(INVITE)] for each in payloads] == [INVITE]
    assert not dropped
    assert told(pcap(1, frames[:-1])) == ([], {"fragment": 1})
    assert time.process_time() - begun < 2


def test_fragments_that_overlap_are_no_datagram() -> None:
    """RFC 5722, and RFC 1858 for IPv4: what is told twice and differently is not believed."""
    whole = udp(TRUNK, PBX, INVITE)
    overlapping = [(0, 96, 0x2000), (80, len(whole), 80 // 8)]
    frames = [
        (0.0, ethernet(ip(TRUNK, PBX, whole[first:last], place=place)))
        for first, last, place in overlapping
    ]
    assert told(pcap(1, frames)) == ([], {"fragment": 1})


# --- SIP over TCP
def segments(
    data: bytes, sizes: Sequence[int], begin: int = 2**32 - 50
) -> list[tuple[float, bytes]]:
    """Send bytes in segments of these sizes; the count of bytes passes its end on the way."""
    found, at = [], 0
    for place, size in enumerate((*sizes, len(data))):
        part = data[at : at + size]
        tcp = struct.pack(">HHIIBBHHH", 5060, 5060, (begin + at) % 2**32, 0, 0x50, 0x18, 0, 0, 0)
        found.append((float(place), ethernet(ip(TRUNK, PBX, tcp + part, kind=6))))
        at += size
    return found


STREAM: Final = INVITE + b"\r\n\r\n" + OK + BYE


@given(st.lists(st.integers(1, 400), max_size=8), st.booleans())
def test_a_stream_is_cut_into_its_messages(sizes: list[int], twice: bool) -> None:  # noqa: FBT001
    """Whatever the segments; a retransmission changes nothing."""
    frames = segments(STREAM, [64, *sizes])
    frames = [each for each in frames for _ in range(1 + twice)]
    payloads, dropped = told(pcap(1, frames))
    assert [each.data for each in payloads] == [INVITE, OK, BYE]
    assert not dropped


def test_segments_out_of_order() -> None:
    frames = segments(STREAM, [200] * 4)
    swapped = [frames[0], frames[2], frames[1], *frames[3:]]
    payloads, dropped = told(pcap(1, swapped))
    assert [each.data for each in payloads] == [INVITE, OK, BYE]
    assert not dropped


def test_a_lost_segment_is_told_and_what_follows_is_read() -> None:
    calls = [message("INVITE sip:1501@pbx SIP/2.0", "1 INVITE", call=f"c{n}") for n in range(30)]
    frames = segments(b"".join(calls), [len(each) for each in calls[:-1]])
    payloads, dropped = told(pcap(1, [*frames[:3], *frames[4:]]))
    assert [each.data for each in payloads] == [*calls[:3], *calls[4:]]
    assert [(each.at - T0).total_seconds() for each in payloads[:4]] == [0, 1, 2, 4]
    assert dropped == {"tcp_gap": 1}
    payloads, dropped = told(pcap(1, [*frames[:3], *frames[4:9]]))
    assert [each.data for each in payloads] == [*calls[:3], *calls[4:9]], (
        "at the end of the file too"
    )


@pytest.mark.parametrize("flag", [0x02, 0x04], ids=["syn", "rst"])
def test_what_waits_behind_a_gap_is_read_when_its_connection_ends(flag: int) -> None:
    calls = [message("INVITE sip:1501@pbx SIP/2.0", "1 INVITE", call=f"c{n}") for n in range(6)]
    frames = segments(b"".join(calls), [len(each) for each in calls[:-1]])
    ended = struct.pack(">HHIIBBHHH", 5060, 5060, 7, 0, 0x50, flag, 0, 0, 0)
    payloads, dropped = told(
        pcap(1, [*frames[:3], *frames[4:], (9.0, ethernet(ip(TRUNK, PBX, ended, kind=6)))])
    )
    assert [each.data for each in payloads] == [*calls[:3], *calls[4:]]
    assert dropped == {"tcp_gap": 1}


def test_a_connection_forgotten_for_others_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony.sources.replay.capture._KEPT", 1)
    calls = [message("INVITE sip:1501@pbx SIP/2.0", "1 INVITE", call=f"c{n}") for n in range(4)]
    frames = segments(b"".join(calls), [len(each) for each in calls[:-1]])
    tcp = struct.pack(">HHIIBBHHH", 5061, 5060, 1, 0, 0x50, 0x18, 0, 0, 0)
    other = (9.0, ethernet(ip(TRUNK, PBX, tcp + BYE, kind=6)))
    payloads, dropped = told(pcap(1, [*frames[:1], *frames[2:], other]))
    assert [each.data for each in payloads] == [calls[0], *calls[2:], BYE]
    assert dropped == {"tcp_gap": 1}


def test_what_is_no_sip_is_passed_over() -> None:
    tls = segments(b"\x16\x03\x01" + bytes(500), [100])
    web = segments(b"GET / HTTP/1.1\r\n\r\n", [])
    arp = (0.0, b"\xff" * 12 + b"\x08\x06" + bytes(28))
    icmp = (0.0, ethernet(ip(TRUNK, PBX, b"\x08\0\0\0", kind=1)))
    assert told(pcap(1, [*tls, *web, arp, icmp])) == ([], {})


@given(st.binary(max_size=300), st.sampled_from(sorted(FRAMES)))
def test_no_file_breaks_it(data: bytes, link: int) -> None:
    for whole in (
        data,
        pcap(link, [(0.0, data)]),
        section() + interface(link) + enhanced(0, 0, data),
        section() + block(1, data) + block(6, data) + data,
    ):
        if whole[:4] in {section()[:4], pcap(1, [])[:4]}:
            try:
                told(whole)
            except NoReadableInterfaceError:
                continue


# --- clocks
def shifted(path: Path, sent: Iterable[Sent], seconds: float) -> Path:
    frames = [(at + seconds, ethernet(packet)) for at, packet in packets(sent)]
    return write(path, pcap(1, frames))


DAY: Final = 86_400.0


@pytest.mark.parametrize("seconds", [DAY, -DAY, 3600.0])
def test_two_captures_of_a_call_whose_clocks_differ(tmp_path: Path, seconds: float) -> None:
    """One call of half a minute, not of a day; and who is off is said."""
    right = shifted(tmp_path / "right.pcap", CALL, 0)
    wrong = shifted(tmp_path / "wrong.pcap", CALL, seconds)
    result = replay(right, wrong)
    assert "1 appel(s)" in result.stdout
    assert "fin         30.5 s" in result.stdout
    assert f"wrong.pcap {'avance' if seconds > 0 else 'retarde'} de" in result.stderr
    assert f"editcap -t {-int(seconds)}" in result.stderr
    assert "clock 3" in result.stderr
    same = replay(right, shifted(tmp_path / "same.pcap", CALL, 0.02))
    assert "Horloges" not in same.stderr


@pytest.mark.parametrize("seconds", [DAY, -DAY])
def test_one_capture_of_each_direction(tmp_path: Path, seconds: float) -> None:
    asked = shifted(tmp_path / "asked.pcap", [CALL[0], CALL[2]], 0)
    answered = shifted(tmp_path / "answered.pcap", [CALL[1]], seconds)
    result = replay(asked, answered)
    assert "answered.pcap" in result.stderr
    assert "fin         30.5 s" in result.stdout
    fine = replay(asked, shifted(tmp_path / "fine.pcap", [CALL[1]], 0))
    assert "Horloges" not in fine.stderr
    assert "décroché    3.2 s" in fine.stdout


def test_two_agents_in_one_file(tmp_path: Path) -> None:
    lines = []
    for agent, shift in ((2001, 0.0), (2002, DAY)):
        for at, src, dst, data in CALL:
            packet = hep.HepPacket(src, dst, T0 + timedelta(seconds=at + shift), data)
            raw = hep.encode(replace(packet, capture_id=agent))
            lines.append(json.dumps({"hep3_b64": base64.b64encode(raw).decode()}))
    result = replay(write(tmp_path / "hep.jsonl", "\n".join(lines).encode()))
    assert "fin         30.5 s" in result.stdout
    assert "hep.jsonl, agent 2002 avance de 1 j" in result.stderr


def test_a_capture_that_was_rotated_is_one_call(tmp_path: Path) -> None:
    begun = shifted(tmp_path / "1.pcap", CALL[:2], 0)
    ended = shifted(tmp_path / "2.pcap", CALL[2:], 3 * 3600)
    result = replay(begun, ended)
    assert "Horloges" not in result.stderr
    assert "1 appel(s)" in result.stdout


def test_a_manager_stream_of_another_day(tmp_path: Path) -> None:
    traces = Path(__file__).parents[2] / "traces" / "asterisk-22-attended_transfer"
    moved = []
    for line in (traces / "hep.jsonl").read_text().splitlines():
        packet = hep.decode(base64.b64decode(json.loads(line)["hep3_b64"]))
        raw = hep.encode(replace(packet, time=packet.time + timedelta(days=1)))
        moved.append(json.dumps({"hep3_b64": base64.b64encode(raw).decode()}))
    late = write(tmp_path / "late.jsonl", "\n".join(moved).encode())
    assert "Horloges" not in replay(traces).stderr
    result = replay(traces / "ami.txt", late)
    assert "late.jsonl avance de 1 j" in result.stderr
    assert "86" not in "".join(line for line in result.stdout.splitlines() if "fin  " in line)
