"""A page that cannot do its work tells the desk: without a script, without cookies, and no stranger in its place."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.httputil import HTTPHeaders

from server.caller.domain import way_out
from server.caller.web.page import GESTURES_BURST
from server.core.words.languages import BY_CODE
from server.desk.domain.sentences import SAYINGS
from server.video.domain.session import BEFORE_ASKING, PAGE_BARRED, PAGE_CANNOT
from tests.lab.process import until
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.house import Browser
    from tests.server.running import Page

_KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_IOS = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
CHROME = f"Mozilla/5.0 (Linux; Android 9) {_KIT} Chrome/70.0.3538.64 Mobile Safari/537.36"
OPERA = f"{CHROME} OPR/50.0"
FACEBOOK = f"{_IOS} Mobile/15E148 [FBAN/FBIOS]"
SAFARI = f"{_IOS} Version/14.0 Mobile/15E148 Safari/604.1"
LINK = "https://samu.example/v/" + "A" * 27


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def invited(house: Running) -> tuple[Page, str, str]:
    """A desk, its session, and the link it sent."""
    desk = await house.desk(await house.signed_in("regulator"))
    session = await house.invite(desk)
    [token] = await house.tokens()
    return desk, session, token


async def tell(phone: Browser, token: str, body: str, **headers: str) -> HTTPResponse:
    """What is left of the page says it: no cookie, no token."""
    given = {"Accept": "application/json", "Content-Type": "application/json", **headers}
    return await phone.fetch(f"/v/{token}/cannot", method="POST", body=body, headers=given)


async def submit(phone: Browser, path: str, **headers: str) -> HTTPResponse:
    """The big button of a page without a script."""
    given = {"Accept": "text/html", "Origin": "null", **headers}
    return await phone.fetch(path, method="POST", body="", headers=given)


async def shown(desk: Page, session: str, text: str) -> dict[str, Any]:
    """The session in the first view that says this."""
    while True:
        view = await desk.hear("view")
        one: dict[str, Any] = next(s for s in view["sessions"] if s["id"] == session)
        if one["say"]["text"] == text:
            return one


async def written(house: Running) -> list[str]:
    """What the audit says, but of our own messages."""
    return [action for action in await house.actions() if not action.startswith("message.")]


def failed(session: dict[str, Any]) -> list[str]:
    return [step["key"] for step in session["steps"] if step["state"] == "failed"]


def code(answer: HTTPResponse) -> str:
    return str(json.loads(answer.body)["error"]["code"])


@pytest.mark.parametrize("why", sorted(BEFORE_ASKING))
async def test_the_desk_reads_what_to_say_and_why(house: Running, why: str) -> None:
    desk, session, token = await invited(house)
    assert (await tell(house.browser(), token, json.dumps({"why": why}))).code == 200
    one = await shown(desk, session, SAYINGS[why][0].say.text)
    assert (one["state"], one["say"]["cause"]) == ("opened", SAYINGS[why][0].say.cause)
    assert failed(one) == ["tapped"]
    assert "camera.refused" in await written(house)
    assert house._sample("visio15_page_cannot_total", why=why) == 1


async def test_without_a_script_the_button_answers_and_tells(house: Running) -> None:
    desk, session, token = await invited(house)
    phone = house.browser()
    page = await phone.get(f"/v/{token}", headers={"Accept-Language": "ar-MA"})
    form = re.search(r'<form[^>]+method="post" action="(/v/[^"]+/cannot)"', page.body.decode())
    assert form
    button = re.search(r'<button[^>]+type="submit"[^>]+id="tap"', page.body.decode())
    assert button
    answer = await submit(phone, form[1], **{"Accept-Language": "ar-MA", "User-Agent": OPERA})
    html = answer.body.decode()
    assert answer.code == 200
    assert 'lang="ar" dir="rtl"' in html
    assert f'value="{house.url}/v/{token}"' in html
    assert "intent://" in html
    assert f'href="/v/{token}"' in html, "try again"
    await shown(desk, session, SAYINGS["no_script"][0].say.text)
    # In another language: the same page, and nothing is told.
    before = await written(house)
    for language in BY_CODE:
        again = await phone.get(f"/v/{token}/cannot?lang={language}")
        assert again.code == 200
        html = again.body.decode()
        assert f'<html lang="{language}"' in html
        assert "built-in method" not in html, "a sentence, not what Python has under its name"
    assert await written(house) == before


async def test_a_page_that_works_takes_the_word_away(house: Running) -> None:
    desk, session, token = await invited(house)
    await tell(house.browser(), token, '{"why": "old_browser"}')
    await shown(desk, session, SAYINGS["old_browser"][0].say.text)
    phone = house.browser()
    await phone.get(f"/v/{token}")
    for _ in range(2):
        assert (await phone.post_json(f"/v/{token}/open", {"language": "fr"})).code == 200
    one = await shown(desk, session, SAYINGS["opened"][0].say.text)
    assert not failed(one)
    assert (await written(house)).count("page.works") == 1, "a repetition writes nothing"


async def test_it_takes_nothing_from_a_live_picture_nor_from_who_has_the_link(
    house: Running,
) -> None:
    desk, caller, session = await house.connected()
    await caller.say("camera", state="granted")
    await desk.say("media.report", session=session, state="flowing")
    while True:
        view = await desk.hear("view")
        if next(s for s in view["sessions"] if s["id"] == session)["state"] == "live":
            break
    [token] = await house.tokens()
    before = await written(house)
    refused = await tell(house.browser(), token, '{"why": "cookies"}')
    assert (refused.code, code(refused)) == (409, "open_elsewhere")
    # The picture goes on without the line of its page.
    caller.socket.close()
    await until(lambda: house.server.sessions._rooms.get(session).phone is None, "it has gone")
    assert await written(house) == before
    assert (await tell(house.phones[0], token, '{"why": "lost_script"}')).code == 200
    assert "camera.refused" not in await written(house)


async def test_a_second_page_takes_nothing_from_the_one_that_speaks(house: Running) -> None:
    """The same browser opens the link twice, and the network loses a part of the second page."""
    _desk, caller, session = await house.connected()
    await caller.say("camera", state="granted")
    await caller.alive()
    [token] = await house.tokens()
    for answer in (
        await tell(house.phones[0], token, '{"why": "lost_script"}'),
        await submit(house.phones[0], f"/v/{token}/cannot"),
    ):
        assert answer.code == 200
    assert "camera.refused" not in await written(house)
    [row] = await house.rows("SELECT state, camera FROM session")
    assert row == {"state": "connecting", "camera": "granted"}
    # It has gone: now the page that cannot is the only one.
    caller.socket.close()
    await until(lambda: house.server.sessions._rooms.get(session).phone is None, "it has gone")
    await tell(house.phones[0], token, '{"why": "lost_script"}')
    [row] = await house.rows("SELECT state, camera FROM session")
    assert row == {"state": "tapped", "camera": "lost_script"}


async def test_a_page_without_a_camera_is_counted_as_well(house: Running) -> None:
    """Its script runs, and says it as it is opened."""
    _, _, token = await invited(house)
    phone = house.browser()
    await phone.get(f"/v/{token}")
    for why in sorted(PAGE_BARRED):
        said = {"language": "fr", "camera": why}
        assert (await phone.post_json(f"/v/{token}/open", said)).code == 200
        assert house._sample("visio15_page_cannot_total", why=why) == 1


async def test_what_a_page_says_twice_is_written_once(house: Running) -> None:
    desk, session, token = await invited(house)
    page = house.browser()
    for why in ("old_browser", "old_browser", "no_script"):
        assert (await tell(page, token, json.dumps({"why": why}))).code == 200
        house.clock.pass_(seconds=30)
    assert (await written(house)).count("camera.refused") == 2
    await tell(page, token, '{"why": "no_script"}')
    one = await shown(desk, session, SAYINGS["no_script"][0].say.text)
    assert one["say_later"], "the wait goes on from the first time"
    house.clock.pass_(seconds=20)
    await tell(page, token, '{"why": "no_script"}')
    await desk.say("session.watch", id="command-0002", session=session)
    await shown(desk, session, SAYINGS["no_script"][1].say.text)


@pytest.mark.parametrize(
    "body",
    [
        *("", "{}", "[]", "null", "{", '{"why": 1}', '{"why": "denied"}', '{"why": null}'),
        *('{"why": ["cookies"]}', '{"why": "' + "x" * 2000 + '"}', "[" * 100_000),
    ],
    ids=lambda body: body[:20],
)
async def test_other_words_are_refused(house: Running, body: str) -> None:
    _, _, token = await invited(house)
    before = await written(house)
    answer = await tell(house.browser(), token, body)
    assert (answer.code, code(answer)) == (400, "invalid")
    assert await written(house) == before


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
async def test_another_site_is_refused(house: Running, headers: dict[str, str]) -> None:
    _, _, token = await invited(house)
    before = await written(house)
    answer = await tell(house.browser(), token, '{"why": "cookies"}', **headers)
    assert (answer.code, code(answer)) == (403, "origin_foreign")
    assert (await submit(house.browser(), f"/v/{token}/cannot", **headers)).code == 403
    assert await written(house) == before
    own = {"Origin": house.url, "Sec-Fetch-Site": "same-origin"}
    assert (await tell(house.browser(), token, '{"why": "cookies"}', **own)).code == 200


async def test_links_that_do_not_work_answer_as_everywhere(house: Running) -> None:
    desk, session, token = await invited(house)
    unknown = "A" * 27
    assert code(await tell(house.browser(), unknown, '{"why": "cookies"}')) == "link_unknown"
    page = await submit(house.browser(), f"/v/{unknown}/cannot")
    assert (page.code, b'data-reason="unknown"' in page.body) == (404, True)
    assert "<h1>Ce lien est inconnu</h1>" in page.body.decode()
    await desk.say("session.end", id="command-0008", session=session)
    await desk.hear("done", id="command-0008")
    assert code(await tell(house.browser(), token, '{"why": "cookies"}')) == "session_ended"
    for answer in (
        await submit(house.browser(), f"/v/{token}/cannot"),
        await house.browser().get(f"/v/{token}/cannot"),
    ):
        assert (answer.code, b'data-reason="ended"' in answer.body) == (410, True)


async def test_it_has_the_pace_of_the_other_gestures(house: Running) -> None:
    _, _, token = await invited(house)
    phone, before = house.browser(), len(await written(house))
    words = sorted(PAGE_CANNOT)
    told = [
        (await tell(phone, token, json.dumps({"why": words[turn % len(words)]}))).code
        for turn in range(GESTURES_BURST + 10)
    ]
    assert told.count(200) == GESTURES_BURST
    assert set(told) == {200, 429}
    # A person still reads the way out.
    page = await submit(phone, f"/v/{token}/cannot")
    assert (page.code, b'id="cannot"' in page.body) == (429, True)
    assert len(await written(house)) - before <= 2 * GESTURES_BURST
    assert house.counted("message_flood") == 11


# --- cookies ---------------------------------------------------------------------------------------
class Forgetful:
    """A browser that keeps no cookie."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    async def post(self, path: str, token: str, **fields: str) -> HTTPResponse:
        self._browser.cookies.clear()
        body = urlencode({**fields, "_xsrf": token})
        return await self._browser.fetch(path, method="POST", body=body)

    async def post_json(self, path: str, token: str) -> HTTPResponse:
        self._browser.cookies.clear()
        headers = HTTPHeaders({"X-Xsrftoken": token, "Accept": "application/json"})
        return await self._browser.fetch(path, method="POST", body="{}", headers=headers)

    async def token(self, path: str) -> str:
        self._browser.cookies.clear()
        page = (await self._browser.get(path)).body.decode()
        found = re.search(r'name="xsrf" content="([^"]+)"', page)
        assert found
        return found[1]


