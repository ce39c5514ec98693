"""Signing in: the same answer and the same work for everybody, five tries, five minutes, back-off, revocation."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher

from server.identity.store.users import UserStore
from server.identity.web.signed_in import SESSION_COOKIE
from tests.server.house import PASSWORD, Browser, House, wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from tornado.httpclient import HTTPResponse

VOLATILE = {"Date", "Set-Cookie", "Etag"}
CASES = [
    ("regulator", "a wrong password, long enough"),
    ("nobody-at-all", PASSWORD),
    ("nobody-at-all", ""),
    ("", ""),
    ("régulateur", "é" * 5000),
]


def outside(response: HTTPResponse) -> tuple[int, bytes, dict[str, str], list[str]]:
    """What a stranger sees of an answer; cookie values aside, their lengths included."""
    headers = {k: v for k, v in response.headers.get_all() if k not in VOLATILE}
    cookies = []
    for line in response.headers.get_list("Set-Cookie"):
        first, _, attributes = line.partition(";")
        name, _, value = first.partition("=")
        kept = [a for a in attributes.split(";") if not a.strip().startswith("expires")]
        cookies.append(f"{name}={len(value)}{kept}")
    return response.code, response.body, headers, sorted(cookies)


def unmasked(response: HTTPResponse) -> bytes:
    """The page without its XSRF token, which differs each time it is written."""
    return re.sub(rb"2\|[0-9a-f|]+", b"TOKEN", response.body)


@pytest.mark.parametrize(("identifier", "password"), CASES)
@pytest.mark.parametrize("channel", ["email", "sms"])
async def test_the_answer_is_the_same_whoever_asks(
    open_browser: Callable[[], Browser], identifier: str, password: str, channel: str
) -> None:
    right, other = open_browser(), open_browser()
    await right.get("/login")
    await other.get("/login")
    expected = outside(await right.ask_code("regulator", channel=channel))
    assert outside(await other.ask_code(identifier, password, channel)) == expected
    assert expected[0] == 303
    shown = await right.get("/login/code")
    shown_other = await other.get("/login/code")
    assert outside(shown)[0] == outside(shown_other)[0] == 200
    assert unmasked(shown) == unmasked(shown_other)


@pytest.mark.parametrize(("identifier", "password"), CASES)
@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("known", ["regulator", "arm"])
async def test_the_work_is_the_same_whoever_asks(
    house: House, browser: Browser, identifier: str, password: str, channel: str, known: str
) -> None:
    await browser.get("/login")
    before = house.passwords.verifications
    with house.statements() as right:
        await browser.ask_code(known, channel=channel)
    assert house.passwords.verifications == before + 1
    with house.statements() as other:
        await browser.ask_code(identifier, password, channel)
    assert house.passwords.verifications == before + 2
    assert right == other
    assert Counter(s.split()[0] for s in right)["INSERT"] >= 6


async def test_a_wrong_code_costs_the_same_with_right_and_wrong_password(
    house: House, open_browser: Callable[[], Browser]
) -> None:
    seen = []
    for password in (PASSWORD, "a wrong password"):
        browser = open_browser()
        await browser.ask_code("regulator", password)
        guess = wrong(await house.code())
        with house.statements() as sent:
            refused = await browser.post("/login/code", {"code": guess})
        kinds = Counter(statement.split()[0] for statement in sent)
        seen.append((refused.code, kinds))
    assert seen[0] == seen[1]
    assert seen[0][0] == 401


async def test_only_right_credentials_send_a_code(house: House, browser: Browser) -> None:
    for identifier, password in CASES:
        await browser.ask_code(identifier, password)
    assert await house.messages() == []
    await browser.ask_code(" Regulator ")
    (message,) = await house.messages()
    assert (message["to"], message["channel"]) == ("regulator@example.org", "email")
    assert message["subject"]
    assert "SAMU rivage" in message["text"]
    assert message["html"]


async def test_the_code_falls_back_to_the_other_contact(house: House, browser: Browser) -> None:
    await browser.ask_code("regulator", channel="sms")
    house.clock.pass_(seconds=1)
    await browser.ask_code("arm", channel="sms")
    sms, mail = await house.messages()
    assert (sms["channel"], sms["to"], sms["sender"]) == ("sms", "+33612345678", "SAMU15")
    assert (mail["channel"], mail["to"]) == ("email", "arm@example.org")


async def test_signing_in_and_out(house: House, browser: Browser) -> None:
    response = await browser.sign_in(house, "regulator")
    assert response.headers["Location"] == "/kiosk"
    (cookie,) = [c for c in response.headers.get_list("Set-Cookie") if c.startswith(SESSION_COOKIE)]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    kept = dict(browser.cookies)
    assert (await browser.get("/kiosk")).code == 200
    assert (await browser.post("/logout", {})).headers["Location"] == "/login"
    browser.cookies = kept
    assert (await browser.get("/kiosk")).headers["Location"].startswith("/login")
    signed = ["login.code_sent", "login.succeeded", "login.ended"]
    assert (await house.actions())[-3:] == signed


async def test_a_code_works_once(house: House, browser: Browser) -> None:
    await browser.ask_code("regulator")
    kept, code = dict(browser.cookies), await house.code()
    assert (await browser.post("/login/code", {"code": code})).code == 303
    browser.cookies = kept
    assert (await browser.post("/login/code", {"code": code})).code == 401


async def test_a_code_works_in_its_own_browser_only(
    house: House, open_browser: Callable[[], Browser]
) -> None:
    mine, other = open_browser(), open_browser()
    await mine.ask_code("regulator")
    code = await house.code()
    assert (await other.post("/login/code", {"code": code})).code == 401
    await other.ask_code("auditor", "a wrong password")
    assert (await other.post("/login/code", {"code": code})).code == 401


@pytest.mark.parametrize("how", ["revoke_sessions", "disable", "reset_password"])
async def test_a_revoked_session_is_refused_at_once(
    house: House, browser: Browser, how: str
) -> None:
    await browser.sign_in(house, "regulator")
    assert (await browser.get("/kiosk")).code == 200
    more = ("another long password",) if how == "reset_password" else ()
    await getattr(house.admin, how)("regulator", *more)
    assert (await browser.get("/kiosk")).code == 302


async def test_a_disabled_user_gets_no_code_and_cannot_use_one(
    house: House, browser: Browser
) -> None:
    await browser.ask_code("regulator")
    code = await house.code()
    sent = len(await house.messages())
    await house.admin.disable("regulator")
    assert (await browser.post("/login/code", {"code": code})).code == 401
    await browser.ask_code("regulator")
    assert len(await house.messages()) == sent


async def test_a_session_is_written_at_most_once_a_minute(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "regulator")
    house.clock.pass_(seconds=61)
    with house.statements() as sent:
        for _ in range(5):
            await browser.get("/kiosk")
    assert sum("UPDATE web_session" in statement for statement in sent) == 1


async def test_a_form_without_xsrf_is_refused(browser: Browser) -> None:
    for path in ("/login", "/login/code", "/logout"):
        headers = {"Accept": "application/json"}
        refused = await browser.fetch(path, method="POST", body="identifier=x", headers=headers)
        assert refused.code == 403
        assert json.loads(refused.body)["error"]["code"] == "xsrf_refused"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/desk?launch=x&next=//evil",
        "/desk?caller=0612345678",
        "/desk\r\nX: y",
        "javascript:alert(1)",
        "/logout",
    ],
)
async def test_no_open_redirect(house: House, browser: Browser, target: str) -> None:
    browser.cookies["v15_next"] = "https://evil.example/"
    await browser.get(f"/login?{urlencode({'next': target})}")
    assert (await browser.sign_in(house, "regulator")).headers["Location"] == "/kiosk"


async def test_the_launch_survives_the_sign_in(house: House, browser: Browser) -> None:
    await browser.get("/login?next=%2Fdesk%3Flaunch%3DabcDEF_-1")
    response = await browser.sign_in(house, "regulator")
    assert response.headers["Location"] == "/desk?launch=abcDEF_-1"


async def test_the_password_is_hashed_again_with_new_parameters(
    house: House, browser: Browser, until: Any
) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    async with house.server.transactions() as uow:
        await UserStore(uow).save(replace(house.users["regulator"], password_hash=weak))
        await uow.commit()
    await browser.sign_in(house, "regulator")

    async def stronger() -> bool:
        (row,) = await house.rows(
            "SELECT password_hash FROM \"user\" WHERE identifier = 'regulator'"
        )
        return not house.passwords.stale(row["password_hash"])

    await until(stronger)
    await browser.sign_in(house, "regulator")


async def test_nothing_secret_is_stored_in_clear(house: House, browser: Browser) -> None:
    await browser.ask_code("regulator", channel="sms")
    code = await house.code()
    challenge = browser.cookies["v15_challenge"]
    await browser.post("/login/code", {"code": code})
    session = browser.cookies[SESSION_COOKIE]
    tables = ["login_challenge", "web_session", "throttle", "message", "audit", "audit_payload"]
    everything = "".join([repr(await house.all_of(table)) for table in tables])
    for secret in (challenge, session, "regulator@", "Prénom", "612345678", PASSWORD, "127.0.0.1"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("role", "enabled"),
    [
        ("regulator", {"desk", "feedback", "selftest"}),
        ("arm", {"desk", "feedback", "selftest"}),
        ("auditor", {"audit", "feedback"}),
        ("referent", {"audit", "feedback", "incidents"}),
        ("admin", {"feedback", "incidents", "selftest"}),
    ],
)
async def test_the_kiosk_shows_what_a_role_may_open(
    house: House, browser: Browser, role: str, enabled: set[str]
) -> None:
    await browser.sign_in(house, role)
    page = (await browser.get("/kiosk")).body.decode()
    for module in ("desk", "audit", "feedback", "incidents", "selftest"):
        tile = page.split(f'id="module-{module}"')[0].rsplit("class=", 1)[1]
        assert ("off" not in tile.split(">")[0]) == (module in enabled)
    assert "module-outbox" not in page
