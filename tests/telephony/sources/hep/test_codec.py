"""HEP3: what capture agents send is read, what lies is refused with a reason to count."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from socket import AF_INET6, inet_ntop

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sources.hep.codec import HepDecodeError, HepPacket, decode, encode
from telephony.sources.replay.feed import PACKAGED, packaged_trace

NOW = datetime(2026, 11, 22, 18, 45, 36, 517000, tzinfo=UTC)
PACKET = HepPacket(
    ("127.0.0.2", 25070), ("127.0.0.1", 25060), NOW, b"OPTIONS sip:x SIP/2.0\r\n\r\n"
)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.binary(min_size=16, max_size=16).map(lambda raw: inet_ntop(AF_INET6, raw))
PORTS = st.integers(0, 65535)
TEXTS = st.text(st.characters(codec="ascii", min_codepoint=33), max_size=30)


def packets() -> st.SearchStrategy[HepPacket]:
    ends = st.one_of(
        st.tuples(st.tuples(IPV4, PORTS), st.tuples(IPV4, PORTS)),
        st.tuples(st.tuples(IPV6, PORTS), st.tuples(IPV6, PORTS)),
    )
    return ends.flatmap(
        lambda both: st.builds(
            HepPacket,
            src=st.just(both[0]),
            dst=st.just(both[1]),
            time=st.datetimes(
                datetime(1970, 1, 1),  # noqa: DTZ001 -- the zone is given apart
                datetime(2106, 1, 1),  # noqa: DTZ001 -- same
                timezones=st.just(UTC),
            ),
            payload=st.binary(max_size=2000),
            protocol=st.integers(0, 255),
            transport=st.integers(0, 255),
            capture_id=st.integers(0, 2**32 - 1),
            auth_key=st.none() | st.binary(max_size=40),
            correlation_id=TEXTS,
            node_name=TEXTS,
        )
    )


@given(packets())
def test_what_is_written_reads_back(packet: HepPacket) -> None:
    assert decode(encode(packet)) == packet


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda data: b"HEP3" + data))
def test_garbage_raises_only_the_declared_error(data: bytes) -> None:
    with pytest.raises(HepDecodeError) as caught:
        decode(data)
    assert caught.value.reason


@given(packets(), st.data())
def test_damage_raises_only_the_declared_error(packet: HepPacket, data: st.DataObject) -> None:
    damaged = bytearray(encode(packet))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(damaged))
    except HepDecodeError as error:
        assert error.reason  # noqa: PT017 -- decoding may also succeed


@given(packets(), st.data())
def test_a_truncated_packet_is_refused(packet: HepPacket, data: st.DataObject) -> None:
    whole = encode(packet)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(HepDecodeError):
        decode(whole[:cut])


def chunk(kind: int, value: bytes, *, length: int | None = None, vendor: int = 0) -> bytes:
    size = len(value) + 6 if length is None else length
    return struct.pack("!HHH", vendor, kind, size) + value


def wrap(*chunks: bytes) -> bytes:
    body = b"".join(chunks)
    return b"HEP3" + struct.pack("!H", len(body) + 6) + body


ADDRESSES = [
    chunk(1, b"\x02"),
    chunk(3, b"\x7f\0\0\2"),
    chunk(4, b"\x7f\0\0\1"),
    chunk(7, b"\x13\xc4"),
    chunk(8, b"\x13\xc4"),
    chunk(9, b"\x6a\0\0\0"),
    chunk(11, b"\x01"),
]
PAYLOAD = chunk(15, b"x")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_hep3"),
        (b"HEP3", "truncated"),
        (b"\x01\x10" + bytes(40), "not_hep3"),
        (wrap(*ADDRESSES, PAYLOAD) + b"more", "trailing_bytes"),
        (wrap(*ADDRESSES, PAYLOAD)[:-1], "truncated"),
        (wrap(*ADDRESSES), "no_payload"),
        (wrap(*ADDRESSES, chunk(16, b"x")), "compressed"),
        (wrap(*ADDRESSES[:-1], PAYLOAD), "missing_chunk"),
        (wrap(*ADDRESSES[1:2], PAYLOAD), "missing_chunk"),
        (wrap(chunk(3, b"\x7f\0\0"), PAYLOAD), "chunk_size"),
        (wrap(chunk(15, b"x", length=5)), "chunk_length"),
        (wrap(chunk(15, b"x", length=0)), "chunk_length"),
        (wrap(chunk(15, b"x", length=65535)), "chunk_length"),
        (wrap(*ADDRESSES, PAYLOAD, b"\0\0\0"), "chunk_length"),
        (wrap(*ADDRESSES, chunk(10, b"\xff\xff\xff\xff"), PAYLOAD), "time"),
    ],
)
def test_each_lie_has_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(HepDecodeError) as caught:
        decode(data)
    assert caught.value.reason == reason


def test_chunks_of_vendors_are_skipped() -> None:
    packet = decode(wrap(chunk(15, b"vendor's own", vendor=3), *ADDRESSES, PAYLOAD))
    assert packet.payload == b"x"


def test_a_packet_too_large_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="larger"):
        encode(HepPacket(PACKET.src, PACKET.dst, NOW, bytes(65530)))


def test_neither_payload_nor_key_is_printed() -> None:
    packet = HepPacket(PACKET.src, PACKET.dst, NOW, b"+33612345678", auth_key=b"s3cret")
    assert "33612345678" not in repr(packet)
    assert "s3cret" not in repr(packet)


def test_real_captures_are_read() -> None:
    packets = [packet for name in PACKAGED for packet in packaged_trace(name).packets]
    assert {packet.protocol for packet in packets} == {1, 5}
    assert {packet.node_name for packet in packets} == {"samu37"}
    assert all(packet.correlation_id for packet in packets)
    assert packets[0].time == NOW
    assert packets[1].time - packets[0].time < timedelta(seconds=1)
