"""Other eyes: one link, one browser, nothing but looking; seen by all, removable, written down."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from server.core.audit_entries import Actor
from server.core.words.for_observer import SENTENCES
from server.identity.domain.access import Role
from server.observers.web import WORDS_BURST
from tests.lab.process import until
from tests.pictures import jpeg, still
from tests.server.running import Running, running, written_logs
from tests.server.video.sdp_samples import CHROMIUM as OFFER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.server.house import Browser
    from tests.server.running import Page

LINK = re.compile(r"/o/([A-Za-z0-9_-]{27})")
HOSTILE = "<img src=x onerror=alert(1)> Dr Ève"


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def links(house: Running) -> list[str]:
    rows = await house.rows(
        "SELECT sealed FROM message WHERE kind = 'observer' AND sealed IS NOT NULL ORDER BY created, id"
    )
    texts = [json.loads(house.seal.open(row["sealed"]))["text"] for row in rows]
    return [found.group(1) for text in texts if (found := LINK.search(text))]


async def invite(desk: Page, session: str, command: str = "observer-0001", **who: str) -> str:
    who = who or {"name": HOSTILE, "mobile": "06 98 76 54 32"}
    await desk.say("observer.invite", id=command, session=session, **who)
    return str((await desk.hear("done", id=command))["result"]["observer"])


async def joined(house: Running, token: str) -> Browser:
    browser = house.browser()
    await browser.get(f"/o/{token}")
    await browser.get("/login")
    answer = await browser.post_json(f"/o/{token}/join", {})
    assert answer.code == 200, answer.body
    assert "Max-Age=86400" in answer.headers["Set-Cookie"], "a browser that is closed comes back"
    return browser


async def looks(
    house: Running, token: str, browser: Browser, page: str = "observer-page-1"
) -> Page:
    socket = await house.connect("/ws/observer", browser)
    await socket.say("hello", token=token, page=page)
    return socket


async def people(page: Page, kind: str = "participants", *, count: int) -> list[dict[str, Any]]:
    while True:
        message = await page.hear(kind)
        found: list[dict[str, Any]] = (
            message["people"] if kind == "participants" else message["sessions"][0]["participants"]
        )
        if sum(one["state"] == "watching" for one in found) == count:
            return found


async def test_from_the_invitation_to_the_removal(house: Running) -> None:
    with written_logs() as logs:
        desk, caller, session = await house.connected()
        id_ = await invite(desk, session)
        assert await invite(desk, session) == id_, "a repeated command is the same person"
        [token] = await links(house)
        browser = await joined(house, token)
        observer = await looks(house, token, browser)
        welcome = await observer.hear("welcome")
        assert welcome["by"] == "Prénom regulator"
        watch = await caller.hear("watch")
        await caller.hear("viewers", count=2)
        # All see all; the observer reads no number and removes nobody.
        shown = await people(observer, count=2)
        assert [(one["kind"], one["name"]) for one in shown] == [
            ("desk", "Prénom regulator · poste 201"),
            ("observer", HOSTILE),
        ]
        assert all(one["can"] == [] for one in shown)
        seen = await people(desk, "view", count=2)
        assert [one["can"] for one in seen] == [[], ["remove"]]
        # One offer for each viewer, relayed to him alone.
        await caller.say("signal.offer", peer=watch["peer"], sdp=OFFER)
        offer = await observer.hear("signal.offer")
        assert offer["session"] == session
        await observer.say("signal.answer", session=session, page=offer["page"], sdp=OFFER)
        assert (await caller.hear("signal.answer"))["peer"] == watch["peer"]
        await observer.say("signal.restart", session=session)
        await caller.hear("signal.restart", peer=watch["peer"])
        assert not [m for m in desk.told if m["type"] == "signal.offer"]

        await desk.say("observer.remove", id="command-0009", observer=id_)
        await desk.hear("done", id="command-0009")
        await caller.hear("unwatch", peer=watch["peer"])
        await caller.hear("viewers", count=1)
        assert await observer.closed() == (4403, "observer_removed")
        assert (await browser.get(f"/o/{token}")).code == 403
        again = await looks(house, token, browser)
        assert (await again.closed())[0] == 4403
        for secret in (token, HOSTILE, "698765432"):
            assert secret not in logs.getvalue()

    async def left() -> bool:
        return "observer.left" in await house.actions()

    await until(left, "his leaving is written: after the page has gone")
    actions = [a for a in await house.actions() if a.startswith("observer.")]
    assert actions[:3] == ["observer.invited", "observer.bound", "observer.joined"]
    assert sorted(actions[3:]) == ["observer.left", "observer.removed"]
    kept = json.dumps(await house.all_of("audit"), default=str)
    assert HOSTILE not in kept
    assert token not in kept


async def test_one_link_one_browser_and_the_newest_page_of_it(house: Running) -> None:
    desk, caller, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    scanner = house.browser()
    for _ in range(3):
        assert (await scanner.get(f"/o/{token}")).code == 200
        assert (await scanner.fetch(f"/o/{token}", method="HEAD")).code == 200
    early = await looks(house, token, scanner)
    await early.refused("message_out_of_order")
    browser = await joined(house, token)
    stranger = house.browser()
    page = (await stranger.get(f"/o/{token}")).body.decode()
    assert 'data-reason="open_elsewhere"' in page
    assert f"<p>{SENTENCES['open_elsewhere']}</p>" in page
    await stranger.get("/login")
    assert (await stranger.post_json(f"/o/{token}/join", {})).code == 409
    foreign = await looks(house, token, stranger)
    assert await foreign.closed() == (4409, "open_elsewhere")
    first = await looks(house, token, browser)
    await first.hear("welcome")
    second = await looks(house, token, browser, "observer-page-2")
    await second.hear("welcome")
    assert await first.closed() == (4409, "open_elsewhere")
    await people(second, count=2)
    # Its time to the first tap runs; a bound browser comes back for as long as the video lives.
    house.clock.pass_(minutes=20)
    assert (await browser.get(f"/o/{token}")).code == 200
    await desk.say("session.end", id="command-0009", session=session)
    await desk.hear("done", id="command-0009")
    assert await second.closed() == (4409, "session_ended")
    await caller.hear("ended")
    assert 'data-reason="session_ended"' in (await browser.get(f"/o/{token}")).body.decode()


async def test_when_the_session_ends_no_link_to_it_leaves_or_is_kept(house: Running) -> None:
    """Neither the caller's nor an observer's (I4)."""
    desk, _caller, session = await house.connected()
    await invite(desk, session)
    query = "SELECT kind, state, sealed FROM message WHERE kind IN ('invitation', 'observer')"
    before = await house.rows(query)
    assert sorted(row["kind"] for row in before) == ["invitation", "observer"]
    assert all(row["sealed"] for row in before)
    assert (await desk.answer("session.end", "command-0009", session=session))["type"] == "done"
    for row in await house.rows(query):
        assert (row["sealed"], row["state"] == "queued") == (None, False), row["kind"]


async def test_a_link_that_nobody_tapped_expires(house: Running) -> None:
    desk, _, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    house.clock.pass_(minutes=16)
    browser = house.browser()
    page = (await browser.get(f"/o/{token}")).body.decode()
    assert 'data-reason="link_expired"' in page
    assert f"<p>{SENTENCES['link_expired']}</p>" in page
    assert (await browser.get("/o/" + "x" * 27)).code == 404


async def test_three_see_and_hundreds_come(house: Running) -> None:
    """More than three viewers are refused, a page that comes without end fills neither room nor audit."""
    desk, _, session = await house.connected()
    for n in (1, 2):
        await invite(
            desk, session, f"observer-000{n}", name=f"Équipe {n}", email=f"e{n}@example.org"
        )
    await desk.say(
        "observer.invite", id="observer-0003", session=session, name="Trop", email="e3@example.org"
    )
    await desk.refused("viewers_full")
    tokens = await links(house)
    browsers = [await joined(house, token) for token in tokens]
    pages = [await looks(house, t, b) for t, b in zip(tokens, browsers, strict=True)]
    await people(pages[1], count=3)
    # A second desk is never refused; an observer that comes back then is.
    other = await house.desk(await house.signed_in("arm", "202"), "desk-peer-2")
    await other.say("session.watch", id="command-0007", session=session)
    await other.hear("done", id="command-0007")
    late = await looks(house, tokens[0], browsers[0], "observer-page-9")
    assert await late.closed() == (4409, "viewers_full")
    crowd = [
        await looks(house, tokens[1], browsers[1], f"observer-page-{n:04}") for n in range(120)
    ]
    closed = await asyncio.gather(*(one.closed() for one in crowd[10:]))
    assert set(closed) == {(4429, "message_flood")}
    rooms = house.server.sessions._rooms.get(session)
    assert len(rooms.desks) == 3, "two desks and the one whose newest page was let in"
    assert (await house.actions()).count("observer.joined") <= 12
    await desk.alive()


async def test_an_observer_says_nothing_else(house: Running) -> None:
    desk, caller, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    observer = await looks(house, token, await joined(house, token))
    await observer.hear("welcome")
    before = await house.rows("SELECT state FROM session")
    for message in (
        {"type": "session.end", "id": "command-0008", "session": session},
        {"type": "media.report", "session": session, "state": "lost"},
        {"type": "webcam", "session": session, "on": True},
        {"type": "observer.remove", "id": "command-0008", "observer": "x" * 8},
    ):
        await observer.raw(json.dumps(message))
        await observer.refused("message_unknown")
    # Another session's signalling, sound, a second hello.
    await observer.say("signal.restart", session="another-session")
    await observer.refused("message_out_of_order")
    audio = OFFER.replace("m=video", "m=audio")
    await observer.say("signal.answer", session=session, page="phone-page-1", sdp=audio)
    assert (await observer.hear("error"))["code"].startswith("sdp_")
    await observer.say("hello", token=token, page="observer-page-2")
    await observer.refused("message_out_of_order")
    assert await house.rows("SELECT state FROM session") == before
    assert not [m for m in caller.told if m["type"] in {"signal.answer", "webcam"}]


async def test_another_site_neither_invites_nor_removes(house: Running) -> None:
    desk, _, session = await house.connected()
    id_ = await invite(desk, session)
    await house.admin.add_user(
        "loin",
        "une phrase assez longue",
        site_key="montagne",
        name="Loin",
        role=Role.REGULATOR,
        email="loin@example.org",
        mobile=None,
    )
    await house.look_around()
    other = await house.desk(await house.signed_in("loin", "301"), "desk-peer-9")
    await other.say(
        "observer.invite", id="command-0001", session=session, name="X", email="x@example.org"
    )
    await other.refused("not_found")
    await other.say("observer.remove", id="command-0002", observer=id_)
    await other.refused("not_found")


async def test_the_site_s_list_and_what_is_missing(house: Running) -> None:
    await house.admin.add_observer("rivage", "SMUR Tours", mobile="06 11 22 33 44", email=None)
    desk, _, session = await house.connected()
    await invite(desk, session, listed="SMUR Tours")
    row = await house.rows("SELECT channel FROM observer")
    assert row == [{"channel": "sms"}]
    for fields, code in (
        ({"listed": "Personne"}, "not_found"),
        ({"name": "  ", "email": "a@example.org"}, "name_missing"),
        ({"name": "Dr X"}, "contact_missing"),
        ({"name": "Dr X", "mobile": "02 47 00 00 00"}, "number_landline"),
    ):
        await desk.say("observer.invite", id=f"observer-{code}", session=session, **fields)
        await desk.refused(code)


async def test_a_name_and_a_number_are_forgotten(house: Running) -> None:
    desk, _, session = await house.connected()
    await invite(desk, session)
    await house.admin.add_observer("rivage", "Dr Ève", mobile="06 98 76 54 32", email=None)
    await house.admin.add_observer("rivage", "SMUR", mobile=None, email="smur@example.org")
    site = house.sites["rivage"].id
    erasure = house.erasure
    await erasure.forget(Actor("cli", site), "0698765432")
    kept = await house.rows("SELECT kind, sealed FROM personal")
    names = [row for row in kept if row["kind"] == "name"]
    assert names
    assert all(row["sealed"] is None for row in names)
    assert await links(house) == []
    assert [one.name for one in await house.admin.observers("rivage")] == ["SMUR"]
    [payload] = await house.rows(
        "SELECT p.sealed FROM audit a JOIN audit_payload p ON p.site = a.site AND p.seq = a.seq"
        " WHERE a.action = 'observer.invited'"
    )
    assert payload["sealed"] is None


async def test_a_still_that_only_an_observer_could_have_is_seen_by_nobody(house: Running) -> None:
    """Observers are shown no stills: neither phone nor audit may read that somebody saw one (I3, I6)."""
    desk, caller, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    observer = await looks(house, token, await joined(house, token))
    await observer.hear("welcome")
    await caller.say("ladder", rung="stills", why="lost")
    desk.socket.close()
    await people(observer, count=1)
    millis = int(house.clock.now().timestamp() * 1000)
    await caller.raw(still(1, millis, jpeg()))
    assert (await caller.hear("still.ack"))["desks"] == 0
    await caller.say("ladder", rung="video", why="recovered")
    await caller.say("leave")
    await caller.hear("ended")
    assert "picture.still" not in await house.actions()
    rows = await house.rows("SELECT data FROM audit WHERE action = 'picture.rung' ORDER BY seq")
    assert [json.loads(row["data"])["stills"] for row in rows] == [0, 0]


async def test_an_observer_who_repeats_himself_fills_no_audit(house: Running) -> None:
    desk, caller, session = await house.connected()
    await invite(desk, session)
    [token] = await links(house)
    browser = await joined(house, token)
    observer = await looks(house, token, browser)
    await observer.hear("welcome")
    for _ in range(WORDS_BURST):
        await observer.say("signal.restart", session=session)
        await caller.hear("signal.restart")
    # Another page of his has what the former left.
    again = await looks(house, token, browser, "observer-page-2")
    await again.hear("welcome")
    await again.say("signal.answer", session=session, page="phone-page-1", sdp=OFFER)
    await again.refused("message_flood")
    house.clock.pass_(seconds=2)
    await again.say("signal.restart", session=session)
    await caller.hear("signal.restart")
    assert "sdp.accepted" not in await house.actions()
