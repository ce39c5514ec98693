"""I1 at its only door: whatever is written into a description, no sound and no data pass.

The descriptions are read a second time as browsers read them (lines end with CR LF or LF alone, RFC 8866 section 9),
so that a difference between that reading and the rule's cannot become a way in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st

from server.domain import sdp as rule
from server.domain.sdp import check_description
from server.errors import (
    AppError,
    SdpAudio,
    SdpDataChannel,
    SdpMalformed,
    SdpRefused,
    SdpTooLarge,
)
from tests.unit.sdp_samples import OFFERS, SMALL

if TYPE_CHECKING:
    from collections.abc import Sequence

AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111"
DATA = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
VIDEO = "m=video 9 UDP/TLS/RTP/SAVPF 96"


def text(lines: Sequence[str], end: str = "\r\n") -> str:
    return "".join(line + end for line in lines)


def refusal(sdp: str) -> type[AppError] | None:
    try:
        check_description(sdp)
    except SdpRefused as refused:
        return type(refused)
    return None


def sections(sdp: str) -> list[str]:
    """What a lenient reader takes for media sections: any end of line, any case, any blank around."""
    lines = re.split(r"[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+", sdp)
    found = [re.match(r"\s*m\s*=\s*(\w*)", line, re.IGNORECASE) for line in lines]
    return [match.group(1).lower() for match in found if match]


# --- honest offers ---------------------------------------------------------------------------------
@pytest.mark.parametrize("browser", OFFERS)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_what_browsers_offer_passes(browser: str, end: str) -> None:
    check_description(OFFERS[browser].replace("\r\n", end))


@pytest.mark.parametrize("browser", OFFERS)
def test_what_browsers_answer_passes(browser: str) -> None:
    answer = OFFERS[browser].replace("actpass", "active").replace("a=sendrecv", "a=recvonly")
    check_description(answer)


async def test_what_the_synthetic_caller_offers_passes() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        peer.addTransceiver("video")
        await peer.setLocalDescription(await peer.createOffer())
        check_description(peer.localDescription.sdp)
        peer.addTransceiver("audio")
        await peer.setLocalDescription(await peer.createOffer())
        assert refusal(peer.localDescription.sdp) is SdpAudio
    finally:
        await peer.close()


async def test_a_data_channel_of_a_real_end_is_refused() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        peer.addTransceiver("video")
        peer.createDataChannel("chat")
        await peer.setLocalDescription(await peer.createOffer())
        assert refusal(peer.localDescription.sdp) is SdpDataChannel
    finally:
        await peer.close()


def test_the_small_description_passes() -> None:
    check_description(text(SMALL))


# --- sound -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("browser", OFFERS)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_sound_beside_the_picture_is_named(browser: str, end: str) -> None:
    sdp = OFFERS[browser].replace("\r\n", end)
    assert refusal(sdp + AUDIO + end) is SdpAudio
    before = sdp.replace("m=video", AUDIO + end + "m=video", 1)
    assert refusal(before) is SdpAudio


@pytest.mark.parametrize(
    "line",
    [
        AUDIO,
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",  # bundled and rejected: still a section that may wake up
        "m=AUDIO 9 UDP/TLS/RTP/SAVPF 111",
        "m=Audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio 9/2 RTP/AVP 0",
        "m=audio",
        "a=rtpmap:111 opus/48000/2",
        "a=rtpmap:0 PCMU/8000",
        "a=RTPMAP:111 OPUS/48000/2".replace("RTPMAP", "rtpmap"),
        "a=rtpmap:63 red/48000/2",
        "a=rtpmap:101 telephone-event/8000",
    ],
)
def test_sound_has_its_own_code(line: str) -> None:
    assert refusal(text([*SMALL, line])) is SdpAudio
    assert refusal(text([*SMALL, line], "\n")) is SdpAudio
    assert refusal(text([*SMALL, *SMALL, line])) is SdpAudio


@pytest.mark.parametrize(
    "trick",
    [
        " m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "\tm=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=\taudio 9 UDP/TLS/RTP/SAVPF 111",
        "m= audio 9 UDP/TLS/RTP/SAVPF 111",
        "m =audio 9 UDP/TLS/RTP/SAVPF 111",
        "M=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio\t9 UDP/TLS/RTP/SAVPF 111",
        "m=audio\u00a09 UDP/TLS/RTP/SAVPF 111",
        "m=\u200baudio 9 UDP/TLS/RTP/SAVPF 111",
        "m=aud\u0131o 9 UDP/TLS/RTP/SAVPF 111",  # a dotless i
        "\ufeffm=audio 9 UDP/TLS/RTP/SAVPF 111",
        "m=audio\x009 UDP/TLS/RTP/SAVPF 111",
        "m=text 9 UDP/TLS/RTP/SAVPF 98",
        "m=image 9 udptl t38",
        "m=message 9 TCP/MSRP *",
        "m=",
    ],
)
@pytest.mark.parametrize(
    "end", ["\r\n", "\n", "\r", "\r\r\n", "\n\r", "\x0b", "\x0c", "\x85", "\u2028"]
)
def test_no_spelling_brings_another_section_in(trick: str, end: str) -> None:
    assert refusal(text(SMALL) + trick + end) is not None
    assert refusal(trick + end + text(SMALL)) is not None
    assert refusal(text(SMALL[:5]) + trick + end + text(SMALL[5:])) is not None


@pytest.mark.parametrize("end", ["\r", "\x0b", "\x0c", "\x00", "\x1e"])
def test_a_hidden_end_of_line_hides_nothing(end: str) -> None:
    for host in ("s=-", "a=mid:0", "a=rtpmap:96 VP8/90000"):
        index = SMALL.index(host) if host in SMALL else -1
        lines = [*SMALL[:index], host + end + AUDIO, *SMALL[index + 1 :]]
        assert refusal(text(lines)) is SdpMalformed


def test_sound_after_nine_hundred_honest_lines_is_found() -> None:
    filler = [f"a=ssrc:{number} cname:x" for number in range(900)]
    check_description(text([*SMALL, *filler]))
    assert refusal(text([*SMALL, *filler, AUDIO])) is SdpAudio
    assert refusal(text([*SMALL, *filler, AUDIO], "\n")) is SdpAudio


def test_the_audio_check_is_what_names_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gates stand behind each other: without the first, the count of sections still refuses."""
    monkeypatch.setattr(rule, "AUDIO_CODEC", re.compile("(?!)"))
    assert refusal(text([*SMALL, AUDIO])) is SdpAudio
    assert refusal(text([*SMALL, "a=rtpmap:111 opus/48000/2"])) is None


