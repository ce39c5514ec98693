"""A real JPEG of any size, as a browser's canvas makes one: grey, with what cameras like to add."""

from __future__ import annotations

from fractions import Fraction

import av

EXIF = b"Exif\0\0MM\0*\0\0\0\x08 GPS 47.3936 N 0.6892 E"
COMMENT = b"taken by Dr Regulateur"


def jpeg(width: int = 64, height: int = 48) -> bytes:
    """One bare picture."""
    codec = av.CodecContext.create("mjpeg", "w")
    codec.width, codec.height = width, height
    codec.pix_fmt, codec.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame(width, height, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes([120]) * plane.buffer_size)
    return b"".join(bytes(packet) for packet in (*codec.encode(frame), *codec.encode(None)))


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def with_metadata(picture: bytes) -> bytes:
    """The same with a place and a comment."""
    extra = segment(0xE1, EXIF) + segment(0xFE, COMMENT)
    return picture[:2] + extra + picture[2:]
