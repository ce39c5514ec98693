"""Every route for every role and for nobody; every form without its token; every answer with its headers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from tornado.httpclient import HTTPClientError

from server.identity.domain.access import PERMISSIONS, Permission, Role
from server.identity.web.signed_in import SESSION_COOKIE, MaybeSignedIn, SignedIn
from server.web.base import BaseHandler
from tests.server.house import a_call
from tests.server.running import Running, running, written_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

    from tests.databases import Furnished
    from tests.server.house import Browser

TOKEN = "A" * 27
USES, READS, SENDS = Permission.DESK_USE, Permission.AUDIT_READ, Permission.FEEDBACK_SEND
RUNS = Permission.ADMIN
LINKS = Permission.AUDIT_LINK
FOLLOWS, TESTS = Permission.FEEDBACK_READ, Permission.SELFTEST_USE
ANYBODY, SIGNED_IN = "anybody", "signed in"


@dataclass(frozen=True)
class Route:
    """One way in: who may, and what they get who may."""

    method: str
    path: str
    need: Permission | str
    status: int
    form: dict[str, str] = field(default_factory=dict)
    as_json: bool = False
    signed_in: int | None = None  # what they get who are signed in already

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = [
    Route("GET", "/", ANYBODY, 302),
    Route("GET", "/login", ANYBODY, 200, signed_in=303),
    Route("POST", "/login", ANYBODY, 303, {"identifier": "x", "password": "y"}),
    Route("GET", "/login/code", ANYBODY, 303),
    Route("POST", "/login/code", ANYBODY, 401, {"code": "123456"}),
    Route("GET", "/login/standing", SIGNED_IN, 200, as_json=True),
    Route("POST", "/login/seen", SIGNED_IN, 200, as_json=True),
    Route("POST", "/logout", ANYBODY, 303),
    Route("GET", "/kiosk", SIGNED_IN, 200),
    Route("GET", "/desk", USES, 200),
    Route("GET", "/desk?launch=unknown-launch", USES, 200),
    Route("GET", "/desk?call=x", ANYBODY, 303),
    Route("GET", "/desk?call=" + "x" * 3_000, ANYBODY, 400),
    Route("GET", "/desk/station", USES, 200),
    Route("POST", "/desk/station", USES, 303, {"station": "201"}),
    Route("POST", "/desk/station", USES, 404, {"station": "301"}),
    Route("POST", "/desk/snapshots?session=unknown", USES, 403, as_json=True),
    Route("GET", f"/o/{TOKEN}", ANYBODY, 404),
    Route("POST", f"/o/{TOKEN}/join", ANYBODY, 404, as_json=True),
    Route("GET", "/c", ANYBODY, 200),
    Route("POST", "/c", ANYBODY, 404, {"code": "123456"}),
    Route("GET", f"/v/{TOKEN}", ANYBODY, 404),
    Route("POST", f"/v/{TOKEN}/open", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/tap", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/release", ANYBODY, 404, as_json=True),
    Route("GET", f"/v/{TOKEN}/cannot", ANYBODY, 404),
    Route("POST", f"/v/{TOKEN}/cannot", ANYBODY, 404),
    Route("GET", "/v/words/fr", ANYBODY, 200, as_json=True),
    Route("GET", "/v/words/xx", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/photo", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/wire", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/wire/{TOKEN}/up", ANYBODY, 404, as_json=True),
    Route("POST", f"/v/{TOKEN}/wire/{TOKEN}/down", ANYBODY, 404, as_json=True),
    Route("GET", f"/desk/photos/{TOKEN}", USES, 404),
    Route("GET", "/audit", READS, 200),
    Route("GET", "/audit?q=unknown", READS, 200),
    Route("GET", "/audit?day=2026-03-01", READS, 200),
    Route("GET", "/audit?day=yesterday", READS, 400),
    Route("POST", "/audit", READS, 200, {"number": "0612345678"}),
    Route("GET", "/audit/calls/unknown", READS, 404),
    Route("GET", "/audit/sessions/unknown", READS, 404),
    Route("GET", "/audit/recordings/unknown", READS, 404),
    Route("GET", "/audit/snapshots/unknown", READS, 404),
    Route("GET", "/audit/reconcile", LINKS, 200),
    Route("GET", "/audit/reconcile?day=yesterday", LINKS, 400),
    Route("GET", "/audit/reconcile/unknown", LINKS, 404),
    Route("POST", "/audit/reconcile/unknown", LINKS, 404, {"decision": "none", "seen": "1"}),
    Route("GET", "/api/v1/calls?alias=unknown", READS, 404, as_json=True),
    Route("GET", "/api", ANYBODY, 200),
    Route("GET", "/api/openapi.json", ANYBODY, 200, as_json=True),
    Route("GET", "/api/v1/telephony/events.schema.json", ANYBODY, 200, as_json=True),
    Route("POST", "/api/v1/telephony/events", ANYBODY, 401, as_json=True),
    Route("GET", "/admin/telephony", RUNS, 200),
    Route("GET", "/api/v1/telephony/health", RUNS, 200, as_json=True),
    Route("GET", "/feedback", SENDS, 200),
    Route("GET", "/incidents", FOLLOWS, 200),
    Route("GET", "/incidents?state=burnt", FOLLOWS, 400),
    Route("GET", "/incidents/unknown", FOLLOWS, 404),
    Route("POST", "/incidents/unknown", FOLLOWS, 404, {"state": "closed", "seen": "0"}),
    Route("GET", "/incidents.csv", FOLLOWS, 200),
    Route("GET", "/selftest", TESTS, 200),
    Route("POST", "/feedback", SENDS, 303, {"kind": "remark", "remark": "Bien."}),
    Route("GET", f"/receipts/sms/{TOKEN}?status=1", ANYBODY, 404, as_json=True),
    Route("POST", f"/receipts/sms/{TOKEN}?status=1", ANYBODY, 404, as_json=True),
    Route("GET", "/outbox", ANYBODY, 200),
    Route("POST", "/outbox/unknown/caller", ANYBODY, 404),
    Route("GET", "/healthz", ANYBODY, 200, as_json=True),
    Route("GET", "/readyz", ANYBODY, 200, as_json=True),
    Route("GET", "/metrics", ANYBODY, 200),
    Route("GET", "/no/such/page", ANYBODY, 404),
    Route("GET", "/static/css/base.css", ANYBODY, 200),
    Route("GET", "/static/no-such-file", ANYBODY, 404),
    Route("GET", "/static/..%2f..%2fsetup.py", ANYBODY, 403),
    Route("GET", "/favicon.ico", ANYBODY, 404),
    Route("GET", "/robots.txt", ANYBODY, 404),
    Route("DELETE", "/kiosk", ANYBODY, 403),
]
POSTS = [route for route in ROUTES if route.method == "POST"]
#: Machines have no page of ours; a page that cannot may have no cookies.
NO_TOKEN = {"/receipts/sms", "/api/v1/telephony/events", f"/v/{TOKEN}/cannot"}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path, demo=True) as house:
        yield house


def may(role: Role | None, need: Permission | str) -> bool:
    if need == ANYBODY:
        return True
    return role is not None and (need == SIGNED_IN or need in PERMISSIONS[role])


async def ask(browser: Browser, route: Route, *, token: bool = True) -> HTTPResponse:
    headers = {"Accept": "application/json"} if route.as_json else {}
    if route.method == "GET":
        return await browser.get(route.path, headers=headers)
    if "_xsrf" not in browser.cookies:
        await browser.get("/kiosk" if SESSION_COOKIE in browser.cookies else "/login")
    if route.as_json and not route.form:
        given = {"X-Xsrftoken": browser.cookies["_xsrf"]} if token else {}
        headers |= {"Content-Type": "application/json", **given}
        return await browser.fetch(route.path, method=route.method, body="{}", headers=headers)
    form = dict(route.form, **({"_xsrf": browser.cookies["_xsrf"]} if token else {}))
    body = None if route.method == "DELETE" else urlencode(form)
    return await browser.fetch(route.path, method=route.method, body=body, headers=headers)


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "nobody")
async def test_every_route_for_every_role(house: Running, role: Role | None) -> None:
    wrong = []
    for route in ROUTES:
        browser = await house.signed_in(role) if role else house.browser()
        answer = await ask(browser, route)
        expected = (role and route.signed_in) or route.status
        if not may(role, route.need):
            expected = (
                403 if role else (302 if not route.as_json and route.method == "GET" else 401)
            )
        if answer.code != expected:
            wrong.append((route.name, answer.code, expected))
        if expected == 302 and route.path != "/":
            assert answer.headers["Location"].startswith("/login")
    assert wrong == []


async def test_no_route_is_missing_here(house: Running) -> None:
    paths = [route.path.partition("?")[0] for route in ROUTES]
    for rule in house.server.app.wildcard_router.rules:
        pattern = rule.matcher.regex  # type: ignore[attr-defined]
        if not pattern.pattern.startswith("/ws/"):
            assert any(pattern.fullmatch(path) for path in paths), pattern.pattern


def handlers(root: type[BaseHandler]) -> Iterator[type[BaseHandler]]:
    for kind in root.__subclasses__():
        yield kind
        yield from handlers(kind)


def test_a_permission_is_declared_where_it_is_checked() -> None:
    """On another handler nothing would look at it, and everybody would come in."""
    checked = {"permission", "automatic", "finishes"}
    found = {kind for kind in handlers(BaseHandler) if checked & vars(kind).keys()}
    assert len(found) > 10
    assert [kind for kind in found - {MaybeSignedIn} if not issubclass(kind, SignedIn)] == []


async def test_a_session_that_was_revoked_is_nobody(house: Running) -> None:
    for route in ROUTES:
        if route.need == ANYBODY:
            continue
        who = {USES: "regulator", RUNS: "admin", TESTS: "arm"}.get(route.need, "referent")  # type: ignore[call-overload]
        browser = await house.signed_in(who)
        assert (await ask(browser, route)).code == route.status, route.name
        await house.login.logout(browser.cookies["v15_session"])
        assert (await ask(browser, route)).code in {302, 401}, route.name


@pytest.mark.parametrize("role", [r for r in Role if USES not in PERMISSIONS[r]])
async def test_no_desk_message_reaches_us_from_another_role(house: Running, role: Role) -> None:
    """The permission stands before the socket: without it there is nothing to say a message on."""
    with pytest.raises(HTTPClientError) as refused:
        await house.connect("/ws/desk", await house.signed_in(role))
    assert refused.value.code == 403
    answer = refused.value.response
    assert answer
    assert json.loads(answer.body)["error"]["code"] == "forbidden"
    assert house.counted("forbidden") == 1


async def test_a_role_that_changes_loses_its_open_desk(
    house: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an administrator takes away is gone at the next command, at the latest at the next tick."""
    monkeypatch.setattr("server.web.sockets.page_socket.TICK", 0.05)
    desk = await house.desk(await house.signed_in("regulator"))
    await house.admin.set_role("regulator", Role.AUDITOR)
    assert await desk.closed() == (4403, "forbidden")