async def test_a_browser_without_cookies_is_told_so(house: Running) -> None:
    """Never that its link is dead, nor that its page has expired."""
    _, _, token = await invited(house)
    phone = Forgetful(house.browser())
    for gesture in ("open", "tap", "release"):
        answer = await phone.post_json(f"/v/{token}/{gesture}", await phone.token(f"/v/{token}"))
        assert (answer.code, code(answer)) == (403, "cookies_missing")
    typed = await phone.post("/c", await phone.token("/c?lang=fr"), code="123456")
    assert typed.code == 403
    assert 'data-code="cookies_missing"' in typed.body.decode()
    assert "Ce navigateur bloque les cookies" in typed.body.decode()
    signing = await phone.post("/login", await phone.token("/login"), identifier="x")
    assert signing.code == 403
    assert 'name="password"' in signing.body.decode(), "the form itself, to go on with"
    assert "Ce navigateur bloque les cookies" in signing.body.decode()
    assert house.counted("cookies_missing") == 5


async def test_a_page_that_is_too_old_asks_again(house: Running) -> None:
    browser = house.browser()
    await browser.get("/c")
    stale = {"_xsrf": "2|00000000|" + "0" * 32 + "|1700000000"}
    for path, field in (("/c", 'id="code"'), ("/login", 'name="password"')):
        answer = await browser.fetch(path, method="POST", body=urlencode(stale))
        assert answer.code == 403
        assert field in answer.body.decode()
    assert (house.counted("xsrf_refused"), house.counted("cookies_missing")) == (2, 0)


