"""The synthetic caller's camera: a picture that visibly moves, with a clock and a counter, drawn from plain bytes.

Moving colour bars show that it lives, the clock shows how old it is, fine lines show how sharp it is. I420, 640 by 480,
20 frames a second; no sound, ever (I1).
"""

import asyncio
import time
from fractions import Fraction
from typing import Final

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import VideoFrame
from av.video.plane import VideoPlane

WIDTH: Final = 640
HEIGHT: Final = 480
RATE: Final = 20
CLOCK_RATE: Final = 90_000
STEP: Final = 4  # pixels the bars move a frame; even, so that chroma follows
SCALE: Final = 8
BAND: Final = (168, 312)  # rows of the dark band that carries the text
INK, PAPER, NEUTRAL = 235, 24, 128
# Bars of BT.601: white, yellow, cyan, green, magenta, red, blue, grey (Y, U, V).
BARS: Final = (
    (200, 128, 128),
    (170, 40, 146),
    (140, 160, 40),
    (120, 60, 50),
    (105, 200, 210),
    (85, 95, 230),
    (60, 230, 115),
    (90, 128, 128),
)
# A 3 by 5 font, one row a group of three bits.
FONT: Final = {
    "0": "111101101101111", "1": "010110010010111", "2": "111001111100111", "3": "111001111001111",
    "4": "101101111001001", "5": "111100111001111", "6": "111100111101111", "7": "111001010010010",
    "8": "111101111101111", "9": "111101111001111", ":": "000010000010000", " ": "000000000000000",
    "-": "000000111000000",
}  # fmt: skip


def _bars(channel: int, width: int) -> bytes:
    """Return two turns of the bars, so that any shift below `width` is one slice."""
    each = width // len(BARS)
    return b"".join(bytes([bar[channel]]) * each for bar in BARS) * 2


LUMA, BLUE, RED = _bars(0, WIDTH), _bars(1, WIDTH // 2), _bars(2, WIDTH // 2)
FINE: Final = (bytes([INK]) * 4 + bytes([PAPER]) * 4) * (WIDTH // 8)


def luma(shift: int, text: str) -> bytes:
    """Return the brightness plane, `WIDTH` times `HEIGHT` bytes."""
    top, bottom = BAND
    bars = LUMA[shift : shift + WIDTH]
    empty = bytes([PAPER]) * WIDTH
    margin = (bottom - top - 5 * SCALE - 16) // 2
    lines = b"".join(_text_row(text, row) * SCALE for row in range(5))
    band = empty * margin + lines + FINE * 16 + empty * (bottom - top - 5 * SCALE - 16 - margin)
    swept = 2 * shift % (HEIGHT - bottom)
    below = bars * swept + bytes([INK]) * WIDTH + bars * (HEIGHT - bottom - swept - 1)
    return bars * top + band + below


def _text_row(text: str, row: int) -> bytes:
    bits = "".join(FONT.get(sign, FONT[" "])[3 * row : 3 * row + 3] + "0" for sign in text)
    drawn = b"".join(bytes([INK if bit == "1" else PAPER]) * SCALE for bit in bits)
    left = max(0, (WIDTH - len(drawn)) // 2)
    return (bytes([PAPER]) * left + drawn).ljust(WIDTH, bytes([PAPER]))[:WIDTH]


def chroma(bars: bytes, shift: int) -> bytes:
    """Return one colour plane, a quarter of the size: bars, and no colour behind the text."""
    top, bottom = (edge // 2 for edge in BAND)
    row = bars[shift // 2 : shift // 2 + WIDTH // 2]
    grey = bytes([NEUTRAL]) * (WIDTH // 2)
    return row * top + grey * (bottom - top) + row * (HEIGHT // 2 - bottom)


def draw(count: int, clock: str) -> VideoFrame:
    """Draw picture number `count`; `clock` reads HH:MM:SS."""
    shift = count * STEP % WIDTH
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    planes = (luma(shift, f"{clock} {count % 10_000:04d}"), chroma(BLUE, shift), chroma(RED, shift))
    for plane, data in zip(frame.planes, planes, strict=True):
        plane.update(_aligned(plane, data))
    return frame


def _aligned(plane: VideoPlane, data: bytes) -> bytes:
    """Pad every row to the length the library wants."""
    if plane.line_size == plane.width:
        return data
    rows = (data[at : at + plane.width] for at in range(0, len(data), plane.width))
    return b"".join(row.ljust(plane.line_size, b"\0") for row in rows)


class SyntheticCamera(MediaStreamTrack):
    """One viewer's own copy of the camera: a track shared by two senders would give each half the frames."""

    kind = "video"

    def __init__(self) -> None:
        """Start at picture zero with the first `recv`."""
        super().__init__()
        self._count = -1
        self._begun = 0.0

    async def recv(self) -> VideoFrame:
        """Return the next picture when its time has come; a late encoder skips, it never queues."""
        if self.readyState != "live":
            raise MediaStreamError
        now = time.monotonic()
        if self._count < 0:
            self._begun = now
        self._count = max(self._count + 1, int((now - self._begun) * RATE))
        await asyncio.sleep(max(0.0, self._begun + self._count / RATE - time.monotonic()))
        frame = draw(self._count, time.strftime("%H:%M:%S"))
        frame.pts = self._count * CLOCK_RATE // RATE
        frame.time_base = Fraction(1, CLOCK_RATE)
        return frame
