"""I1, decided in one place: whether a session description may pass between phone and desk.

The rule: exactly one m-line, of video, over DTLS-SRTP; nothing else, ever. Sound has no way in,
whatever a page asks for. Source of
the forms: RFC 8866 (SDP), RFC 8843 (BUNDLE), RFC 8839 (ICE candidates).
"""

import re
from typing import Final

from server.errors import (
    CandidateMalformed,
    SdpAudio,
    SdpDataChannel,
    SdpMalformed,
    SdpTooLarge,
)

MAX_SDP: Final = 32_768  # characters, all ASCII; an honest one-video offer is 2 to 6 kB
MAX_LINES: Final = 1_000
MAX_LINE: Final = 2_000
MAX_CANDIDATE: Final = 512
MEDIA_FIELDS: Final = 4  # kind, port, protocol, at least one format
VIDEO_PROTOCOLS: Final = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"})
AUDIO_CODEC: Final = re.compile(
    r"^a=rtpmap:\d+ (opus|pcmu|pcma|g722|g729|isac|ilbc|cn|red/48000|telephone-event|mp4a|l16|speex)\b",
    re.IGNORECASE,
)
_LINE: Final = re.compile(
    r"[a-z]=[ -~]*"
)  # what browsers write; no second reading of blanks or line ends
_PORT: Final = re.compile(r"[0-9]{1,5}")
_CANDIDATE: Final = re.compile(
    r"(a=)?candidate:[A-Za-z0-9+/]{1,32} [12] (udp|tcp) [0-9]{1,10} [0-9A-Za-z.:\-]{1,255} [0-9]{1,5}"
    r" typ (host|srflx|prflx|relay)( [ -~]*)?",
    re.IGNORECASE | re.ASCII,
)


def check_description(sdp: str) -> None:
    """Raise the refusal this description deserves, or return: it may be relayed unchanged."""
    lines = _lines(sdp)
    media = [line for line in lines if line.startswith("m=")]
    kinds = [line[2:].split(" ", 1)[0].lower() for line in media]
    if "audio" in kinds or any(AUDIO_CODEC.match(line) for line in lines):
        raise SdpAudio
    if "application" in kinds or any(line.startswith("a=sctp") for line in lines):
        raise SdpDataChannel
    if kinds != ["video"]:
        raise SdpMalformed("media_count")
    parts = media[0][2:].split(" ")
    if (
        len(parts) < MEDIA_FIELDS
        or parts[2].upper() not in VIDEO_PROTOCOLS
        or not _PORT.fullmatch(parts[1])
    ):
        raise SdpMalformed("media_line")
    if not any(line.startswith("a=fingerprint:") for line in lines):
        raise SdpMalformed("no_fingerprint")


def _lines(sdp: str) -> list[str]:
    if len(sdp) > MAX_SDP:
        raise SdpTooLarge
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise SdpTooLarge
    if lines[0] != "v=0" or not all(_LINE.fullmatch(line) for line in lines):
        raise SdpMalformed("lines")
    return lines


def check_candidate(candidate: str) -> None:
    """Refuse what is not one ICE candidate attribute; the empty string is end-of-candidates."""
    if candidate and (len(candidate) > MAX_CANDIDATE or not _CANDIDATE.fullmatch(candidate)):
        raise CandidateMalformed
