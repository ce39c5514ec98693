"""An incident or a remark reaches the référent with its context, stays on record, and leaks nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from server.core.personal import PersonalStore
from server.incidents.service.feedback import CONTEXT, known_context

if TYPE_CHECKING:
    from tests.server.house import Browser, House

REMARK = "L'image de M. Untel se fige.\nDeux fois ce matin."


async def test_an_incident_reaches_the_referent(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "regulator")
    context = {"page": "/desk", "session": "video1", "ua": "Firefox", "password": "x", "call": {}}
    sent = await browser.post_json(
        "/feedback", {"kind": "incident", "remark": REMARK, "context": context}
    )
    assert sent.code == 201
    (mail,) = [m for m in await house.messages() if m["kind"] == "feedback"]
    assert mail["to"] == "referent@rivage.example"
    assert mail["reply_to"] == "regulator@example.org"
    assert "SAMU rivage" in mail["subject"]
    for expected in ("L'image de M. Untel se fige.\nDeux fois", "/desk", "video1", "Firefox"):
        assert expected in mail["text"]
    assert "password" not in mail["text"]
    assert "Prénom regulator" in mail["text"]
    (row,) = await house.rows("SELECT * FROM feedback")
    assert row["id"] == json.loads(sent.body)["id"]
    assert row["kind"] == "incident"
    assert json.loads(row["context"]).keys() == {"page", "session", "ua", "version"}
    async with house.server.transactions(write=False) as uow:
        assert await PersonalStore(uow).get(house.sites["rivage"].id, row["remark"]) == REMARK
    assert (await house.actions())[-1] == "feedback.sent"


async def test_the_remark_stands_sealed(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "auditor")
    await browser.post_json("/feedback", {"kind": "remark", "remark": REMARK, "context": {}})
    for table in ("feedback", "personal", "message", "audit", "audit_payload"):
        assert "Untel" not in repr(await house.all_of(table))


async def test_the_bare_form_works_too(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "arm")
    sent = await browser.post("/feedback", {"kind": "remark", "remark": "Très bien."})
    assert (sent.code, sent.headers["Location"]) == (303, "/feedback")
    assert len(await house.rows("SELECT * FROM feedback")) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "incident", "remark": ""},
        {"kind": "incident", "remark": " \n "},
        {"kind": "incident", "remark": "x" * 4001},
        {"kind": "praise", "remark": "x"},
        {"remark": "x"},
        {},
        [],
        "x",
    ],
)
async def test_what_says_nothing_or_too_much_is_refused(
    house: House, browser: Browser, body: object
) -> None:
    await browser.sign_in(house, "regulator")
    refused = await browser.post_json("/feedback", body)
    assert refused.code == 400
    assert json.loads(refused.body)["error"]["code"] == "invalid"
    assert await house.rows("SELECT * FROM feedback") == []


async def test_a_body_of_nothing_but_brackets_is_refused(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "regulator")
    headers = {"Content-Type": "application/json", "X-Xsrftoken": browser.xsrf}
    refused = await browser.fetch("/feedback", method="POST", body="[" * 60_000, headers=headers)
    assert refused.code == 400


async def test_a_context_of_any_form_is_survived(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "regulator")
    for context in (
        None,
        [],
        "x",
        3,
        {"page": None},
        {"page": ["x"]},
        {"page": "x" * 9999},
        {"page": "\ud800"},
    ):
        body = {"kind": "remark", "remark": "x\ud800", "context": context}
        assert (await browser.post_json("/feedback", body)).code == 201
    for row in await house.rows("SELECT context FROM feedback"):
        assert len(row["context"]) < 400


async def test_it_takes_a_sign_in_and_the_page_s_token(browser: Browser) -> None:
    await browser.get("/login")
    assert (await browser.post_json("/feedback", {"kind": "remark", "remark": "x"})).code == 401
    body = json.dumps({"kind": "remark", "remark": "x"})
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    refused = await browser.fetch("/feedback", method="POST", body=body, headers=headers)
    assert json.loads(refused.body)["error"]["code"] == "xsrf_refused"


async def test_a_mail_cannot_be_given_more_headers(house: House, browser: Browser) -> None:
    await browser.sign_in(house, "regulator")
    remark = "x\r\nBcc: everybody@example.org\r\n\r\nbody"
    context = {"page": "/desk\r\nBcc: e@example.org"}
    await browser.post_json("/feedback", {"kind": "remark", "remark": remark, "context": context})
    mail = (await house.messages())[-1]
    for header in ("to", "subject", "reply_to"):
        assert "\n" not in mail[header]
    assert "/desk  Bcc" in mail["text"]


def test_every_known_key_has_a_french_name() -> None:
    given = dict.fromkeys([*CONTEXT, "unknown"], "v")
    assert known_context(given) == dict.fromkeys(CONTEXT, "v")
    assert known_context({"page": "a\x00b\u2028c"}) == {"page": "a b c"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            {"steps": "live : opened done 3 s, tapped done 12 s"},
            "live : opened done 3 s, tapped done 12 s",
        ),
        ({"cause": "Le 06 12 34 56 78 ne répond pas"}, "Le … ne répond pas"),
        ({"cause": "+33612345678"}, "…"),
        (
            {"cause": "06\u201112\u201134\u201156\u201178 et 06\u202f12\u202f34\u202f56\u202f78"},
            "… et …",
        ),
        ({"quality": "v=0\r\no=- 46117 2 IN IP4 127.0.0.1"}, None),
        ({"quality": "candidate:1 1 udp 2113937151 192.0.2.1 5000 typ host"}, None),
        ({"image": "data:image/png;base64,AAAA"}, None),
        ({"call": "0612345678"}, None),
        ({"call": "x y"}, None),
        ({"session": "0f3c6d1a9b"}, "0f3c6d1a9b"),
        ({"viewport": "1366x768@1"}, "1366x768@1"),
        (
            {"ua": "Mozilla/5.0 (X11; Linux) Chrome/140.0.0.0 Safari/537.36"},
            "Mozilla/5.0 (X11; Linux) Chrome/140.0.0.0 Safari/537.36",
        ),
    ],
)
def test_nothing_personal_stays_in_a_context(given: dict[str, str], kept: str | None) -> None:
    """No picture, number, name or SDP, whatever a page sends."""
    assert list(known_context(given).values()) == ([] if kept is None else [kept])
