"""I1, decided in one place: whether a session description may pass between phone and desk.

The rule: exactly one m-line, of video, over DTLS-SRTP, of codecs that are known as pictures; nothing else, ever. Sound
has no way in, whatever a page asks for. Source of the forms: RFC 8866 (SDP), RFC 8843 (BUNDLE), RFC 8839 (ICE
candidates), RFC 3551 (static payload types).
"""

import re
from typing import Final

from server.core.net.hosts import is_address
from server.protocol.errors import SdpTooLarge
from server.protocol.message import MAX_SDP
from server.video.domain.ice_candidates import named
from server.video.errors import SdpAudio, SdpCodec, SdpDataChannel, SdpMalformed

MAX_LINES: Final = 1_000
MAX_LINE: Final = 2_000
MEDIA_FIELDS: Final = 4  # kind, port, protocol, at least one format
VIDEO_PROTOCOLS: Final = frozenset({"UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"})
#: Pictures, and what repairs them. AV1X: AV1 in Chromium until 2021.
VIDEO_CODECS: Final = frozenset(
    {"vp8", "vp9", "h264", "h265", "av1", "av1x", "rtx", "red", "ulpfec", "flexfec-03"}
)
VIDEO_CLOCK: Final = "90000"  # Hz, of every video codec of RTP; no telephone codec has it
#: What browsers write; no second reading of blanks or line ends.
_LINE: Final = re.compile(r"[a-z]=[ -~]*")
_PORT: Final = re.compile(r"[0-9]{1,5}")
_FORMAT: Final = re.compile(r"[0-9]{1,3}")
_RTPMAP: Final = re.compile(
    r"a=rtpmap:(?P<format>[0-9]{1,3}) (?P<codec>[A-Za-z0-9-]{1,32})/(?P<clock>[0-9]{1,6})(?P<channels>/[0-9]{1,2})?"
)
_FMTP: Final = re.compile(r"a=fmtp:(?P<format>[0-9]{1,3}) [!-~][ -~]*")
_CONNECTION: Final = re.compile(r"(?:c=|a=rtcp:[0-9]{1,5} )IN IP[46] (?P<address>[!-~]+)")
DYNAMIC_FORMATS: Final = range(35, 128)  # below stand the static ones: 0 is PCMU without a word


def check_description(sdp: str) -> None:
    """Raise the refusal this description deserves, or return: it may be relayed."""
    lines = _lines(sdp)
    media = [line for line in lines if line.startswith("m=")]
    kinds = [line[2:].split(" ", 1)[0].lower() for line in media]
    if "audio" in kinds:
        raise SdpAudio
    if "application" in kinds or any(_is(line, "sctp") for line in lines):
        raise SdpDataChannel
    mapped = {_mapped(line) for line in lines if _is(line, "rtpmap")}
    if kinds != ["video"]:
        raise SdpMalformed("media_count")
    formats = _formats(media[0])
    if not formats <= mapped or any(
        _described(line) not in formats for line in lines if _is(line, "fmtp")
    ):
        raise SdpMalformed("formats")
    if not any(line.startswith("a=fingerprint:") for line in lines):
        raise SdpMalformed("no_fingerprint")
    if not all(_connects(line) for line in lines if line.startswith("c=") or _is(line, "rtcp:")):
        raise SdpMalformed("address")


def candidates(sdp: str) -> list[str]:
    """Return the lines of a checked description that name an address to contact."""
    return [line for line in _lines(sdp) if _is(line, "candidate")]


def without(sdp: str, lines: frozenset[str]) -> str:
    """Return the description without these lines, each other one as it was."""
    return "".join(
        each for each in sdp.splitlines(keepends=True) if each.rstrip("\r\n") not in lines
    )


def _is(line: str, attribute: str) -> bool:
    """Tell whether a line begins this attribute; some readers take no notice of the case, so neither does the rule."""
    return line.startswith("a=") and line[2:].lower().startswith(attribute)


def _mapped(line: str) -> int:
    """Return the format that a line maps to a codec of pictures; anything else is refused."""
    found = _RTPMAP.fullmatch(line)
    if found is None:
        raise SdpMalformed("rtpmap")
    if found["clock"] != VIDEO_CLOCK or found["channels"]:
        raise SdpAudio
    if found["codec"].lower() not in VIDEO_CODECS:
        raise SdpCodec
    return int(found["format"])


def _formats(line: str) -> set[int]:
    """Return the formats of the picture's line."""
    parts = line[2:].split(" ")
    if (
        len(parts) < MEDIA_FIELDS
        or parts[2].upper() not in VIDEO_PROTOCOLS
        or not _PORT.fullmatch(parts[1])
    ):
        raise SdpMalformed("media_line")
    formats = {int(each) if _FORMAT.fullmatch(each) else 0 for each in parts[3:]}
    if not all(each in DYNAMIC_FORMATS for each in formats):
        raise SdpMalformed("formats")
    return formats


def _described(line: str) -> int | None:
    found = _FMTP.fullmatch(line)
    return int(found["format"]) if found else None


def _connects(line: str) -> bool:
    """Tell whether this names an address, or a name that browsers make; `a=rtcp:9` names none."""
    if found := _CONNECTION.fullmatch(line):
        return named(found["address"]) or is_address(found["address"])
    return line.startswith("a=rtcp:") and _PORT.fullmatch(line.removeprefix("a=rtcp:")) is not None


def _lines(sdp: str) -> list[str]:
    if len(sdp) > MAX_SDP:
        raise SdpTooLarge
    lines = sdp.replace("\r\n", "\n").rstrip("\n").split("\n")
    if len(lines) > MAX_LINES or any(len(line) > MAX_LINE for line in lines):
        raise SdpTooLarge
    if lines[0] != "v=0" or not all(_LINE.fullmatch(line) for line in lines):
        raise SdpMalformed("lines")
    return lines
