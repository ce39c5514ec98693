"""I7: sites are sealed. Two of them in one server, each with its line 15, its people, and a station 1601."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, House, house, until_text
from tests.e2e.layout import SAMU37, SAMU45
from tests.e2e.record import auditor, records, verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import moving_picture
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.lab.switchboard import sipp
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, kamailio

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

OTHER = "+33711223344"
OTHER_SHOWN = "07 11 22 33 44"

_SOCKET = """async ({peer, messages}) => {
  const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws/desk');
  await new Promise((open) => { socket.onopen = open; });
  const heard = [];
  socket.onmessage = ({data}) => heard.push(JSON.parse(data));
  socket.send(JSON.stringify({type: 'hello', peer}));
  for (const message of messages) socket.send(JSON.stringify(message));
  const last = messages.at(-1).id;
  await new Promise((done) => {
    const timer = setInterval(() => {
      if (!heard.some((message) => message.id === last)) return;
      clearInterval(timer);
      done();
    }, 20);
  });
  socket.close();
  return heard;
}"""


async def say(desk: Page, *messages: dict[str, Any]) -> list[dict[str, Any]]:
    """Speak to the server as this desk's user, beside the page, until the last message is answered."""
    heard: list[dict[str, Any]] = await desk.evaluate(
        _SOCKET, {"peer": "a-second-peer-of-the-user", "messages": list(messages)}
    )
    return heard


def feeds(port37: int, port45: int) -> list[dict[str, Any]]:
    key = {"kind": "hep", "host": "127.0.0.1", "auth_key": HEP_AUTH_KEY}
    return [
        {**key, "site": "samu37", "port": port37},
        {**key, "site": "samu45", "port": port45},
    ]


def strangers(session: str, invitation: str, call: str) -> list[dict[str, Any]]:
    """Every message that names something, naming another site's."""
    commands = [
        {"type": "session.watch", "session": session},
        {"type": "session.end", "session": session},
        {"type": "invitation.resend", "invitation": invitation},
        {"type": "invitation.revoke", "invitation": invitation},
        {"type": "invitation.move", "invitation": invitation},
        {"type": "link.choose", "session": session, "call": call},
        {"type": "link.manual", "session": session, "value": "mine"},
        {"type": "link.none", "session": session},
        {"type": "invite", "mobile": OTHER, "call": call},
    ]
    return [{**one, "id": f"command-{n:04}"} for n, one in enumerate(commands)]


async def refused_everywhere(home: House, theirs: Page, session: str, ids: list[str]) -> None:
    """Page, socket, API and launch answer as if nothing of that name existed."""
    invitation, call, sip_call_id = ids
    heard = await say(theirs, *strangers(session, invitation, call))
    answers = {m["id"]: m for m in heard if "id" in m}
    codes = {m.get("code", "done") for m in answers.values()}
    assert len(answers) == 9, answers
    assert codes <= {"not_found", "call_unknown"}, answers
    # Signalling and reports go nowhere, and are refused.
    signals: list[dict[str, Any]] = [
        {"type": "signal.answer", "session": session, "page": "p" * 32, "sdp": "v=0"},
        {"type": "signal.candidate", "session": session, "page": "p" * 32, "candidate": None},
        {"type": "signal.restart", "session": session},
        {"type": "media.report", "session": session, "state": "lost"},
        {"type": "webcam", "session": session, "on": False},
    ]
    heard = await say(theirs, *signals, {"type": "session.end", "session": session, "id": "x" * 8})
    assert len([m for m in heard if m["type"] == "error"]) == 6, heard
    said = str(heard)
    for secret in (CALLER, CALLER_SHOWN, call, sip_call_id, invitation):
        assert secret not in said
    xsrf = await theirs.get_attribute("meta[name=xsrf]", "content")
    answer = await theirs.request.post(
        f"{home.url}/desk/station", form={"_xsrf": xsrf or "", "station": "1602"}
    )
    assert answer.status == 404