# --- XSRF ------------------------------------------------------------------------------------------
@pytest.mark.parametrize("route", POSTS, ids=lambda route: route.name)
async def test_a_form_without_its_token_is_refused(house: Running, route: Route) -> None:
    if any(route.path.startswith(free) for free in NO_TOKEN):
        assert (await ask(house.browser(), route, token=False)).code == route.status
        return
    for identifier in ("regulator", "referent", None):
        browser = await house.signed_in(identifier) if identifier else house.browser()
        before = house.counted("xsrf_refused")
        answer = await ask(browser, route, token=False)
        assert answer.code == 403, (route.name, identifier)
        forged = {**route.form, "_xsrf": "2|00000000|" + "0" * 32 + "|1700000000"}
        answer = await browser.fetch(
            route.path,
            method="POST",
            body=urlencode(forged),
            headers={"Accept": "application/json"},
        )
        assert answer.code == 403
        assert json.loads(answer.body)["error"]["code"] == "xsrf_refused"
        assert house.counted("xsrf_refused") == before + 2


async def test_a_token_of_another_browser_is_refused(house: Running) -> None:
    one, other = house.browser(), house.browser()
    await one.get("/login")
    await other.get("/login")
    one_form = {"identifier": "x", "password": "y", "_xsrf": other.cookies["_xsrf"]}
    answer = await one.fetch("/login", method="POST", body=urlencode(one_form))
    assert answer.code == 403


