"""What a signed-in or bound page may not say: sound, another site's video, a video it does not show (I1, I5, I7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from server.audit.domain.chain import verify
from server.audit.store.audit import AuditStore
from server.identity.domain.access import Role
from tests.lab.process import until
from tests.server.running import MOBILE, Page, Running, running
from tests.server.video.sdp_samples import FINGERPRINT, OFFERS, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

GOOD = "\r\n".join([*SMALL, ""])
AUDIO = GOOD + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
DATA = GOOD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
CANDIDATE = {"candidate": "candidate:1 1 udp 2113937151 192.0.2.1 35390 typ host", "sdpMid": "0"}
PEER, PAGE = "desk-peer-1", "phone-page-1"


@pytest.fixture
def public_url() -> str:
    """As on a network: where the server is reached from its own machine only, loopback is where the ends meet."""
    return "http://10.99.0.1:8015"


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path, public_url: str
) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path, public_url=public_url) as house:
        yield house


async def audited(house: Running, action: str, count: int = 0) -> list[dict[str, Any]]:
    """What the chain says of an action, once it says it so many times."""
    found: list[dict[str, Any]] = []

    async def enough() -> bool:
        async with house.server.transactions(write=False) as uow:
            rows = [row async for row in AuditStore(uow).chain(house.sites["rivage"].id)]
        assert verify(rows).intact
        found[:] = [dict(row.data) for row in rows if row.action == action]
        return len(found) >= count

    await until(enough, f"{action} is in the audit")
    return found


# --- I1: no sound, no data -------------------------------------------------------------------------
async def test_an_honest_picture_passes_and_is_written_down(house: Running) -> None:
    desk, caller, session = await house.connected()
    await caller.say("signal.offer", peer=PEER, sdp=OFFERS["safari"])
    offer = await desk.hear("signal.offer", session=session, page=PAGE)
    assert offer["sdp"] == OFFERS["safari"]
    await desk.say("signal.answer", session=session, page=PAGE, sdp=OFFERS["chromium"])
    assert (await caller.hear("signal.answer", peer=PEER))["sdp"] == OFFERS["chromium"]
    await desk.say("signal.candidate", session=session, page=PAGE, candidate=CANDIDATE)
    await caller.hear("signal.candidate", peer=PEER)
    await caller.say("signal.candidate", peer=PEER, candidate=None)
    await desk.hear("signal.candidate", session=session, page=PAGE, candidate=None)
    await desk.say("session.end", id="command-0003", session=session)
    await desk.hear("done", id="command-0003")
    await caller.hear("ended", by="desk")
    await audited(house, "sdp.accepted", count=2)


@pytest.mark.parametrize(
    ("sdp", "code"),
    [
        (AUDIO, "sdp_audio"),
        (AUDIO.replace("m=audio 9", "m=audio 0"), "sdp_audio"),
        (AUDIO.replace("\r\n", "\n"), "sdp_audio"),
        (DATA, "sdp_data_channel"),
        (GOOD + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n" * 300, "sdp_malformed"),
        (GOOD.replace("m=video", "m=text"), "sdp_malformed"),
        (GOOD.replace(FINGERPRINT, "").replace("a=fingerprint:", "a=x"), "sdp_malformed"),
        ("", "sdp_malformed"),
        (GOOD + "a=x\r\n" * 7_000, "sdp_too_large"),
        (GOOD + "\x00", "sdp_malformed"),
        (GOOD + "a=rtpmap:97 AMR/8000\r\n", "sdp_audio"),
        (GOOD + "a=rtpmap:97 multiopus/48000/6\r\n", "sdp_audio"),
        (GOOD + "a=rtpmap:97 unheard-of/90000\r\n", "sdp_codec"),
        (GOOD.replace("SAVPF 96", "SAVPF 96 0"), "sdp_malformed"),
    ],
)
@pytest.mark.parametrize("end", ["offer", "answer"])
async def test_what_is_no_muted_picture_is_refused_written_down_and_counted(
    house: Running, end: str, sdp: str, code: str
) -> None:
    desk, caller, session = await house.connected()
    talker, listener = (caller, desk) if end == "offer" else (desk, caller)
    if end == "offer":
        await caller.say("signal.offer", peer=PEER, sdp=sdp)
    else:
        await desk.say("signal.answer", session=session, page=PAGE, sdp=sdp)
    error = await talker.refused(code)
    assert error["message"]
    assert house.counted(code) == 1
    if len(sdp) < 32_768:  # a longer one is refused with its frame
        assert await audited(house, "sdp.refused") == [{"kind": end, "code": code}]
    await talker.alive()
    await listener.alive()
    assert not [m for m in listener.told if m["type"].startswith("signal.")]
    assert await audited(house, "sdp.accepted") == []


async def test_a_description_of_a_megabyte_closes_nothing_but_its_own_frame(house: Running) -> None:
    _, caller, _ = await house.connected()
    await caller.say("signal.offer", peer=PEER, sdp=GOOD + "a=x\r\n" * 100_000)
    await caller.refused("message_too_large")
    await caller.alive()


@pytest.mark.parametrize(
    "candidate",
    [
        {"candidate": "not a candidate"},
        {"candidate": CANDIDATE["candidate"] + "\r\nm=audio 9 RTP/AVP 0"},
        {"candidate": "x" * 2_000},
        {"candidate": CANDIDATE["candidate"].replace("192.0.2.1", "intranet.chu.example")},
        {"candidate": CANDIDATE["candidate"].replace("192.0.2.1", "printer.local")},
        {"candidate": CANDIDATE["candidate"], "sdpMLineIndex": 1},
        {"candidate": CANDIDATE["candidate"], "sdpMLineIndex": "0"},
        {"candidate": CANDIDATE["candidate"], "sdpMid": "0" * 17},
        {"candidate": CANDIDATE["candidate"], "extra": 1},
        {"candidate": None},
        {},
        "candidate",
    ],
)
async def test_what_is_no_candidate_is_not_relayed(house: Running, candidate: object) -> None:
    desk, caller, session = await house.connected()
    await caller.say("signal.candidate", peer=PEER, candidate=candidate)
    assert (await caller.hear("error"))["code"] in {"candidate_malformed", "message_malformed"}
    await desk.say("signal.candidate", session=session, page=PAGE, candidate=candidate)
    assert (await desk.hear("error"))["code"] in {"candidate_malformed", "message_malformed"}
    for page in (desk, caller):
        await page.alive()
        assert not [m for m in page.told if m["type"] == "signal.candidate"]


@pytest.mark.parametrize(
    "unfit",
    [
        "candidate:1 1 udp 2113937151 127.0.0.1 35390 typ host",
        "candidate:1 1 udp 2113937151 169.254.169.254 35390 typ host",
        "candidate:1 1 udp 2113937151 10.1.2.3 161 typ host",
        "candidate:1 1 tcp 1518280447 10.1.2.3 8080 typ host tcptype passive",
    ],
)
async def test_a_candidate_that_leads_to_no_peer_goes_no_further_and_harms_nobody(
    house: Running, unfit: str
) -> None:
    """A desk with a network card without an address says such things by itself: no refusal, no closed socket."""
    desk, caller, session = await house.connected()
    for _ in range(12):  # ten refusals would close the socket
        await caller.say("signal.candidate", peer=PEER, candidate={"candidate": unfit})
        await desk.say(
            "signal.candidate", session=session, page=PAGE, candidate={"candidate": unfit}
        )
    await caller.say("signal.candidate", peer=PEER, candidate=CANDIDATE)
    assert (await desk.hear_any("signal.candidate", "error"))["candidate"][
        "candidate"
    ] == CANDIDATE["candidate"]
    await desk.say("signal.candidate", session=session, page=PAGE, candidate=CANDIDATE)
    assert (await caller.hear_any("signal.candidate", "error"))["candidate"]["candidate"] == (
        CANDIDATE["candidate"]
    )
    assert house.counted("candidate_left_out") == 24


@pytest.mark.parametrize(
    "public_url", ["http://localhost:8015", "http://127.0.0.1:8015", "http://[::1]:8015"]
)
async def test_loopback_is_a_way_where_the_server_is_reached_from_its_own_machine_only(
    house: Running,
) -> None:
    desk, caller, _ = await house.connected()
    own = {"candidate": "candidate:1 1 udp 2113937151 127.0.0.1 35390 typ host"}
    await caller.say("signal.candidate", peer=PEER, candidate=own)
    heard = await desk.hear_any("signal.candidate", "error")
    assert heard["candidate"]["candidate"] == own["candidate"]
    assert house.counted("candidate_left_out") == 0


async def test_candidates_in_a_description_follow_the_same_rule(house: Running) -> None:
    desk, caller, _ = await house.connected()
    good = "a=candidate:1 1 udp 2113937151 192.0.2.1 35390 typ host\r\n"
    unfit = "a=candidate:2 1 udp 2113937151 127.0.0.1 35390 typ host\r\n"
    await caller.say("signal.offer", peer=PEER, sdp=GOOD + unfit + good)
    assert (await desk.hear("signal.offer"))["sdp"] == GOOD + good
    assert house.counted("candidate_left_out") == 1
    await audited(house, "sdp.accepted", count=1)
    named = good.replace("192.0.2.1", "intranet.chu.example")
    await caller.say("signal.offer", peer=PEER, sdp=GOOD + named)
    await caller.refused("sdp_malformed")
    await desk.alive()
    assert not [m for m in desk.told if m["type"] == "signal.offer"]


async def test_one_end_names_a_hundred_addresses_to_the_other_and_no_more(house: Running) -> None:
    """A phone that would have the doctor's browser look for everything in the hospital."""
    desk, caller, _ = await house.connected()
    for block in range(3):
        lines = "".join(
            f"a=candidate:1 1 udp 2113937151 10.0.{block}.{host} 35390 typ host\r\n"
            for host in range(60)
        )
        await caller.say("signal.offer", peer=PEER, sdp=GOOD + lines)
    found = [(await desk.hear("signal.offer"))["sdp"].count("candidate:") for _ in range(3)]
    assert found == [60, 40, 0]
    await caller.say("signal.candidate", peer=PEER, candidate=CANDIDATE)
    again = CANDIDATE["candidate"].replace("192.0.2.1", "10.0.0.7")
    await caller.say("signal.candidate", peer=PEER, candidate={"candidate": again})
    assert (await desk.hear("signal.candidate"))["candidate"]["candidate"] == again