# --- data, counts, sizes ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    "line", [DATA, DATA.replace(" 9 ", " 0 "), "m=APPLICATION 9 UDP/DTLS/SCTP 5000"]
)
def test_a_data_channel_has_its_own_code(line: str) -> None:
    assert refusal(text([*SMALL, line])) is SdpDataChannel
    assert refusal(text([*SMALL[:5], line, *SMALL[5:]])) is SdpDataChannel


def test_data_inside_the_picture_is_refused() -> None:
    assert refusal(text([*SMALL, "a=sctp-port:5000"])) is SdpDataChannel
    assert refusal(text([*SMALL, "a=sctpmap:5000 webrtc-datachannel 1024"])) is SdpDataChannel


@pytest.mark.parametrize("count", [0, 2, 3, 400])
def test_there_is_exactly_one_picture(count: int) -> None:
    lines = [line for line in SMALL if not line.startswith("m=")]
    assert refusal(text([*lines, *[VIDEO] * count])) is SdpMalformed


def test_hundreds_of_sections_are_refused_at_once() -> None:
    assert refusal(text([*SMALL, *[VIDEO] * 2_000])) is SdpTooLarge
    assert refusal(text([*SMALL, *[AUDIO] * 300])) is SdpAudio


@pytest.mark.parametrize(
    "sdp",
    [
        text([*SMALL, "a=" + "x" * 1_000_000]),
        text([*SMALL, *["a=x"] * 200_000]),
        text([*SMALL, *["a=x"] * 1_001]),
        text([*SMALL, "a=" + "x" * 2_001]),
        "\n" * 1_000_000,
        "é" * 40_000,
    ],
)
def test_what_no_browser_writes_is_too_large(sdp: str) -> None:
    assert refusal(sdp) is SdpTooLarge