async def nothing_found(home: House, session: str, ids: list[str]) -> None:
    """The other site's auditor finds nothing by any name, number or day."""
    _, call, sip_call_id = ids
    asking = await auditor(home, "auditeur45")
    client = next(one for one in home.browser.clients if one.name == "auditeur45")
    client.allow("404")
    for path in (f"/audit/calls/{call}", f"/audit/sessions/{session}"):
        assert (await asking.get(home.url + path)).status == 404
    for alias in (sip_call_id, call, session):
        answer = await asking.get(f"{home.url}/api/v1/calls", params={"alias": alias})
        assert answer.status == 404, await answer.text()
    page = await client.context.new_page()
    for query in (sip_call_id, call, session):
        await page.goto(f"{home.url}/audit")
        await page.fill("#q", query)
        await page.press("#q", "Enter")
        await page.wait_for_selector(".nothing")
    await page.fill("#number", CALLER)
    await page.press("#number", "Enter")
    await page.wait_for_selector(".nothing")
    day = datetime.now(UTC).astimezone(ZoneInfo("Europe/Paris")).date().isoformat()
    await page.goto(f"{home.url}/audit?day={day}")
    text = await page.inner_text("main")
    assert CALLER not in text
    # Only their own call, and the number of its own caller.
    assert OTHER in text


async def test_nothing_leaks_between_two_sites() -> None:
    """Calls, sessions, links, stations, searches: each site has its own and no other's."""
    port37, port45, uas45 = free_port(), free_port(), free_port()
    async with (
        house(
            samus=(SAMU37, SAMU45),
            extra={"feeds": feeds(port37, port45)},
            switchboard={"hep": ("127.0.0.1", port37)},
        ) as home,
        kamailio({"15": f"1601@127.0.0.1:{uas45}"}, hep=("127.0.0.1", port45)) as exchange45,
        sipp.phone(port=home.uas_port),
        sipp.phone(port=uas45),
    ):
        mine = await home.desk("regulateur")
        theirs = await home.desk("regulateur45")
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await mine.wait_for_selector("#calls li[data-state=talking]")
            await home.film(mine)
            async with sipp.call(exchange45.address, caller=OTHER) as line45:
                await line45.answered()
                await theirs.wait_for_selector("#calls li[data-state=talking]")
                await until_text(theirs, "#calls", OTHER_SHOWN)
                # The same extension at both sites, and each sees its own line alone.
                assert await theirs.locator("#calls li").count() == 1
                assert await mine.locator("#calls li").count() == 1
                assert await theirs.locator("#sessions li").count() == 0
                assert await theirs.locator("#station-menu option").count() == 2
                session = await session_id(mine)
                invitation = await mine.get_attribute("#invitations li", "data-invitation")
                call = await mine.get_attribute("#calls li", "data-call")
                ids = [invitation or "", call or "", line.call_id]
                await refused_everywhere(home, theirs, session, ids)
                await line45.hang_up()
            # All that changed nothing here.
            await moving_picture(mine, "#patient")
            await until_text(mine, "#link-label", "seul appel en cours")
            await mine.wait_for_selector("#invitations button[data-verb=revoke]:visible")
            await mine.click("#end")
            await line.hang_up()
        await nothing_found(home, session, ids)
        await the_same_id_is_another_call(home, theirs, line.call_id)
        (record,) = await records(home, line.call_id)
        actors = {event["actor"] for event in record["events"]}
        assert actors <= {"Dr Regulateur", "Dr Auditeur", None}
        home.browser.assert_clean(home.url)
        await verified(home)


async def the_same_id_is_another_call(home: House, theirs: Page, sip_call_id: str) -> None:
    """A launch that names the other site's call is on an unknown call of one's own."""
    await home.server.cli("site", "launches", "samu45", "optional")
    await theirs.goto(f"{home.url}/desk?call={sip_call_id}")
    await theirs.click("#proposal-take")
    await theirs.wait_for_selector("#calls li[data-state=asserted]")
    text = await theirs.inner_text("#calls")
    assert CALLER_SHOWN not in text
    await until_text(theirs, "#notice-text", "à confirmer")

    async def not_prefilled() -> bool:
        return await theirs.input_value("#mobile") == ""

    await until(not_prefilled, "no number from elsewhere")
