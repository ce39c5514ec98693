"""Which call a recording is of, where its sound begins, and which part of a file is meant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.line15.domain.calls import CallSummary
from server.recordings.domain.byte_ranges import ByteRange, RangeNotSatisfiable, part_of
from server.recordings.domain.recordings import (
    Recording,
    RecordingCertainty,
    first_sound,
    judge,
    media_type,
    suffix,
)

START = datetime(2026, 11, 22, 18, 45, 36, tzinfo=UTC)


def call(id_: str, started: float = 0, lasted: float | None = 60) -> CallSummary:
    begun = START + timedelta(seconds=started)
    ended = None if lasted is None else begun + timedelta(seconds=lasted)
    return CallSummary(id_, "s", None, "ended", begun, begun, ended, end_certain=True, certain=True)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_name_is_sure_a_number_never() -> None:
    one = call("a")
    assert judge(at(1), 1, [one], []).sureness is RecordingCertainty.CERTAIN
    assert judge(None, 1, [one], []).calls == ("a",)
    supposed = judge(at(1), 1, [], [one])
    assert (supposed.sureness, supposed.calls) == (RecordingCertainty.INFERRED, ("a",))


def test_a_name_used_twice_counts_for_the_time_it_was_used() -> None:
    early, late = call("a"), call("b", started=3600)
    assert judge(at(3601), 1, [early, late], []).calls == ("b",)
    both = judge(None, 1, [early, late], [])
    assert (both.sureness, both.calls) == (RecordingCertainty.OFFERED, ("a", "b"))
    assert judge(at(9000), 1, [early], [call("c", started=8999)]).calls == ()


def test_two_calls_of_a_number_are_only_offered() -> None:
    twice = [call("a"), call("b", started=30)]
    verdict = judge(at(31), 1, [], twice)
    assert (verdict.sureness, verdict.calls) == (RecordingCertainty.OFFERED, ("a", "b"))
    assert judge(at(500), 1, [], twice).calls == ()
    assert judge(None, 1, [], twice).calls == ()


def test_a_call_without_an_end_is_not_for_ever() -> None:
    endless = call("a", lasted=None)
    assert judge(at(3600), 1, [], [endless]).calls == ("a",)
    assert judge(at(13 * 3600), 1, [], [endless]).calls == ()


TOLD = Recording(
    "r",
    "s",
    "c",
    "ami",
    "k",
    "x.wav",
    START,
    at(6.8),
    6.0,
    0.5,
    RecordingCertainty.CERTAIN,
    "switchboard",
)


def test_the_sound_begins_with_the_answer() -> None:
    """The figures of the recorded Asterisk: told to record at ring, the file begins with the answer."""
    first, slack = first_sound(TOLD, at(0.81))
    assert abs((first - at(0.8)).total_seconds()) < 1e-6
    assert slack == 0.5


def test_what_nothing_explains_widens_the_doubt() -> None:
    gap = replace(TOLD, stopped=at(30))
    assert first_sound(gap, at(2)) == (at(24), 24)
    assert first_sound(replace(TOLD, stopped=at(5)), None) == (START, 1.0)
    assert first_sound(replace(TOLD, seconds=None), at(4)) == (START, 4.5)
    assert first_sound(replace(TOLD, stopped=None), None) == (START, 0.5)


@pytest.mark.parametrize(
    ("name", "type_", "end"),
    [
        ("/a/b.WAV", "audio/wav", "wav"),
        ("b.mp3", "audio/mpeg", "mp3"),
        ("b.opus", "audio/ogg", "opus"),
        ("b.gsm", "application/octet-stream", "gsm"),
        ("b.pcap", "application/octet-stream", "pcap"),
        ("b.html\r\nX: y", "application/octet-stream", "bin"),
        ("a.b/c", "application/octet-stream", "c"),
    ],
)
def test_what_a_browser_plays(name: str, type_: str, end: str) -> None:
    assert (media_type(name), suffix(name)) == (type_, end)


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, None),
        ("bytes=0-", ByteRange(0, 99)),
        ("bytes=10-19", ByteRange(10, 19)),
        ("bytes=90-1000", ByteRange(90, 99)),
        ("bytes=-10", ByteRange(90, 99)),
        ("bytes=-1000", ByteRange(0, 99)),
        ("Bytes = 0-0", ByteRange(0, 0)),
        ("bytes=0-1,5-6", None),
        ("bytes=9-1", None),
        ("bytes=-", None),
        ("lines=0-1", None),
        ("bytes=x-", None),
        ("bytes=\u0661-", None),
    ],
)
def test_parts(header: str | None, part: ByteRange | None) -> None:
    assert part_of(header, 100) == part


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-5", 0)]
)
def test_nothing_lies_there(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable):
        part_of(header, size)


@given(st.text(max_size=40), st.integers(0, 1000))
def test_a_part_lies_in_the_file(header: str, size: int) -> None:
    for asked in (header, f"bytes={header}"):
        try:
            part = part_of(asked, size)
        except RangeNotSatisfiable:
            continue
        assert part is None or 0 <= part.first <= part.last < size
