"""JPEGs to send: a real encoder's, and what strangers make of them."""

from __future__ import annotations

import functools
import random
import struct
from fractions import Fraction

import av

SOI, EOI = b"\xff\xd8", b"\xff\xd9"


@functools.cache
def jpeg(width: int = 64, height: int = 48, *, noise: int = 0) -> bytes:
    """A JPEG as an encoder writes it, with its own APP0 and comment; `noise` makes it large."""
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = width, height
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame(width, height, "yuvj420p")
    for number, plane in enumerate(frame.planes):
        if noise:
            plane.update(random.Random(noise + number).randbytes(plane.buffer_size))
        else:
            plane.update(bytes(index % 251 for index in range(plane.buffer_size)))
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def segment(marker: int, body: bytes) -> bytes:
    """One segment, its length included."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_place(picture: bytes) -> bytes:
    """The same picture with an EXIF segment that tells where it was taken."""
    exif = segment(0xE1, b"Exif\x00\x00MM\x00*GPSLatitude 48.8566")
    return SOI + exif + picture[2:]


def decoded(picture: bytes) -> tuple[int, int]:
    """What a decoder makes of it: its size."""
    decoder = av.CodecContext.create("mjpeg", "r")
    [frame] = [*decoder.decode(av.Packet(picture)), *decoder.decode(None)]
    return frame.width, frame.height


def still(seq: int, millis: int, picture: bytes, kind: int = 1) -> bytes:
    """A binary frame as the caller's page sends it."""
    return struct.pack(">BIQ", kind, seq, millis) + picture
