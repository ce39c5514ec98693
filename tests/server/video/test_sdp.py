"""I1 at its only door: whatever is written into a description, no sound and no data pass.

The descriptions are read a second time as browsers read them (lines end with CR LF or LF alone, RFC 8866 section 9),
so that a difference between that reading and the rule's cannot become a way in.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import AppError
from server.protocol.errors import SdpRefused, SdpTooLarge
from server.video.domain.sdp import VIDEO_CODECS, candidates, check_description, without
from server.video.errors import SdpAudio, SdpCodec, SdpDataChannel, SdpMalformed
from tests.server.video.sdp_samples import ANSWERS, OFFERS, SMALL

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


@pytest.mark.parametrize("browser", ANSWERS)
def test_what_browsers_answered_passes(browser: str) -> None:
    check_description(ANSWERS[browser])


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


# --- codecs: only what is known as a picture (RFC 8866 section 6.6, RFC 3551 section 6) ---------------
@pytest.mark.parametrize(
    "codec",
    [
        "AMR/8000",
        "AMR-WB/16000",
        "AMR-WB/16000/1",
        "G726-32/8000",
        "G7221/16000",
        "multiopus/48000/6",
        "EVS/16000",
        "GSM/8000",
        "DVI4/16000",
        "MPA/90000",
        "opus/90000",
        "VP8/48000",
        "VP8/90000/2",
        "red/8000",
        "rtx/48000",
        "CN/90000",
        "unheard-of/90000",
    ],
)
@pytest.mark.parametrize("line", ["a=rtpmap:96 {}", "a=rtpmap:97 {}", "a=RTPMAP:97 {}"])
def test_a_codec_that_is_no_picture_s_is_refused(codec: str, line: str) -> None:
    """Whatever its name, beside the picture's own codec or in its place."""
    lines = [*SMALL, line.format(codec)]
    assert refusal(text(lines)) in {SdpAudio, SdpCodec, SdpMalformed}
    assert refusal(text([each for each in lines if each != SMALL[-1]])) is not None


def test_which_code_a_codec_gets() -> None:
    assert refusal(text([*SMALL, "a=rtpmap:97 AMR/8000"])) is SdpAudio
    assert refusal(text([*SMALL, "a=rtpmap:97 VVC/90000"])) is SdpCodec


@pytest.mark.parametrize("number", [*range(35), 128, 255, 999])
def test_a_static_format_is_no_picture(number: int) -> None:
    """0 is PCMU and 8 PCMA without any line that says so."""
    line = f"m=video 9 UDP/TLS/RTP/SAVPF 96 {number}"
    lines = [line if each.startswith("m=") else each for each in SMALL]
    assert refusal(text(lines)) is SdpMalformed
    assert refusal(text([*lines, f"a=rtpmap:{number} VP8/90000"])) is SdpMalformed


@pytest.mark.parametrize(
    ("formats", "more"),
    [
        ("96 97", ()),  # what 97 is stands nowhere
        ("97", ()),
        ("96 opus", ()),
        ("96 *", ()),
        ("96 ٩٧", ()),
        ("96 ", ()),
        ("96", ("a=fmtp:111 minptime=10;useinbandfec=1",)),
        ("96", ("a=fmtp:0 annexb=no",)),
        ("96", ("a=FMTP:111 minptime=10",)),
        ("96", ("a=rtpmap:96  VP8/90000",)),
        ("96", ("a=rtpmap: 96 VP8/90000",)),
        ("96", ("a=rtpmap:96 VP8",)),
        ("96", ("a=rtpmap",)),
        ("96", ("a=rtpmap:96 VP8/90000 ",)),
    ],
)
def test_each_format_is_mapped_to_a_picture_s_codec(formats: str, more: tuple[str, ...]) -> None:
    line = f"m=video 9 UDP/TLS/RTP/SAVPF {formats}"
    lines = [line if each.startswith("m=") else each for each in SMALL]
    assert refusal(text([*lines, *more])) is SdpMalformed


def test_the_caller_s_page_offers_what_is_on_the_list() -> None:
    """A browser that learns a new codec would be refused whole: the page leaves that codec out."""
    page = (Path(__file__).parents[3] / "static" / "js" / "rtc" / "sdp.js").read_text()
    listed = re.search(r"PICTURES = new Set\(\[(.*?)\]\)", page)
    assert listed
    assert set(re.findall(r'"([^"]+)"', listed.group(1))) == VIDEO_CODECS


@given(
    st.from_regex(r"[A-Za-z0-9-]{1,16}", fullmatch=True),
    st.sampled_from([8000, 16000, 44100, 48000, 90000, 1]),
    st.sampled_from(["", "/1", "/2"]),
    st.integers(0, 127),
)
def test_whatever_is_not_on_the_list_is_refused(
    codec: str, clock: int, channels: str, number: int
) -> None:
    line = f"a=rtpmap:{number} {codec}/{clock}{channels}"
    known = codec.lower() in VIDEO_CODECS and clock == 90000 and not channels
    assert (refusal(text([*SMALL, line])) is None) == known


# --- addresses: none is a name that a resolver would be asked for -------------------------------------
@pytest.mark.parametrize(
    "line",
    [
        "c=IN IP4 intranet.chu.example",
        "c=IN IP4 intranet",
        "c=IN IP4 192.0.2.1/127",
        "c=IN IP4 printer.local",
        "c=EX X 192.0.2.1",
        "a=rtcp:9 IN IP4 intranet.chu.example",
        "a=RTCP:9 IN IP4 intranet.chu.example",
        "a=rtcp:",
    ],
)
def test_a_connection_line_names_no_host(line: str) -> None:
    assert refusal(text([*SMALL, line])) is SdpMalformed


@pytest.mark.parametrize(
    "line",
    [
        "c=IN IP6 2001:db8::1",
        "a=rtcp:9",
        "a=rtcp:57263 IN IP4 8a391351-b46b-4279-bbbf-235aef843112.local",
        "a=rtcp-mux",
        "a=rtcp-fb:* nack",
    ],
)
def test_a_connection_line_as_browsers_write_it_passes(line: str) -> None:
    check_description(text([*SMALL, line]))


@pytest.mark.parametrize("browser", OFFERS)
def test_candidates_are_found_and_taken_out_and_nothing_else_changes(browser: str) -> None:
    sdp = OFFERS[browser]
    found = candidates(sdp)
    assert found == [line for line in sdp.split("\r\n") if line.startswith("a=candidate:")]
    assert without(sdp, frozenset()) == sdp
    assert without(sdp, frozenset(found[:1])) == sdp.replace(found[0] + "\r\n", "")


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
PIECES = ("m", "a", "=", " ", "\t", "m=", "a=", "a=rtpmap:97 AMR/8000", "a=rtpmap:96 opus/48000/2")
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
            r"^a=(rtpmap:\d+ (opus|PCM[UA]|AMR)|sctp)", sdp, re.IGNORECASE | re.MULTILINE
        )


@given(st.sampled_from(sorted(OFFERS)), st.randoms(use_true_random=False))
def test_a_shuffled_honest_offer_with_sound_never_passes(browser: str, chance: object) -> None:
    lines = [*OFFERS[browser].split("\r\n")[:-1], AUDIO]
    chance.shuffle(lines)  # type: ignore[attr-defined]
    assert refusal(text(lines)) is not None