@pytest.mark.parametrize(
    "line",
    [
        "m=video 9 RTP/AVP 96",  # no encryption
        "m=video 9 RTP/SAVPF 96",  # keys in the signalling
        "m=video 9 UDP/TLS/RTP/SAVPF",
        "m=video nine UDP/TLS/RTP/SAVPF 96",
        "m=video -9 UDP/TLS/RTP/SAVPF 96",
        "m=video ² UDP/TLS/RTP/SAVPF 96",
        "m=video ٣ UDP/TLS/RTP/SAVPF 96",
        "m=video  9 UDP/TLS/RTP/SAVPF 96",
        "m=video",
    ],
)
def test_a_picture_line_of_another_form_is_refused(line: str) -> None:
    lines = [line if each.startswith("m=") else each for each in SMALL]
    assert refusal(text(lines)) is SdpMalformed


def test_a_picture_without_a_fingerprint_is_refused() -> None:
    lines = [line for line in SMALL if not line.startswith("a=fingerprint")]
    assert refusal(text(lines)) is SdpMalformed


@pytest.mark.parametrize(
    "sdp",
    ["", "\r\n", "v=1\r\n", "{}", "v=0", " v=0\r\n", "v=0\r\n\r\nm=video", text(["v=0", "a=é"])],
)
def test_what_is_not_a_description_is_refused(sdp: str) -> None:
    assert refusal(sdp) is SdpMalformed


# --- any text --------------------------------------------------------------------------------------
SOUND = (AUDIO, "M=AUDIO", "m=audio 0", "a=rtpmap:0 PCMU/8000", "audio")
ENDS = ("\r", "\n", "\r\n", "\x00", "\x0b", "\x85", "\u2028", "\ud800", "\U0001f4f7")
PIECES = ("m", "a", "=", " ", "\t", "m=", "a=")
WORDS = st.sampled_from([*SMALL, *SOUND, DATA, VIDEO, "a=sctp-port:1", *PIECES, *ENDS])
ANY_TEXT = st.one_of(
    st.text(), st.text(st.characters(codec=None), max_size=200), st.lists(WORDS).map("".join)
)


@given(ANY_TEXT)
def test_any_text_passes_or_is_refused_by_its_code(sdp: str) -> None:
    try:
        check_description(sdp)
    except SdpRefused:
        return
    assert sections(sdp) == ["video"]


@given(
    st.lists(WORDS, max_size=6),
    st.integers(0, len(SMALL)),
    st.sampled_from(["\r\n", "\n"]),
)
def test_what_is_put_into_a_good_description_never_adds_a_section(
    extra: list[str], at: int, end: str
) -> None:
    sdp = text(SMALL[:at], end) + "".join(extra) + text(SMALL[at:], end)
    if refusal(sdp) is None:
        assert sections(sdp) == ["video"]
        assert not re.search(
            r"^a=(rtpmap:\d+ (opus|PCM[UA])|sctp)", sdp, re.IGNORECASE | re.MULTILINE
        )


@given(st.sampled_from(sorted(OFFERS)), st.randoms(use_true_random=False))
def test_a_shuffled_honest_offer_with_sound_never_passes(browser: str, chance: object) -> None:
    lines = [*OFFERS[browser].split("\r\n")[:-1], AUDIO]
    chance.shuffle(lines)  # type: ignore[attr-defined]
    assert refusal(text(lines)) is not None