# --- I7: another site, and what is not shown here --------------------------------------------------
def on(session: str) -> list[tuple[str, dict[str, Any]]]:
    """Everything a desk can say about a session."""
    return [
        ("session.watch", {"id": "command-0101", "session": session}),
        ("session.end", {"id": "command-0102", "session": session}),
        ("link.manual", {"id": "command-0103", "session": session, "value": "x"}),
        ("link.none", {"id": "command-0104", "session": session}),
        ("signal.answer", {"session": session, "page": PAGE, "sdp": GOOD}),
        ("signal.candidate", {"session": session, "page": PAGE, "candidate": None}),
        ("signal.restart", {"session": session}),
        ("webcam", {"session": session, "on": False}),
        ("media.report", {"session": session, "state": "flowing"}),
    ]


async def answers(page: Page, said: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    found = []
    for type_, fields in said:
        await page.say(type_, **fields)
        error = await page.hear("error")
        error.pop("id", None)
        found.append(error)
    return found


async def test_another_sites_video_is_as_unknown_as_none(house: Running) -> None:
    _, caller, session = await house.connected()
    await house.admin.set_role("ailleurs", Role.REGULATOR)
    browser = await house.signed_in("ailleurs", "301")
    first = await house.desk(browser, "stranger-peer")
    second = await house.desk(browser, "stranger-peer")
    known, unknown = await answers(first, on(session)), await answers(second, on("f" * 32))
    assert known == unknown
    codes = [error["code"] for error in known]
    assert codes == ["not_found"] * 4 + ["message_out_of_order"] * 5
    await caller.alive()
    assert not [m for m in caller.told if m["type"] != "closed"]


async def test_another_desks_name_opens_nothing(house: Running) -> None:
    """Peers mint their own names: a desk that takes a watching desk's name is still not in the room."""
    _, caller, session = await house.connected()
    thief = await house.desk(await house.signed_in("arm", "202"), PEER)
    said = [
        each for each in on(session) if each[0] in {"signal.answer", "signal.restart", "webcam"}
    ]
    for error in await answers(thief, said):
        assert error["code"] == "message_out_of_order"
    await caller.alive()
    assert not [m for m in caller.told if m["type"].startswith(("signal.", "webcam"))]


async def test_another_sites_invitation_and_call_are_unknown(house: Running) -> None:
    desk, _, session = await house.connected()
    [invitation] = await house.rows("SELECT id FROM invitation")
    await house.admin.set_role("ailleurs", Role.ARM)
    there = await house.desk(await house.signed_in("ailleurs", "301"), "stranger-peer")
    for type_ in ("invitation.resend", "invitation.revoke", "invitation.move"):
        await there.say(type_, id="command-0201", invitation=invitation["id"])
        await there.refused("not_found")
    await desk.say("link.manual", id="command-0202", session=session, value="our-own-call")
    await desk.hear("done", id="command-0202")
    [call] = await house.rows("SELECT id FROM call")
    await there.say("invite", id="command-0203", mobile=MOBILE, call=call["id"])
    await there.refused("call_unknown")
    await there.say("link.choose", id="command-0204", session=session, call=call["id"])
    await there.refused("call_unknown")
    view = await there.say("session.watch", id="command-0205", session=session)
    await view.refused("not_found")


async def test_what_is_not_shown_here_is_out_of_order(house: Running) -> None:
    _, _, session = await house.connected()
    beside = await house.desk(await house.signed_in("arm", "202"), "desk-peer-9")
    said = [each for each in on(session) if not each[0].startswith(("session.", "link."))]
    assert {error["code"] for error in await answers(beside, said)} == {"message_out_of_order"}


async def test_a_station_without_a_webcam_has_none(house: Running) -> None:
    _, _, session = await house.connected()
    beside = await house.desk(await house.signed_in("arm", "202"), "desk-peer-9")
    await beside.say("session.watch", id="command-0301", session=session)
    await beside.hear("done", id="command-0301")
    await beside.say("webcam", session=session, on=True)
    await beside.refused("forbidden")


# --- I5: another browser, another token ------------------------------------------------------------
async def test_another_browser_reads_open_elsewhere(house: Running) -> None:
    _, caller, _ = await house.connected()
    [token] = await house.tokens()
    other = await house.tapped_elsewhere(token)
    for cookie in ({}, {"v15_browser": "x" * 32}, dict(other.cookies)):
        stranger = house.browser()
        stranger.cookies = cookie
        page = await house.connect("/ws/caller", stranger)
        await page.say("hello", token=token, page="phone-page-2")
        await page.refused("open_elsewhere")
        assert await page.closed() == (4409, "open_elsewhere")
    assert house.counted("open_elsewhere") >= 3
    await caller.alive()


@pytest.mark.parametrize("forged", ["a" * 27, "A" * 27, "-" * 64, "0" * 20])
async def test_a_forged_token_is_no_link(house: Running, forged: str) -> None:
    page = await house.connect("/ws/caller", house.browser())
    await page.say("hello", token=forged, page="phone-page-1")
    await page.refused("link_unknown")
    assert await page.closed() == (4404, "link_unknown")
    assert house.counted("link_unknown") == 1


async def test_a_link_that_was_not_tapped_has_no_socket_yet(house: Running) -> None:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    page = await house.connect("/ws/caller", house.browser())
    await page.say("hello", token=token, page="phone-page-1")
    await page.refused("message_out_of_order")
