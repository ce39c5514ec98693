"""Incidents are followed: listed, changed by one person at a time, exported harmlessly, erased, and sealed by site."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from server.core.clock import Ids
from server.identity.domain.sign_in import StoredSignIn
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.identity.web.signed_in import SESSION_COOKIE
from server.incidents.domain import YEAR, cell, number_of, reference, row
from server.incidents.service import incidents as listing
from server.incidents.service.feedback import MOST_AN_HOUR

if TYPE_CHECKING:
    from tests.server.house import Browser, House

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'
FORMULA = '=HYPERLINK("http://example.org","x")'
FIRST = "INC-2026-0001"


async def send(browser: Browser, remark: str, kind: str = "incident", **context: Any) -> str:
    """Send one; return its id."""
    sent = await browser.post_json(
        "/feedback", {"kind": kind, "remark": remark, "context": context}
    )
    assert sent.code == 201, sent.body
    return str(json.loads(sent.body)["id"])


async def as_(house: House, browser: Browser, identifier: str) -> None:
    """Become somebody else in this browser, as after the code."""
    cookie, now = Ids().token(), house.clock.now()
    id_ = hashlib.sha256(cookie.encode()).hexdigest()
    [user] = [one for one in await house.admin.users() if one.identifier == identifier]
    async with house.server.transactions() as uow:
        session = StoredSignIn(id_, user.site, user.id, now, now, now + timedelta(hours=14), None)
        await LoginStore(uow).add_web_session(session)
        await uow.commit()
    browser.cookies.clear()
    browser.cookies[SESSION_COOKIE] = cookie
    assert (await browser.get("/kiosk")).code == 200


async def change(
    browser: Browser, id_: str, state: str, seen: int, note: str = ""
) -> tuple[int, str]:
    answer = await browser.post(
        f"/incidents/{id_}", {"state": state, "note": note, "seen": str(seen)}
    )
    return answer.code, answer.body.decode()


async def page(browser: Browser, path: str, code: int = 200) -> str:
    answer = await browser.get(path)
    assert answer.code == code, answer.body
    return answer.body.decode()


async def exported(browser: Browser, path: str = "/incidents.csv") -> list[dict[str, str]]:
    answer = await browser.get(path)
    assert answer.code == 200
    assert answer.headers["Content-Type"].startswith("text/csv")
    text = answer.body.decode("utf-8-sig")
    assert text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


async def test_it_is_followed_from_new_to_closed(house: House, browser: Browser) -> None:
    await as_(house, browser, "regulator")
    id_ = await send(browser, "L'image se fige.", session="video1", page="/desk")
    house.clock.pass_(seconds=1)
    await send(browser, "Très bien.", "remark")
    mail = next(m for m in await house.messages() if m["kind"] == "feedback")
    assert mail["subject"] == f"Visio15, SAMU rivage : incident {FIRST}"
    assert f"/incidents/{id_}" in mail["text"]

    await as_(house, browser, "referent")
    assert "2 nouveaux" in await page(browser, "/kiosk")
    listed = await page(browser, "/incidents")
    assert listed.index("INC-2026-0002") < listed.index(FIRST)
    one = await page(browser, f"/incidents/{id_}")
    for expected in ("L&#39;image se fige.", 'href="/audit/sessions/video1"', "Prénom regulator"):
        assert expected in one
    assert await change(browser, id_, "acknowledged", 0, "Vu avec l'éditeur.") == (303, "")
    assert (await change(browser, id_, "forwarded", 1))[0] == 303
    assert (await change(browser, id_, "forwarded", 2, "Numéro de l'agence : 12."))[0] == 303
    assert (await change(browser, id_, "closed", 3))[0] == 303
    assert "1 nouveau<" in await page(browser, "/kiosk")
    one = await page(browser, f"/incidents/{id_}")
    history = one[one.index('id="history"') :]
    words = ("Nouveau", "Pris en compte", "Vu avec l&#39;éditeur.", "Transmis à l’agence", "Clos")
    places = [history.index(word) for word in words]
    assert places == sorted(places)
    # Only states and ids in the chain; the notes stand sealed.
    actions = [a for a in await house.actions() if a.startswith("feedback.")]
    assert actions == ["feedback.sent"] * 2 + ["feedback.state_changed"] * 4
    for table in ("feedback", "feedback_step", "audit", "audit_payload", "personal", "message"):
        assert "diteur" not in repr(await house.all_of(table))

    # The author sees where it stands, and no note.
    await as_(house, browser, "regulator")
    mine = await page(browser, "/feedback")
    assert FIRST in mine
    assert "Clos" in mine
    assert "diteur" not in mine
    answer = await browser.get("/feedback", headers={"Accept": "application/json"})
    assert [(m["reference"], m["state"]) for m in json.loads(answer.body)["mine"]] == [
        ("INC-2026-0002", "new"),
        (FIRST, "closed"),
    ]
    await as_(house, browser, "arm")
    assert FIRST not in await page(browser, "/feedback")


async def test_two_people_at_once(house: House, browser: Browser) -> None:
    """The second to decide is told so, in words, and loses no note; both at the very same time too."""
    await as_(house, browser, "regulator")
    id_ = await send(browser, "Panne.")
    await as_(house, browser, "referent")
    assert (await change(browser, id_, "acknowledged", 0))[0] == 303
    await as_(house, browser, "admin")
    code, shown = await change(browser, id_, "closed", 0, "Mon avis à moi")
    assert code == 409
    assert 'data-code="incident_changed"' in shown
    assert "Une autre personne a modifié ce signalement" in shown
    assert "Mon avis à moi</textarea>" in shown
    assert 'name="seen" value="1"' in shown
    codes = await asyncio.gather(
        *(change(browser, id_, state, 1) for state in ("forwarded", "closed"))
    )
    assert sorted(code for code, _ in codes) == [303, 409]
    assert len(await house.rows("SELECT * FROM feedback_step")) == 2
    # A program gets the code.
    body = {"state": "closed", "seen": "0", "note": "x"}
    answer = await browser.post(f"/incidents/{id_}", body, headers={"Accept": "application/json"})
    assert json.loads(answer.body)["error"]["code"] == "incident_changed"


@pytest.mark.parametrize(
    "form",
    [
        {"state": "new", "seen": "0"},
        {"state": "burnt", "seen": "0"},
        {"state": "", "seen": "0"},
        {"state": "closed"},
        {"state": "closed", "seen": "x"},
        {"state": "closed", "seen": "\u00b2"},
        {"state": "closed", "seen": "9" * 30},
        {"state": "closed", "seen": "-1"},
        {"state": "closed", "seen": "0", "note": "x" * 2001},
        {"seen": "0", "note": "x"},
    ],
)
async def test_a_wrong_change_is_refused(
    house: House, browser: Browser, form: dict[str, str]
) -> None:
    await as_(house, browser, "regulator")
    id_ = await send(browser, "Panne.")
    await as_(house, browser, "referent")
    assert (await browser.post(f"/incidents/{id_}", form)).code == 400
    assert await house.rows("SELECT * FROM feedback_step") == []
    assert (await change(browser, "unknown", "closed", 0))[0] == 404


async def test_nothing_hostile_runs_on_any_screen(house: House, browser: Browser) -> None:
    """Remark, note, context and a person's own name: text everywhere."""
    async with house.server.transactions() as uow:
        user = await UserStore(uow).get(house.users["regulator"].site, house.users["regulator"].id)
        await uow.commit()
    renamed = type(user)(**{**{k: getattr(user, k) for k in user.__slots__}, "name": HOSTILE})
    async with house.server.transactions() as uow:
        await UserStore(uow).save(renamed)
        await uow.commit()
    await as_(house, browser, "regulator")
    id_ = await send(browser, HOSTILE, page=HOSTILE, session="x'><b>", call="javascript:alert(1)")
    seen = [await page(browser, "/feedback"), await page(browser, "/kiosk")]
    await as_(house, browser, "referent")
    assert (await change(browser, id_, "closed", 0, HOSTILE))[0] == 303
    code, conflict = await change(browser, id_, "closed", 0, HOSTILE)
    assert code == 409
    seen += [
        await page(browser, "/incidents"),
        await page(browser, f"/incidents/{id_}"),
        conflict,
    ]
    for text in seen:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "javascript:" not in text
        assert "{{7*7}}" in text
        assert not re.search(r"\b49\b", re.sub(r'"[^"]*"', "", text))


