"""Whether bytes from a stranger are one plain JPEG, and the same without what is not picture. Pure, one walk.

A photograph carries where it was taken (EXIF) and anything else its maker liked: every application and comment
segment is cut out. What is no JPEG as a browser's canvas writes it is refused. Source of the form: ITU-T T.81, annex B.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from server.video.errors import PictureMalformed, PictureTooLarge

MAX_SIDE: Final = 2_048  # pixels: what a desk's screen shows, and no more than 16 MB once decoded
MAX_SEGMENTS: Final = 256  # a progressive JPEG has some thirty
MAX_SCANS: Final = 64  # each scan is a pass over the whole picture when it is decoded
EOI, SOS = 0xD9, 0xDA
_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive; all by Huffman
_TABLES: Final = frozenset({0xC4, 0xDB, 0xDD})  # DHT, DQT, DRI
_CUT: Final = frozenset({*range(0xE0, 0xF0), 0xFE})  # APPn, COM
_KNOWN: Final = _FRAMES | _TABLES | _CUT | {SOS}
_FRAME_HEAD: Final = 6  # precision, height, width, number of components
_LENGTH: Final = 2  # a segment's length counts its own two bytes
# In a scan, FF is followed by 0 (stuffed) or RSTn; the first other marker ends it. FF FF is fill.
_MARKER: Final = re.compile(rb"\xff++([^\x00\xd0-\xd7\xff])", re.DOTALL)
# Without the fill before it: searched for with it, a run of FF would be walked from each of its bytes.
_NEXT: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Jpeg:
    """A picture that may be shown: its bytes without metadata, and its size in pixels."""

    data: bytes
    width: int
    height: int


def clean(data: bytes, limit: int) -> Jpeg:
    """Return the picture without its metadata, or raise why it is none; `limit` in bytes."""
    if len(data) > limit:
        raise PictureTooLarge("bytes")
    if not data.startswith(b"\xff\xd8"):
        raise PictureMalformed("start")
    kept: list[bytes] = [data[:2]]
    sizes: list[tuple[int, int]] = []
    scans = 0
    for marker, segment in _segments(data):
        if marker == SOS:
            scans += 1
        elif marker in _FRAMES:
            sizes.append(_size(segment))
        if len(sizes) != 1 and (sizes or scans):
            raise PictureMalformed("frames")
        if marker not in _CUT:
            kept.append(segment)
    if not 0 < scans <= MAX_SCANS:
        raise PictureMalformed("scans")
    return Jpeg(b"".join([*kept, b"\xff\xd9"]), *sizes[0])


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each marker with its whole segment, a scan with its data, up to the end of picture and file."""
    at = 2
    for _ in range(MAX_SEGMENTS):
        marker, body = _marker(data, at)
        if marker == EOI:
            if body != len(data):
                raise PictureMalformed("end")
            return
        if marker not in _KNOWN:
            raise PictureMalformed("marker")
        end = _end(data, body)
        at = _scan(data, end) if marker == SOS else end
        yield marker, b"\xff" + data[body - 1 : at]
    raise PictureMalformed("segments")


def _marker(data: bytes, at: int) -> tuple[int, int]:
    """Return the marker at this place, and where its segment begins."""
    found = _MARKER.match(data, at)
    if found is None:
        raise PictureMalformed("truncated")
    return found.group(1)[0], found.end()


def _end(data: bytes, body: int) -> int:
    """Return the end of the segment whose length stands at `body`."""
    length = int.from_bytes(data[body : body + _LENGTH], "big")
    if length < _LENGTH or body + length > len(data):
        raise PictureMalformed("truncated")
    return body + length


def _scan(data: bytes, start: int) -> int:
    """Return the end of the entropy-coded data that begins at `start`."""
    found = _NEXT.search(data, start)
    if found is None:
        raise PictureMalformed("truncated")
    return start + len(data[start : found.start()].rstrip(b"\xff"))


def _size(segment: bytes) -> tuple[int, int]:
    """Return width and height of a frame header: eight bits, grey or three components."""
    head = segment[2 + _LENGTH :]
    if len(head) < _FRAME_HEAD:
        raise PictureMalformed("frame")
    precision, components = head[0], head[5]
    height, width = int.from_bytes(head[1:3], "big"), int.from_bytes(head[3:5], "big")
    if precision != 8 or components not in {1, 3}:  # noqa: PLR2004 - T.81, B.2.2
        raise PictureMalformed("frame")
    if len(head) != _FRAME_HEAD + 3 * components:
        raise PictureMalformed("frame")
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise PictureTooLarge("pixels")
    return width, height