# --- the way out -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("agent", "starts", "browser"),
    [
        (OPERA, "intent://samu.example/v/", "Chrome"),
        (CHROME, "", ""),
        (CHROME.replace("Android 9", "Android 9; wv"), "intent://samu.example/v/", "Chrome"),
        (FACEBOOK, "x-safari-https://samu.example/v/", "Safari"),
        (SAFARI, "", ""),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/60.0", "", ""),
        ("", "", ""),
    ],
)
def test_the_way_into_another_browser(agent: str, starts: str, browser: str) -> None:
    address, name = way_out(agent, LINK)
    assert address.startswith(starts)
    assert bool(address) == bool(starts)
    assert name == browser


def test_the_way_is_the_one_that_the_page_itself_gives() -> None:
    """The addresses that tests/js/caller/camera/guide.test.mjs demands of the script."""
    link = "https://visio15.example:8443/v/Zk3v0T_x-9QmP1aB2cD3"
    script = (Path(__file__).parents[2] / "js" / "caller" / "camera" / "guide.test.mjs").read_text()
    demanded = script.replace('" +\n      "', "")
    for agent in (FACEBOOK, OPERA):
        assert f'"{way_out(agent, link)[0]}"' in demanded


async def test_a_lost_script_has_another_address(house: Running) -> None:
    """Browsers that remember a failed import find it, and all that it imports, in a folder of another name."""
    phone = house.browser()
    plain = await phone.fetch("/static/js/caller/camera/again.js")
    for name in ("js-1/caller/camera/again.js", "js-27/caller/camera/again.js"):
        again = await phone.fetch(f"/static/{name}")
        assert (again.code, again.body) == (200, plain.body)
        assert again.headers["Content-Type"] == plain.headers["Content-Type"]
    for name in (
        "js-/caller/camera/again.js",
        "js-1/../../README.md",
        "js-1/%2e%2e/%2e%2e/README.md",
        "js-1/js-2/caller/camera/again.js",
        "css-1/base.css",
    ):
        assert (await phone.fetch(f"/static/{name}")).code in {403, 404}, name
