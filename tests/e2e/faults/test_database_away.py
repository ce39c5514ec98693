"""PostgreSQL switched off while desks invite and line 15 goes on: nothing accepted is lost, the desk says so (I3)."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.websocket import websocket_connect

from server.core.tasks import create_task
from server.identity.web.signed_in import STATION_COOKIE
from tests.e2e.house import CALLER, House, house, until_text
from tests.e2e.record import records, verified
from tests.e2e.seen import mark, more_frames, not_reloaded, unchanged
from tests.lab.postgres import Postgres, postgres
from tests.lab.process import until
from tests.lab.switchboard import sipp
from tests.server.line15.signed import PATH, mac
from tests.server.running import Page as Socket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext, Page

#: How long it is away; LAB_CUT_SECONDS=60 is the whole minute.
CUT_SECONDS = float(os.environ.get("LAB_CUT_SECONDS", "6"))
PACE = 0.25  # a hand is not quicker
pytestmark = pytest.mark.e2e


@dataclass
class Load:
    """Desks and a call-centre software that never stop, and all that they were told."""

    home: House
    secret: str
    over: bool = False
    invited: dict[str, str] = field(default_factory=dict)  # command that was acknowledged → number
    told: dict[str, str] = field(default_factory=dict)  # call that was acknowledged → its id here
    refused: Counter[str] = field(default_factory=Counter)
    longest: float = 0.0  # seconds that anybody waited for an answer

    async def desk(self, socket: Socket, prefix: str) -> None:
        """Invite one number after the other; what is refused is tried again, as the desk says."""
        number = 0
        while not self.over:
            command, mobile = f"{prefix}-{number:05}", f"+336{prefix[-2:]}{number:06}"
            socket.told.clear()
            begun = time.monotonic()
            await socket.say("invite", id=command, mobile=mobile)
            answer = await self._answer(socket, command)
            self.longest = max(self.longest, time.monotonic() - begun)
            if answer["type"] == "done":
                self.invited[command] = mobile
                number += 1
            else:
                self.refused["desk"] += 1
            await asyncio.sleep(PACE)

    async def _answer(self, socket: Socket, command: str) -> dict[str, Any]:
        while True:
            answer = await socket.hear_any("done", "error", "closed")
            assert answer["type"] == "done" or answer.get("code") == "storage_unavailable", answer
            if answer.get("id") == command:
                return answer
            self.refused["view"] += 1  # what the desk would have been shown next

    async def software(self) -> None:
        """Tell of one call after the other; what is not acknowledged is told again, word for word."""
        number = 0
        while not self.over:
            call, at = f"cti-{number:05}", datetime.now(UTC).isoformat()
            event = {"call": call, "at": at, "station": "1602"}
            answered = {"type": "answered", "caller": "+33755000000", **event}
            body = json.dumps({"events": [answered, {"type": "ended", **event}]}).encode()
            results = None
            while results is None:
                await asyncio.sleep(PACE)
                results = await self._told(call, body)
            assert {one["status"] for one in results} <= {"accepted", "repeated"}, results
            [self.told[call]] = {one["call"] for one in results}
            number += 1

    async def _told(self, call: str, body: bytes) -> list[dict[str, Any]] | None:
        now, begun = str(int(time.time())), time.monotonic()
        headers = {
            "X-Visio15-Site": "samu37",
            "X-Visio15-Timestamp": now,
            "X-Visio15-Signature": f"v1={mac(self.secret, now.encode() + b'.' + body)}",
            "Idempotency-Key": call,
        }
        request = HTTPRequest(self.home.url + PATH, method="POST", body=body, headers=headers)
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        self.longest = max(self.longest, time.monotonic() - begun)
        if answer.code == 202:
            results: list[dict[str, Any]] = json.loads(answer.body)["results"]
            return results
        assert answer.code == 503, answer.body
        self.refused[json.loads(answer.body)["error"]["code"]] += 1
        return None


async def seat(home: House, context: BrowserContext, station: str) -> Socket:
    """Sit down at another station with the sign-in of a browser, without its page."""
    cookies = {cookie["name"]: cookie["value"] for cookie in await context.cookies()}
    cookies[STATION_COOKIE] = station
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Origin": home.url,
    }
    address = home.url.replace("http:", "ws:") + "/ws/desk"
    socket = Socket(await websocket_connect(HTTPRequest(address, headers=headers)))
    await socket.say("hello", peer=f"desk-peer-{station}")
    await socket.hear("view")
    return socket


@asynccontextmanager
async def loaded(home: House, desk: Page) -> AsyncIterator[Load]:
    """Keep two more desks and the call-centre software busy."""
    said = await home.server.cli("site", "secret", "samu37")
    load = Load(home, next(s.split()[1] for s in said.splitlines() if s.startswith("secret")))
    sockets = [await seat(home, desk.context, station) for station in ("1602", "1501")]
    desks = [load.desk(socket, f"desk{n + 70}") for n, socket in enumerate(sockets)]
    try:
        async with asyncio.TaskGroup() as group:
            for work in (*desks, load.software()):
                group.create_task(work)
            try:
                yield load
            finally:
                load.over = True
    finally:
        for socket in sockets:
            socket.socket.close()
            await socket.closed()


async def accepted(load: Load, more: int = 4) -> None:
    """Wait until more of both kinds was acknowledged, from now on."""
    invited, told = len(load.invited), len(load.told)
    await until(
        lambda: len(load.invited) >= invited + more and len(load.told) >= told + more,
        f"{more} more invitations and calls are accepted",
    )


async def away(load: Load, cluster: Postgres, how: signal.Signals, seconds: float) -> float:
    """Switch it off for so long; return how many seconds after its return the server was ready again."""
    off = time.monotonic()
    await cluster.stop(how)
    refused = load.refused.copy()
    enough = off + seconds
    await until(
        lambda: load.refused["desk"] > refused["desk"] and time.monotonic() > enough,
        "the desks are refused, and the time is over",
        timeout=seconds + 30,
    )
    await cluster.start()
    back = time.monotonic()
    await load.home.server.ready()
    return time.monotonic() - back


WATCH_COMMANDS = """() => {
  window.__commands = [];
  for (const socket of window.__sockets) {
    const send = socket.send.bind(socket);
    socket.send = (frame) => { window.__commands.push(JSON.parse(frame)); send(frame); };
  }
}"""


async def line15_goes_on(home: House, desk: Page, line: sipp.Call, second: sipp.Call) -> None:
    """While it is away one call ends and another begins; the picture and the page do not notice."""
    await line.hang_up()
    await second.answered()
    await desk.fill("#mobile", "06 12 34 56 99")
    await desk.click("#invite")
    await until_text(desk, "#invite-error", "momentanément impossible : rien n'a été envoyé")
    await more_frames(desk, 15)


async def nothing_was_lost(load: Load, cluster: Postgres) -> None:
    """Everything acknowledged stands in the database once, and left for the carrier once."""
    home = load.home
    stored = cluster.sql("SELECT command FROM session", database="visio15").split()
    assert max(Counter(stored).values()) == 1
    assert set(load.invited) <= set(stored)
    known = cluster.sql(
        "SELECT DISTINCT value FROM call_alias WHERE value LIKE 'cti-%'", database="visio15"
    ).split()
    assert set(load.told) <= set(known)

    def sent() -> Counter[str]:
        return Counter(sms.to for sms in home.kannel.messages.all())

    await until(lambda: set(load.invited.values()) <= set(sent()), "every SMS is at the carrier")
    assert max(sent().values()) == 1, sent().most_common(3)
    first, last = min(load.told), max(load.told)
    for call in (first, last):
        [record] = await records(home, call)
        assert record["call"]["id"] == load.told[call]
        assert record["call"]["ended"]


async def test_postgresql_switched_off_under_load() -> None:
    """Crashed for CUT_SECONDS, then switched off in order for a moment: everybody is told, all goes on by itself."""
    async with (
        postgres(durable=True) as cluster,
        house(extra={"database": cluster.create("visio15")}) as home,
        sipp.phone(port=home.uas_port),
    ):
        pid = home.server.part.pid
        desk = await home.desk()
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await line.answered()
            await desk.wait_for_selector("#calls li[data-call][data-state=talking]")
            await home.film(desk)
            await mark(desk)
            await desk.evaluate(WATCH_COMMANDS)
            async with loaded(home, desk) as load:
                await accepted(load)
                async with sipp.call(home.kamailio.address, caller="+33711223344") as second:
                    crash = create_task(
                        away(load, cluster, signal.SIGQUIT, CUT_SECONDS), "the crash"
                    )
                    await until(lambda: load.refused["desk"] > 0, "a desk is refused")
                    assert home.server.part.running
                    await line15_goes_on(home, desk, line, second)
                    ready = [await crash]
                    await until_text(desk, "#calls li[data-state=talking]", "07 11 22 33 44")
                    await accepted(load)
                    ready.append(await away(load, cluster, signal.SIGINT, 1))
                    await accepted(load)
                    await second.hang_up()
                await desk.click("#invite")
                await home.sms_link("+33612345699")
            sent = await desk.evaluate("() => window.__commands")
            ids = [one["id"] for one in sent if one["type"] == "invite"]
            assert len(ids) == 2
            assert len(set(ids)) == 1, (
                "pressed again after a refusal of the storage: the same command"
            )
            await nothing_was_lost(load, cluster)
            await unchanged(desk, peers=1)
            await not_reloaded(desk)
            await more_frames(desk)
        assert home.server.part.pid == pid
        log = [json.loads(x) for x in home.server.logs().splitlines() if x.startswith("{")]
        failed = [x for x in log if x["event"].endswith(".failed")]
        assert not failed, failed[:3]
        assert any(x["event"] == "delivery.storage_unavailable" for x in log)
        home.browser.clients[0].allow("503")
        home.browser.assert_clean(home.url)
        await verified(home)
        print(  # noqa: T201 - the figures of a measurement
            f"away {CUT_SECONDS:g} s; accepted: {len(load.invited)} invitations, {len(load.told)} calls; "
            f"refused: {dict(load.refused)}; longest wait {load.longest:.1f} s; "
            f"ready {', '.join(f'{s:.1f}' for s in ready)} s after its return"
        )
