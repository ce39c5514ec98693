"""A link as people get it opens, or the page of its reader says what to do; nobody reads "404 · not_found"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.server.caller.test_page import invited
from tests.server.running import Running, running
from tests.server.web.test_hosts import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

#: As in the field case, and what else was seen behind a link or in it.
TAILS = (
    *(".", ",", ";", ")", "%3E", "%22", "/", "%20", "%C2%A0", "%E2%80%8B", "&utm_source=sms"),
    *("%0D%0A", "%253E", "%E3%80%82", "%D8%9F", "_", "%C2%BB", "%E2%80%A6", "%E2%80%8E."),
)
NEVER_GIVEN = "Zk3v0T_x-9QmP1aB2cD3eF4gH5i"


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def test_a_link_with_a_tail_leads_to_the_link(house: Running) -> None:
    token = await invited(house)
    encoded = "".join(f"%{ord(letter):02X}" for letter in token)
    cut = f"{token[:9]}%0D%0A{token[9:]}"
    paths = [f"/v/{token}{tail}" for tail in TAILS]
    paths += [f"/v/{encoded}", f"/v%2F{token}", f"//v/{token}", f"/v/{cut}", f"/v/{token}/tap"]
    wrong = []
    for path in paths:
        for method in ("GET", "HEAD"):
            answer = await house.browser().fetch(path, method=method)
            if (answer.code, answer.headers.get("Location")) != (303, f"/v/{token}"):
                wrong.append((method, path, answer.code))
    assert wrong == []
    phone = house.browser()
    led = await phone.get(f"/v/{token}.?lang=ar&utm_source=sms")
    assert led.headers["Location"] == f"/v/{token}?lang=ar"
    assert led.headers["Referrer-Policy"] == "no-referrer"
    assert not led.headers.get_list("Set-Cookie")
    page = await phone.get(led.headers["Location"])
    assert page.code == 200
    assert '<html lang="ar"' in page.body.decode()


@pytest.mark.parametrize("page", ["", "/cannot"])
@pytest.mark.parametrize("lang", ["%FF", "fr&lang=%FF", "xx", "%00", "a%0D%0Ab:c"])
async def test_a_language_that_nobody_has_is_no_error(house: Running, page: str, lang: str) -> None:
    token = await invited(house)
    answer = await house.browser().get(f"/v/{token}{page}?lang={lang}")
    html = answer.body.decode()
    assert answer.code == 200
    assert f'href="/v/{token}"' in html, "try again, in the language of the phone"


async def test_every_token_is_led_to_alike(house: Running) -> None:
    """Who guesses learns nothing from the signs around a token."""
    for path in (f"/v/{NEVER_GIVEN}", f"/o/{NEVER_GIVEN}"):
        led = await house.browser().get(f"{path}.")
        assert (led.code, led.headers["Location"]) == (303, path)
        assert (await house.browser().get(path)).code == 404


@pytest.mark.parametrize(
    "path",
    [
        *("/v", "/v/", "/v/.", "/v/%ff", "/%76"),
        f"/v/{NEVER_GIVEN[:-1]}",
        f"/v/{NEVER_GIVEN[:-1]}.",
        f"/v/{NEVER_GIVEN}x",
        f"/v/{NEVER_GIVEN}",
        f"/v/{NEVER_GIVEN}?lang=%FF",
        f"/v/{NEVER_GIVEN[:20]}/{NEVER_GIVEN}/{NEVER_GIVEN[::-1]}",
    ],
)
async def test_what_is_no_link_is_said_on_the_callers_page(house: Running, path: str) -> None:
    phone = house.browser()
    headers = {"Accept-Language": "tr"}
    answer = await phone.fetch(path, headers=headers)
    html = answer.body.decode()
    assert answer.code == 404
    assert '<html lang="tr"' in html
    assert "Telefonda doktordan yeni bir mesaj isteyin." in html
    assert "not_found" not in html
    assert house.counted("link_unknown") == 1
    head = await phone.fetch(path, method="HEAD", headers=headers)
    assert (head.code, head.body) == (404, b"")


@pytest.mark.parametrize("path", ["/o", "/o/", f"/o/{NEVER_GIVEN[:-1]}.", f"/o/{NEVER_GIVEN}"])
async def test_what_is_no_link_is_said_on_the_observers_page(house: Running, path: str) -> None:
    answer = await house.browser().get(path)
    html = answer.body.decode()
    assert answer.code == 404
    assert "Pas d’image ici" in html
    assert "demandez-en un autre au régulateur" in html
    assert house.counted("link_unknown") == 1


@pytest.mark.parametrize("path", ["/c.", "/C", "/c/", "/c/123456", "/c%E2%80%8B", "/c?lang=ar."])
async def test_the_address_read_aloud_as_it_was_typed(house: Running, path: str) -> None:
    answer = await house.browser().get(path)
    if answer.code == 303:
        assert answer.headers["Location"] == "/c"
        answer = await house.browser().get("/c")
    assert answer.code == 200
    assert 'name="code"' in answer.body.decode()


async def test_a_form_or_a_script_is_not_led_anywhere(house: Running) -> None:
    for path in (f"/v/{NEVER_GIVEN}./tap", "/v/", "/o/", "/desk/"):
        assert (await house.browser().fetch(path, method="POST", body="")).code == 404
    answer = await house.browser().fetch("/desk/", headers={"Accept": "application/json"})
    assert answer.code == 404


async def test_a_page_of_professionals_with_a_tail_is_found(house: Running) -> None:
    browser = await house.signed_in("regulator")
    for path, page in (("/desk/", "/desk"), ("/incidents/12.", "/incidents/12")):
        answer = await browser.get(path)
        assert (answer.code, answer.headers["Location"]) == (303, page)
    led = await browser.get("/desk/?call=abc&caller=%2B33612345678")
    assert led.headers["Location"] == "/desk?call=abc&caller=%2B33612345678"
    nothing = await browser.get("/nothing.")
    assert nothing.headers["Location"] == "/nothing"
    assert (await browser.get("/nothing")).code == 404


@pytest.fixture
def outside(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    url = "https://samu37.example"
    with running(io_loop, furnished_database, tmp_path, public_url=url) as house:
        yield house


async def test_the_host_as_people_write_it(outside: Running) -> None:
    """A dot at its end makes it another host for browsers: no socket of the page would open there."""
    path = f"/v/{NEVER_GIVEN}"
    for host in ("SAMU37.EXAMPLE", "samu37.example:443", "Samu37.Example:443"):
        answer = await ask(outside, host, path)
        assert answer.startswith("HTTP/1.1 404 ")
        assert "css/caller/main.css" in answer
    for method in ("GET", "HEAD"):
        answer = await ask(outside, "samu37.example.", path, method=method)
        assert answer.startswith("HTTP/1.1 303 ")
        assert f"\r\nLocation: //samu37.example{path}\r\n" in answer
    for typed in ("/c", "/c."):
        answer = await ask(outside, "samu37.example.:443", typed)
        assert "\r\nLocation: //samu37.example:443/c\r\n" in answer
    assert "404" in (await ask(outside, "samu37.example.", "/v/"))[:20]
