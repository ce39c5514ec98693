"""Smaller PNG files without a further program: the same pixels, deflated harder; a palette where one suffices."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
LIMIT: Final = 300_000
RGB: Final = 3


def shrink(path: Path) -> int:
    """Write the file again; return its size. Above the limit colours are rounded, which text survives."""
    width, height, rows = _read(path.read_bytes())
    best = _written(width, height, rows)
    for bits in (5, 4):
        if len(best) <= LIMIT:
            break
        table = bytes(_rounded(value, bits) for value in range(256))
        best = _written(width, height, [row.translate(table) for row in rows])
    path.write_bytes(best)
    return len(best)


def _rounded(value: int, bits: int) -> int:
    most = (1 << bits) - 1
    return round(round(value * most / 255) * 255 / most)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _read(data: bytes) -> tuple[int, int, list[bytes]]:
    """Return width, height and rows of RGB: what Chromium writes, and nothing else."""
    chunks = list(_chunks(data))
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    assert form == [8, 2, 0, 0, 0], "not 8-bit RGB"
    plain = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    stride, rows, above = width * RGB, [], bytearray(width * RGB)
    for y in range(height):
        start = y * (stride + 1)
        above = _unfilter(plain[start], bytearray(plain[start + 1 : start + 1 + stride]), above)
        rows.append(bytes(above))
    return width, height, rows


def _unfilter(kind: int, row: bytearray, above: bytearray) -> bytearray:
    for i in range(len(row) if kind else 0):
        left = row[i - RGB] if i >= RGB else 0
        corner = above[i - RGB] if i >= RGB else 0
        row[i] = (row[i] + _guess(kind, left, above[i], corner)) & 255
    return row


def _guess(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 4:
        near = left + above - corner
        return min((left, above, corner), key=lambda value: abs(near - value))
    return (0, left, above, (left + above) // 2)[kind]


def _written(width: int, height: int, rows: list[bytes]) -> bytes:
    colours = sorted({row[i : i + RGB] for row in rows for i in range(0, len(row), RGB)})
    if len(colours) <= 256:
        number = {colour: index for index, colour in enumerate(colours)}
        body = [bytes(number[row[i : i + RGB]] for i in range(0, len(row), RGB)) for row in rows]
        extra, kind, filtered = [(b"PLTE", b"".join(colours))], 3, [b"\0" + row for row in body]
    else:
        extra, kind = [], 2
        filtered = [b"\0" + rows[0]] + [_least(row, above) for above, row in pairwise(rows)]
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    image = (b"IDAT", zlib.compress(b"".join(filtered), 9))
    parts = [(b"IHDR", head), *extra, image, (b"IEND", b"")]
    return SIGNATURE + b"".join(_chunk(*part) for part in parts)


def _least(row: bytes, above: bytes) -> bytes:
    """Filter a row none or up, whichever leaves less."""
    up = bytes((value - over) & 255 for value, over in zip(row, above, strict=True))
    none = len(set(row))
    return b"\2" + up if sum(min(v, 256 - v) for v in up) < none * len(row) // 4 else b"\0" + row


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
