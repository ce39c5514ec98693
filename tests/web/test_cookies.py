"""Cookies no script reads, no other site sends and, over TLS, no plain connection carries."""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from tests.web.running import Running, running

if TYPE_CHECKING:
    from pathlib import Path

    from tornado.httpclient import HTTPResponse


def cookies(answer: HTTPResponse) -> dict[str, Any]:
    """The cookies that are set; those that are cleared have no value."""
    kept: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("Set-Cookie"):
        kept.load(line)
    return {name: cookie for name, cookie in kept.items() if cookie.value}


def test_cookies_over_tls(io_loop: Any, furnished_database: Path, tmp_path: Path) -> None:
    for scheme in ("https", "http"):
        folder = tmp_path / scheme
        folder.mkdir()
        with running(
            io_loop, furnished_database, folder, public_url=f"{scheme}://visio15.example"
        ) as house:
            found = io_loop.run_sync(lambda house=house: every_cookie(house))
        names = {"_xsrf", "v15_next", "v15_challenge", "v15_session", "v15_station", "v15_browser"}
        assert set(found) == names
        for name, cookie in found.items():
            assert bool(cookie["secure"]) is (scheme == "https"), name
            assert cookie["samesite"] == "Lax", name
            assert cookie["path"] == "/", name
            assert bool(cookie["httponly"]) is (name != "_xsrf"), name
            assert not cookie["domain"], name


async def every_cookie(house: Running) -> dict[str, Any]:
    browser = house.browser()
    found = cookies(await browser.get("/login?next=/desk"))
    found |= cookies(await browser.ask_code("regulator"))
    found |= cookies(await browser.post("/login/code", {"code": await house.code()}))
    found |= cookies(await browser.post("/desk/station", {"station": "201"}))
    desk = await house.desk(browser)
    await house.invite(desk)
    token = (await house.tokens())[-1]
    phone = house.browser()
    await phone.get(f"/v/{token}")
    found |= cookies(await phone.post_json(f"/v/{token}/tap", {}))
    return found
