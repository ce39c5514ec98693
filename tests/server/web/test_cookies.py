"""Cookies no script reads, no other site sends and, over TLS, no plain connection carries."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from server.demo.certificates import ensure
from server.demo.doors import Door
from tests.server.house import PASSWORD
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.house import Browser


def cookies(answer: HTTPResponse) -> dict[str, Any]:
    """The cookies that are set; those that are cleared have no value."""
    kept: SimpleCookie = SimpleCookie()
    for line in answer.headers.get_list("Set-Cookie"):
        kept.load(line)
    return {name: cookie for name, cookie in kept.items() if cookie.value}


def test_cookies_over_tls(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> None:
    for scheme in ("https", "http"):
        folder = tmp_path / scheme
        folder.mkdir()
        with running(
            io_loop, furnished_database, folder, public_url=f"{scheme}://visio15.example"
        ) as house:
            found = io_loop.run_sync(lambda house=house: every_cookie(house))
        ours = "__Host-" if scheme == "https" else ""
        assert set(found) == {ours + name for name in LIVES}
        for name, cookie in found.items():
            assert bool(cookie["secure"]) is (scheme == "https"), name
            assert cookie["samesite"] == "Lax", name
            assert cookie["path"] == "/", name
            assert bool(cookie["httponly"]) is (not name.endswith("_xsrf")), name
            assert not cookie["domain"], name
            assert cookie["max-age"] == LIVES[name.removeprefix("__Host-")], name
            assert not cookie["expires"], "a phone with a wrong clock drops the cookie"


#: Seconds; without them a cookie ends with the browser.
LIVES = {
    "_xsrf": "",
    "v15_next": "600",
    "v15_challenge": "600",
    "v15_session": "",
    "v15_launch": "1800",
    "v15_station": "31536000",
    "v15_browser": "21600",
    "v15_observer": "86400",
}


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
    found |= cookies(await house.browser().get(f"/o/{'a' * 27}"))
    found |= cookies(await house.browser().get("/desk?call=abc"))
    return found


@pytest.fixture
def over_tls(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    url = "https://visio15.example"
    with running(io_loop, furnished_database, tmp_path, public_url=url) as house:
        yield house


async def test_a_neighbour_of_our_domain_plants_nothing(over_tls: Running) -> None:
    """What another host of the same domain may set has no name that we read."""
    token = "2|00000000|" + "0" * 32 + "|1700000000"
    planted = over_tls.browser()
    planted.cookies["_xsrf"] = token
    body = urlencode({"_xsrf": token, "identifier": "x", "password": "y"})
    refused = await planted.fetch("/login", method="POST", body=body)
    assert refused.code == 403
    mine = await over_tls.signed_in("regulator")
    planted.cookies["v15_session"] = mine.cookies.pop("v15_session")
    assert (await planted.get("/kiosk")).code == 302


async def test_a_sign_out_clears_the_cookie_as_it_was_set(over_tls: Running) -> None:
    browser = await over_tls.signed_in("regulator")
    browser.cookies["__Host-v15_session"] = browser.cookies.pop("v15_session")
    await browser.get("/kiosk")
    gone = await browser.post("/logout", {})
    [line] = [one for one in gone.headers.get_list("Set-Cookie") if "v15_session" in one]
    assert line.startswith('__Host-v15_session="";')
    assert "Secure" in line  # browsers drop the line without it, and the cookie would stay
    assert "Path=/" in line
    assert "Max-Age=-1" in line  # a clock that is years late would keep it until `Expires`
    assert "expires" not in line.lower()


async def test_a_caller_in_mid_video_survives_the_new_names(over_tls: Running) -> None:
    """The phone tapped under the release before: its page goes on, reloads and sends a photo."""
    desk = await over_tls.desk(await signed_in(over_tls))
    await over_tls.invite(desk)
    [token] = await over_tls.tokens()
    phone = await over_tls.tapped(token)
    for name in ("v15_browser", "_xsrf"):
        phone.cookies[name] = phone.cookies.pop(f"__Host-{name}")
    kept = phone.cookies["v15_browser"]
    await over_tls.caller(token, phone)
    headers = {"X-Xsrftoken": phone.cookies["_xsrf"], "X-Visio15-Photo": "photo-0001"}
    part = await phone.fetch(f"/v/{token}/photo", method="POST", body=b"", headers=headers)
    assert json.loads(part.body)["error"]["code"] == "invalid"  # as a photo, not as a stranger's
    assert (await phone.get(f"/v/{token}")).code == 200
    assert phone.cookies["__Host-v15_browser"] == kept
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200


async def test_an_old_name_binds_nothing_new(over_tls: Running) -> None:
    desk = await over_tls.desk(await signed_in(over_tls))
    await over_tls.invite(desk)
    [token] = await over_tls.tokens()
    phone = over_tls.browser()
    phone.cookies["v15_browser"] = "planted-by-a-neighbour"
    await phone.get(f"/v/{token}")
    assert phone.cookies["__Host-v15_browser"] != "planted-by-a-neighbour"
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 200
    thief = over_tls.browser()
    thief.cookies["__Host-v15_browser"] = "planted-by-a-neighbour"
    assert (await thief.get(f"/v/{token}")).code == 410


async def test_an_old_name_types_no_code(over_tls: Running) -> None:
    desk = await over_tls.desk(await signed_in(over_tls))
    made = await desk.answer("code.make", "command-code")
    phone = over_tls.browser()
    phone.cookies["v15_browser"] = "planted-by-a-neighbour"
    typed = await phone.post("/c", {"code": made["result"]["code"]})
    assert typed.code == 303
    name = cookies(typed)["__Host-v15_browser"]
    assert name.value != "planted-by-a-neighbour"
    assert int(name["max-age"]) > 0, "a browser that is closed comes back"


async def signed_in(house: Running) -> Browser:
    """A regulator, with the cookies of this transport."""
    browser = await house.signed_in("regulator")
    browser.cookies = {f"__Host-{name}": value for name, value in browser.cookies.items()}
    return browser


# --- the two doors of a demonstration --------------------------------------------------------------
def test_each_door_of_a_demonstration_sets_cookies_that_browsers_take(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path
) -> None:
    """Safari, and Chrome before release 89, keep no Secure cookie for http://localhost: every form would be refused."""
    files = ensure(tmp_path / "tls", ("127.0.0.1",), datetime.now(UTC))
    settings: dict[str, Any] = {
        "demo": True,
        "public_url": "https://127.0.0.1:8016",
        "tls_certificate": files.chain,
        "tls_key": files.key,
    }
    with running(io_loop, furnished_database, tmp_path, **settings) as house:
        plain, over_tls = io_loop.run_sync(lambda: both_doors(house, files.authority))
    assert set(plain) == {"_xsrf", "v15_challenge", "v15_session"}
    assert not any(cookie["secure"] for cookie in plain.values())
    assert set(over_tls) == {"__Host-_xsrf", "__Host-v15_challenge", "__Host-v15_session"}
    assert all(cookie["secure"] for cookie in over_tls.values())


async def both_doors(house: Running, authority: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a sign-in sets through the plain door, and over TLS."""
    public_url = house.server.settings.public_url
    door = HTTPServer(Door(house.server.app, public_url))
    sockets = bind_sockets(0, "127.0.0.1")
    door.add_sockets(sockets)
    found = []
    for url, trusted in (
        (f"http://127.0.0.1:{sockets[0].getsockname()[1]}", {}),
        (f"https://127.0.0.1:{house.server.port}", {"ca_certs": str(authority)}),
    ):
        browser = house.browser()
        house.clients[-1].address = url
        set_ = cookies(await browser.get("/login", **trusted))
        for path, form in (
            ("/login", {"identifier": "regulator", "password": PASSWORD, "channel": "email"}),
            ("/login/code", {}),
        ):
            given = form or {"code": await house.code()}
            set_ |= cookies(await browser.post(path, given, **trusted))
        found.append(set_)
    door.stop()
    await door.close_all_connections()
    return found[0], found[1]