async def test_the_export_is_harmless(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quoted as RFC 4180 says, no formula, every row also when they come in several reads."""
    monkeypatch.setattr(listing, "BATCH", 2)
    await as_(house, browser, "regulator")
    remarks = [FORMULA, "+33", "-1", "@SUM(A1)", " =1", "\t=1", 'a "quoted", b\r\nc', "Été"]
    for remark in remarks:
        await send(browser, remark, page=FORMULA)
    await as_(house, browser, "referent")
    rows = await exported(browser)
    assert [one["Référence"] for one in rows] == [
        reference(2026 * YEAR + n) for n in range(8, 0, -1)
    ]
    for one in rows:
        for value in one.values():
            assert value.lstrip()[:1] not in {"=", "+", "-", "@"}
    texts = [one["Texte"] for one in rows][::-1]
    assert texts == [
        "'" + FORMULA,
        "'+33",
        "'-1",
        "'@SUM(A1)",
        "'=1",
        "'=1",
        'a "quoted", b\nc',
        "Été",
    ]
    assert (await house.actions())[-1] == "feedback.exported"
    assert [o["Texte"] for o in await exported(browser, "/incidents.csv?kind=remark")] == []


async def test_the_list_is_filtered_and_paged(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    await as_(house, browser, "regulator")
    ids = [await send(browser, f"n {n}", "remark" if n == 1 else "incident") for n in range(3)]
    house.clock.pass_(days=1)
    await as_(house, browser, "regulator")
    ids += [await send(browser, f"n {n}") for n in range(3, 5)]
    await as_(house, browser, "referent")
    await change(browser, ids[4], "closed", 0)

    async def seen(query: str) -> list[int]:
        text = await page(browser, f"/incidents?{query}")
        return [int(n) for n in re.findall(r">INC-2026-(\d{4})</a>", text)]

    assert await seen("") == [5, 4]
    assert 'below=INC-2026-0004"' in await page(browser, "/incidents")
    assert await seen("below=INC-2026-0004") == [3, 2]
    assert await seen("below=INC-2026-0002") == [1]
    assert await seen("state=closed") == [5]
    assert await seen("kind=remark") == [2]
    assert await seen("from=2026-03-02&to=2026-03-02") == [5, 4]
    assert await seen("to=2026-03-01&kind=incident") == [3, 1]
    assert await seen("from=2026-03-03") == []
    for wrong in ("state=x", "kind=x", "from=yesterday", "below=1", "below=INC-2026-%C2%B2"):
        for path in ("/incidents", "/incidents.csv"):
            assert (await browser.get(f"{path}?{wrong}")).code == 400, wrong


async def test_the_texts_can_be_erased(house: House, browser: Browser) -> None:
    """The row stays and says so; the mail that carried it is emptied too; the chain stays whole."""
    await as_(house, browser, "regulator")
    id_ = await send(browser, "M. Untel, 06 12 34 56 78, ne voyait rien.")
    other = await send(browser, "Autre chose.")
    await as_(house, browser, "referent")
    await change(browser, id_, "acknowledged", 0, "Rappeler M. Untel")
    assert (await browser.post(f"/incidents/{id_}", {"action": "erase"})).code == 303
    one = await page(browser, f"/incidents/{id_}")
    assert "Untel" not in one
    assert one.count("effacé") >= 2
    assert FIRST in await page(browser, "/incidents")
    [first, second] = await house.rows("SELECT mail FROM feedback ORDER BY number")
    mails = {m["id"]: m["sealed"] for m in await house.rows("SELECT id, sealed FROM message")}
    assert mails[first["mail"]] is None
    assert mails[second["mail"]] is not None
    assert [o["Texte"] for o in await exported(browser)] == ["Autre chose.", "effacé"]
    assert "feedback.erased" in await house.actions()
    assert "Autre chose." in await page(browser, f"/incidents/{other}")


async def test_sites_are_sealed(house: House, browser: Browser) -> None:
    """Another site's incidents are not found, not counted and not numbered with ours (I7)."""
    await as_(house, browser, "regulator")
    id_ = await send(browser, "Chez nous.")
    await house.admin.add_user(
        "referent2",
        "correct horse battery staple",
        site_key="montagne",
        name="Autre",
        role=house.users["referent"].role,
        email="referent2@example.org",
        mobile=None,
    )
    await as_(house, browser, "referent2")
    assert "nouveau" not in await page(browser, "/kiosk")
    assert FIRST not in await page(browser, "/incidents")
    await page(browser, f"/incidents/{id_}", 404)
    assert (await change(browser, id_, "closed", 0))[0] == 404
    assert (await browser.post(f"/incidents/{id_}", {"action": "erase"})).code == 404
    assert await exported(browser) == []
    await send(browser, "Chez eux.")
    assert [o["Référence"] for o in await exported(browser)] == [FIRST]


async def test_who_floods_is_stopped(house: House, browser: Browser) -> None:
    await as_(house, browser, "regulator")
    for number in range(MOST_AN_HOUR):
        await send(browser, f"n {number}")
    body = {"kind": "remark", "remark": "x", "context": {}}
    refused = await browser.post_json("/feedback", body)
    assert refused.code == 429
    assert json.loads(refused.body)["error"]["code"] == "too_many_reports"
    house.clock.pass_(hours=1, seconds=1)
    assert (await browser.post_json("/feedback", body)).code == 201


async def test_the_year_is_the_site_s_own(house: House, browser: Browser) -> None:
    """Half an hour before midnight UTC it is the new year in Paris already."""
    house.clock.pass_(days=305, hours=15, minutes=30)
    await as_(house, browser, "regulator")
    await send(browser, "Bonne année.")
    await as_(house, browser, "referent")
    assert [o["Référence"] for o in await exported(browser)] == ["INC-2027-0001"]


def test_references() -> None:
    assert reference(2026 * YEAR + 42) == "INC-2026-0042"
    assert reference(2026 * YEAR + 123456) == "INC-2026-123456"
    assert number_of(" inc-2026-0042 ") == 2026 * YEAR + 42
    for wrong in (
        "",
        "INC",
        "INC-2026",
        "INC-x-1",
        "INC-2026-",
        "X-2026-1",
        "INC-20260-1",
        "INC-2026-1-1",
    ):
        assert number_of(wrong) is None


def test_cells() -> None:
    assert [cell(text) for text in ("a", "", "=1", " @x", "\rx", "a=1", "\0=1", "\uff1d1")] == [
        *("a", "", "'=1", "' @x", "'\rx", "a=1", "'=1", "'\uff1d1")
    ]
    assert row(["a", 'b"c', "d\ne"]) == '"a","b""c","d\ne"\r\n'
