"""What strangers send as a picture: cleaned of everything but the picture, or refused by its code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.core.errors import AppError
from server.protocol.errors import MessageMalformed
from server.video.domain.jpeg import MAX_SCANS, MAX_SEGMENTS, MAX_SIDE, clean
from server.video.domain.stills import OLDEST, read, taken_at
from server.video.errors import PictureMalformed, PictureTooLarge
from tests.pictures import EOI, SOI, decoded, jpeg, segment, still, with_place

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 61_440
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
PICTURE = jpeg()
FRAME = PICTURE.index(b"\xff\xc0")


def segments(picture: bytes) -> Iterator[int]:
    """Where each segment before the first scan begins, by a reader of its own."""
    at = 2
    while True:
        yield at
        if picture[at + 1] == 0xDA:
            return
        at += 2 + int.from_bytes(picture[at + 2 : at + 4], "big")


PLACES = list(segments(PICTURE))
SCAN = PICTURE[PLACES[-1] : PLACES[-1] + 14]


def sized(width: int, height: int) -> bytes:
    """The same bytes under another size."""
    head = bytes((8,)) + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return PICTURE[: FRAME + 4] + head + PICTURE[FRAME + 4 + len(head) :]


def test_a_picture_keeps_its_pixels_and_loses_what_tells_of_its_place() -> None:
    found = clean(with_place(PICTURE), LIMIT)
    assert (found.width, found.height) == decoded(found.data) == (64, 48)
    assert b"GPS" not in found.data
    assert b"Lavc" in PICTURE
    assert b"Lavc" not in found.data, "comments go too"
    assert not any(bytes((0xFF, marker)) in found.data[:20] for marker in range(0xE0, 0xF0))
    assert clean(found.data, LIMIT) == found, "what was cleaned is clean"


@given(
    place=st.sampled_from(PLACES),
    marker=st.sampled_from([*range(0xE0, 0xF0), 0xFE]),
    body=st.binary(max_size=600),
    fill=st.integers(0, 3),
)
def test_whatever_is_hidden_between_the_segments_is_cut_out(
    place: int, marker: int, body: bytes, fill: int
) -> None:
    hidden = b"\xff" * fill + segment(marker, body)
    assert clean(PICTURE[:place] + hidden + PICTURE[place:], LIMIT) == clean(PICTURE, LIMIT)


@given(st.binary(max_size=2_000))
@example(b"")
@example(SOI)
@example(SOI + EOI)
@example(SOI + b"\xff" * 50_000)
@example(SOI + b"\xff\xda" * 30_000)
@example(SOI + segment(0xE1, b"") * (MAX_SEGMENTS + 1) + EOI)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    for one in (data, SOI + data, PICTURE + data if data else b"", PICTURE[:-2] + data):
        try:
            found = clean(one, LIMIT)
        except (PictureMalformed, PictureTooLarge):
            continue
        assert found.data.startswith(SOI)
        assert found.data.endswith(EOI)
        assert clean(found.data, LIMIT) == found


@given(st.data())
def test_a_picture_that_was_tampered_with_is_cleaned_or_refused(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(PICTURE) - 1))
    other = data.draw(st.binary(max_size=8))
    try:
        found = clean(PICTURE[:at] + other + PICTURE[at + len(other) :], LIMIT)
    except (PictureMalformed, PictureTooLarge):
        return
    assert 0 < found.width <= MAX_SIDE
    assert 0 < found.height <= MAX_SIDE


@given(st.integers(0, len(PICTURE) - 1))
def test_half_a_picture_is_none(end: int) -> None:
    with pytest.raises(PictureMalformed):
        clean(PICTURE[:end], LIMIT)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GIF89a" + PICTURE, PictureMalformed),
        (b"\x89PNG\r\n\x1a\n", PictureMalformed),
        (PICTURE + b"<script>", PictureMalformed),
        (PICTURE + PICTURE, PictureMalformed),
        (PICTURE[:FRAME] + PICTURE[FRAME : FRAME + 19] + PICTURE[FRAME:], PictureMalformed),
        (SOI + PICTURE[PLACES[-1] :], PictureMalformed),  # a scan without its frame
        (PICTURE[: PLACES[-1]] + EOI, PictureMalformed),  # a frame without a scan
        (PICTURE.replace(b"\xff\xc0", b"\xff\xc3", 1), PictureMalformed),  # lossless
        (PICTURE.replace(b"\xff\xc0", b"\xff\xc9", 1), PictureMalformed),  # arithmetic
        (SOI + segment(0xDC, b"\0\1") + PICTURE[2:], PictureMalformed),  # its height afterwards
        (PICTURE[:-2] + SCAN * MAX_SCANS + EOI, PictureMalformed),
        (sized(0, 48), PictureTooLarge),
        (sized(64, 0), PictureTooLarge),
        (sized(MAX_SIDE + 1, 48), PictureTooLarge),
        (sized(65_535, 65_535), PictureTooLarge),
        (b"\xff" * (LIMIT + 1), PictureTooLarge),
    ],
)
def test_the_known_tricks(data: bytes, kind: type[AppError]) -> None:
    with pytest.raises(kind):
        clean(data, LIMIT)


def test_the_largest_picture_is_one() -> None:
    assert clean(sized(MAX_SIDE, MAX_SIDE), LIMIT).width == MAX_SIDE


# --- the frame around it ---------------------------------------------------------------------------
MILLIS = int(NOW.timestamp() * 1000)


def test_a_still_tells_when_it_was_taken() -> None:
    found = read(still(7, MILLIS - 1_500, PICTURE), NOW)
    assert (found.seq, NOW - found.taken) == (7, timedelta(seconds=1.5))


@given(st.integers(0, 2**64 - 1))
def test_no_still_is_from_the_future_and_none_is_very_old(millis: int) -> None:
    try:
        taken = taken_at(millis, NOW)
    except MessageMalformed:
        assert MILLIS - millis > OLDEST / timedelta(milliseconds=1)
        return
    assert NOW - OLDEST <= taken <= NOW


@given(st.binary(max_size=40))
@example(still(1, MILLIS, PICTURE, kind=2))
@example(still(1, MILLIS, b""))
@example(still(1, 0, PICTURE))
def test_no_other_binary_frame_is_read(frame: bytes) -> None:
    with pytest.raises(AppError):
        read(frame, NOW)


@pytest.mark.parametrize("after", [b"\x00", b""], ids=["stuffed", "fill"])
def test_a_long_run_of_fill_in_a_scan_is_walked_once(after: bytes) -> None:
    """Walked from each of its bytes it would hold the server's only loop for a quarter of an hour."""
    end = len(PICTURE) - len(EOI)
    run = b"\xff" * 250_000 + after
    plain = clean(PICTURE, LIMIT).data.removesuffix(EOI)
    found = clean(PICTURE[:end] + run + PICTURE[end:], 262_144)
    assert found.data == plain + (run if after else b"") + EOI
