"""The event-socket decoder against a stream cut anywhere, and against one that means harm."""

from __future__ import annotations

import random

import pytest

from telephony.sources.esl.codec import (
    MAX_BODY,
    MAX_EVENT,
    MAX_FIELDS,
    MAX_HEADERS,
    MAX_LINE,
    EslDecoder,
    channels,
    dumped,
)
from tests.telephony.traces import MORE

STREAM = (MORE / "freeswitch-1.10-conference_two_calls" / "esl.txt").read_bytes()
GOOD = b"Content-Type: auth/request\n\n"


def event(body: bytes) -> bytes:
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(body), body)


def test_a_stream_cut_anywhere_gives_the_same_messages() -> None:
    whole = EslDecoder().feed(STREAM)
    assert len(whole) == 60
    assert whole[0].reply == "+OK event listener enabled plain"
    assert sum(message.event == "CUSTOM" for message in whole) == 20
    rng = random.Random(15)
    decoder, found, at = EslDecoder(), [], 0
    while at < len(STREAM):
        size = rng.choice((1, 2, 7, 100, 1448))
        found += decoder.feed(STREAM[at : at + size])
        at += size
    assert found == whole
    assert not decoder.rejected


def test_values_are_decoded_once() -> None:
    (message,) = EslDecoder().feed(event(b"Event-Name: X\nA: %2B33%2525%0D%0AEvent-Name: Y\n\n"))
    assert (message.event, message.get("A")) == ("X", "+33%25\r\nEvent-Name: Y")
    assert message.get("absent") == ""


def test_answers_have_bodies() -> None:
    reply = b"Content-Type: api/response\nContent-Length: 4\n\nUP 1"
    notice = b"Content-Type: text/disconnect-notice\nContent-Length: 5\n\nbye!\n"
    found = EslDecoder().feed(GOOD + reply + b"\n\n" + notice)
    assert [(m.kind, m.body) for m in found] == [
        ("auth/request", ""),
        ("api/response", "UP 1"),
        ("text/disconnect-notice", "bye!\n"),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"A: " + b"x" * (MAX_LINE + 1) + b"\n\n", "line_too_long"),
        (b"x" * (3 * MAX_LINE) + b"\n\n", "line_too_long"),
        (b"A: b\n" * (MAX_HEADERS + 1) + b"\n", "too_many_lines"),
        (b"A: b\n\n", "no_content_type"),
        (b"Content-Length: -1\nContent-Type: api/response\n\n", "content_length"),
        ("Content-Length: ٣\nContent-Type: x\n\n".encode(), "content_length"),
        (b"Content-Length: " + b"9" * 4000 + b"\nContent-Type: x\n\n", "content_length"),
        (event(b"x" * (MAX_EVENT + 1)), "body_too_large"),
        (event(b"A: b\n" * (MAX_FIELDS + 1)), "too_many_fields"),
        (event(b"A: b\n\n"), "no_event"),
        (event(b"\xff\xfe\x00\n"), "no_event"),
    ],
)
def test_what_is_over_a_limit_is_counted_and_the_stream_goes_on(data: bytes, reason: str) -> None:
    for size in (len(data) + len(GOOD), 1000):
        decoder, found, stream = EslDecoder(), [], data + GOOD
        for at in range(0, len(stream), size):
            found += decoder.feed(stream[at : at + size])
        assert [message.kind for message in found] == ["auth/request"]
        assert dict(decoder.rejected) == {reason: 1}


def test_a_giant_body_is_never_kept() -> None:
    decoder = EslDecoder()
    decoder.feed(b"Content-Length: 999999999999\nContent-Type: api/response\n\n")
    for _ in range(100):
        assert decoder.feed(b"x" * 65536) == []
        assert len(decoder._rest) == 0
    assert dict(decoder.rejected) == {"body_too_large": 1}
    assert MAX_BODY < 16 * 1024 * 1024


def test_garbage_never_raises() -> None:
    rng = random.Random(37)
    for _ in range(200):
        decoder = EslDecoder()
        decoder.feed(rng.randbytes(3000))
        broken = bytearray(STREAM[:20000])
        for _ in range(20):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        decoder.feed(bytes(broken))


def test_answers_that_are_not_what_was_asked_mean_nothing() -> None:
    assert channels('{"row_count":0}') == ()
    assert channels('{"row_count":2,"rows":[{"uuid":"a"},{"uuid":7},4]}') == ("a",)
    deep = "[" * 100_000
    for bad in ("", "-ERR no\n", "[]", '{"rows":[]}', '{"row_count":1,"rows":{}}', deep):
        assert channels(bad) is None
    for bad in ("", "-ERR No such channel!\n", "[]", "{}", '{"Unique-ID":7}', deep):
        assert dumped(bad) is None
    message = dumped(
        '{"Event-Name":"CHANNEL_DATA","Unique-ID":"a","X":"100%25","Y":3,"Z":["a",7,"b"]}'
    )
    assert message is not None
    assert (message.event, message.get("x"), message.get("y")) == ("CHANNEL_DATA", "100%25", "")
    assert message.get("z") == "ARRAY::a|:b"