#: Files, and where browsers look for files by themselves: they can do nothing at all.
FILES = ("/static", "/favicon.ico", "/robots.txt")


# --- the shape of an answer ------------------------------------------------------------------------
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.name}")
async def test_every_answer_has_its_headers(house: Running, route: Route) -> None:
    for identifier in ("regulator", "auditor", None):
        browser = await house.signed_in(identifier) if identifier else house.browser()
        answer = await ask(browser, route)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Server"] == "visio15"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        if route.path.startswith(FILES):
            assert policy == "default-src 'none'; frame-ancestors 'none'"
            continue
        assert policy.startswith("default-src 'self';")
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy
        assert "unsafe" not in policy
        assert "microphone=()" in answer.headers["Permissions-Policy"]
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "code", "status"),
    [
        ("/api/v1/calls?alias=unknown", "not_found", 404),
        ("/api/v1/calls", "alias_malformed", 400),
        ("/api/v1/calls?alias=%00", "alias_malformed", 400),
        ("/api/v1/calls?alias=%ff", "invalid", 400),
        (f"/receipts/sms/{TOKEN}", "invalid", 400),
        (f"/receipts/sms/{TOKEN}?status=x", "invalid", 400),
        (f"/receipts/sms/{TOKEN}?status=%C2%B2", "invalid", 400),
        (f"/receipts/sms/{TOKEN}?status=-1", "invalid", 400),
        (f"/receipts/sms/{TOKEN}?status=99999", "invalid", 400),
        (f"/receipts/sms/{TOKEN}?status=1", "not_found", 404),
        ("/nowhere", "not_found", 404),
    ],
)
async def test_an_error_is_a_code_and_a_sentence(
    house: Running, path: str, code: str, status: int
) -> None:
    browser = await house.signed_in("auditor")
    answer = await browser.get(path, headers={"Accept": "application/json"})
    assert answer.code == status
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    error = json.loads(answer.body)["error"]
    assert set(error) == {"code", "message", "say"}
    assert error["code"] == code
    assert re.fullmatch(r"[A-ZÀ-Ý].*[.?!]", error["message"])
    assert house.counted(code) >= 1


async def test_an_error_of_a_page_is_a_page(house: Running) -> None:
    answer = await house.browser().get("/nowhere")
    assert answer.code == 404
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Introuvable." in answer.body.decode()


async def test_a_refusal_of_access_names_who_asked(house: Running) -> None:
    """By ids only: the auditor of the log finds the person, the log itself names nobody."""
    call = await a_call(house)
    with written_logs() as log:
        for identifier, path in (
            ("regulator", "/audit"),
            ("regulator", "/admin/telephony"),
            ("ailleurs", f"/audit/calls/{call.id}"),
        ):
            assert (await (await house.signed_in(identifier)).get(path)).code in {403, 404}
        await house.browser().get("/audit")
        desk = await house.desk(await house.signed_in("regulator"))
        await desk.say("session.watch", id="command-0077", session="unknown-session")
        await desk.hear("error")
    said = [json.loads(line) for line in log.getvalue().splitlines()]
    refused = [line for line in said if line["event"] in {"request.refused", "socket.refused"}]
    rivage, other = house.users["regulator"], house.users["ailleurs"]
    assert [(line.get("user"), line.get("site"), line["code"]) for line in refused] == [
        (rivage.id, rivage.site, "forbidden"),
        (rivage.id, rivage.site, "forbidden"),
        (other.id, other.site, "call_unknown"),
        (None, None, "not_signed_in"),
        (rivage.id, rivage.site, "not_found"),
    ]
    assert "Prénom" not in log.getvalue()
