"""Rule 9 of the house: whatever happens, the log holds names of events and ids, and nothing of anybody."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from server.app.logs import trace
from server.core.errors import StorageUnavailable
from server.identity.service.sign_ins import SignIns
from server.invitations.service.links import InvitationLinks
from telephony.sources.pyvoip.feed import SoftphoneMissingError
from tests.server.running import MOBILE, Running, running, written_logs
from tests.server.video.sdp_samples import OFFERS, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

PEER = "desk-peer-1"
AUDIO = "\r\n".join([*SMALL, "m=audio 9 UDP/TLS/RTP/SAVPF 111", ""])


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def test_nothing_personal_is_written_to_the_log(house: Running) -> None:
    with written_logs() as log:
        browser = house.browser()
        await browser.sign_in(house, "regulator")
        await browser.get(f"/desk?call=secret-call-id&caller={MOBILE.replace(' ', '')}&station=201")
        desk, caller, session = await house.connected()
        await desk.say("invite", id="command-0401", mobile="0144492020", email="jeanne@example.fr")
        await desk.refused("number_landline")
        await desk.say("link.manual", id="command-0402", session=session, value="typed-call-id")
        await desk.hear("done", id="command-0402")
        await caller.say("signal.offer", peer=PEER, sdp=AUDIO)
        await caller.refused("sdp_audio")
        await caller.say("signal.offer", peer=PEER, sdp=OFFERS["firefox"])
        await caller.say("signal.candidate", peer=PEER, candidate={"candidate": "jeanne"})
        await caller.refused("candidate_malformed")
        await caller.raw('{"type": "hello", "token": "jeanne"')
        await caller.refused("message_malformed")
        [token] = await house.tokens()
        await house.tapped_elsewhere(token)
        await house.browser().get(f"/v/{'x' * 27}")
        auditor = await house.signed_in("auditor", None)
        await auditor.get("/audit?q=secret-call-id")
        await auditor.post("/audit", {"number": MOBILE})
        await auditor.get("/audit/calls/secretcallid")
        await auditor.post("/feedback", {"kind": "remark", "remark": "jeanne va bien"})
    text = log.getvalue()
    assert "request.refused" in text
    assert "socket.refused" in text
    cookies = [c for b in (browser, auditor) for n, c in b.cookies.items() if n != "v15_station"]
    personal = [token, *cookies, "0612345678", "612345678", "12 34 56", "0144492020", "jeanne"]
    personal += [
        "secret-call-id",
        "secretcallid",
        "typed-call-id",
        "fingerprint",
        "m=audio",
        "Prénom",
    ]
    assert [word for word in personal if word in text] == []


# --- what libraries would say of it -----------------------------------------------------------------
MARK = "zqj4marker"
GET = "GET /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
POST = "POST /login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
PARTS = "Content-Type: multipart/form-data; boundary=zqj4marker\r\n"
KEY = base64.b64encode(b"0123456789abcdef").decode()
SOCKET = (
    "GET /ws/caller HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n"
)


def _body(head: str, body: str) -> str:
    return f"{head}Content-Length: {len(body.encode('latin-1'))}\r\n\r\n{body}"


MALFORMED = {
    "cookie with a control character": f'{GET}Cookie: v15_session="{MARK}\x01\r\n\r\n',
    "cookie with quotes and blanks": f'{GET}Cookie: ={MARK}; ;"{MARK};v15_session={MARK} {MARK}\r\n\r\n',
    "cookie in Latin-1": f"{GET}Cookie: v15_session={MARK}\xe9\xff\r\n\r\n",
    "token cookie of no version": f"{GET}Cookie: _xsrf=2|{MARK}|{MARK}|{MARK}\r\n\r\n",
    "token cookie of a future version": f"{GET}Cookie: _xsrf=9|{MARK}\r\n\r\n",
    "cookie name with a separator": f"{GET}Cookie: {MARK}@,=1; v15_station={MARK}\x7f\r\n\r\n",
    "header without a colon": f"{GET}{MARK}\r\n\r\n",
    "header name with a blank": f"{GET}{MARK} x: 1\r\n\r\n",
    "header value with NUL": f"{GET}X-A: {MARK}\x00\r\n\r\n",
    "folded header": f"{GET}X-A: 1\r\n {MARK}\r\n\r\n",
    "header of a megabyte": f"{GET}X-A: {MARK * 100_000}\r\n\r\n",
    "request line without a version": f"GET /{MARK}\r\n\r\n",
    "request line of another protocol": f"GET /v/{MARK}?{MARK} FTP/9.9\r\n\r\n",
    "request line with control characters": f"GET /{MARK}\x01 HTTP/1.1\r\n\r\n",
    "request line of one word": f"{MARK}\r\n\r\n",
    "unknown method": f"{MARK} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "whole address": f"GET http://{MARK}/v/{MARK}?{MARK} HTTP/1.1\r\nHost: {MARK}\r\nConnection: close\r\n\r\n",
    "no host": f"GET /{MARK} HTTP/1.1\r\n\r\n",
    "two hosts": f"{GET}Host: {MARK}\r\n\r\n",
    "host with signs": f"GET / HTTP/1.1\r\nHost: {MARK};x\r\n\r\n",
    "path with NUL": f"GET /v/{MARK}%00{MARK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "path of broken UTF-8": f"GET /%ff{MARK}?q=%ff{MARK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "no such file": f"GET /static/{MARK}%00/../{MARK} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "length that is no number": f"{POST}Content-Length: {MARK}\r\n\r\n{MARK}",
    "two lengths": f"{POST}Content-Length: 5\r\nContent-Length: 6\r\nX-A: {MARK}\r\n\r\n{MARK}",
    "length of a gigabyte": f"{POST}Content-Length: 1000000000\r\n\r\n{MARK}",
    "unknown coding": f"{POST}Transfer-Encoding: {MARK}\r\n\r\n{MARK}",
    "chunk that is no number": f"{POST}Transfer-Encoding: chunked\r\n\r\n{MARK}\r\n{MARK}\r\n0\r\n\r\n",
    "chunk that is too short": f"{POST}Transfer-Encoding: chunked\r\n\r\n1\r\n{MARK}\r\n0\r\n\r\n",
    "form with bad escapes": _body(POST + FORM, f"identifier=%zz{MARK}&{MARK}%ff=%ff"),
    "form without a token": _body(POST + FORM, f"identifier={MARK}&password={MARK}&_xsrf={MARK}"),
    "form compressed": _body(f"{POST}{FORM}Content-Encoding: gzip\r\n", MARK),
    "form of another kind": _body(f"{POST}Content-Type: {MARK}/{MARK}\r\n", MARK),
    "parts without an end": _body(POST + PARTS, f"--zqj4marker\r\n{MARK}"),
    "parts without a name": _body(
        POST + PARTS, f"--zqj4marker\r\nContent-Disposition: {MARK}\r\n\r\n{MARK}\r\n--zqj4marker--\r\n"
    ),
    "parts without a boundary": _body(f"{POST}Content-Type: multipart/form-data; x={MARK}\r\n", MARK),
    "receipt": f"GET /receipts/sms/{MARK}abcdefghijklmno?{MARK}=%ff{MARK} HTTP/1.1\r\nHost: localhost\r\n"
    "Connection: close\r\n\r\n",
    "socket of another version": SOCKET.replace(": 13", f": {MARK}") + "\r\n",
    "socket without a key": SOCKET.replace(f"Sec-WebSocket-Key: {KEY}\r\n", f"X-A: {MARK}\r\n") + "\r\n",
    "socket with another key": SOCKET.replace(KEY, MARK) + "\r\n",
    "socket from elsewhere": f"{SOCKET}Origin: http://{MARK}\r\n\r\n",
    "socket from nowhere": f"{SOCKET}Origin: http://[{MARK}\r\n\r\n",
    "frame without a mask": f"{SOCKET}\r\n\x81\x0a{MARK}",
    "frame with reserved bits": f"{SOCKET}\r\n\xf1\x8a\x00\x00\x00\x00{MARK}",
    "frame of no kind": f"{SOCKET}\r\n\x83\x8a\x00\x00\x00\x00{MARK}",
    "frame of broken UTF-8": f"{SOCKET}\r\n\x81\x8c\x00\x00\x00\x00{MARK}\xff\xfe",
    "close with broken words": f"{SOCKET}\r\n\x88\x8c\x00\x00\x00\x00\x00\x01{MARK}",
    "message of no type": f'{SOCKET}\r\n\x81\x95\x00\x00\x00\x00{{"type":"{MARK}"}}',
}  # fmt: skip


async def said(house: Running, raw: str) -> None:
    """Send these bytes, and read what comes until the server closes or falls silent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    writer.write(raw.encode("latin-1"))
    try:
        async with asyncio.timeout(0.5 if "Upgrade" in raw else 5):
            while await reader.read(65_536):
                pass
    except (TimeoutError, OSError):
        pass
    writer.close()


@pytest.mark.parametrize("what", MALFORMED)
async def test_what_is_malformed_leaves_no_trace_of_its_content(house: Running, what: str) -> None:
    with written_logs() as log:
        await said(house, MALFORMED[what])
        await house.browser().get("/healthz")
    assert MARK not in log.getvalue()


def _fails(fault: Exception) -> Any:
    async def fail(*_: Any, **__: Any) -> None:
        try:
            dict[str, str]()[MARK]
        except KeyError as first:
            raise fault from first

    return fail


@pytest.mark.parametrize("fault", [ValueError(MARK), OSError(2, MARK, MARK), UnicodeError(MARK)])
async def test_a_mistake_of_ours_is_traced_without_the_value_that_caused_it(
    house: Running, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    monkeypatch.setattr(SignIns, "look", _fails(fault))
    monkeypatch.setattr(InvitationLinks, "enter", _fails(fault))
    with written_logs() as log:
        browser = house.browser()
        browser.cookies["v15_session"] = "x" * 43
        assert (await browser.get("/kiosk")).code == 500
        phone = await house.connect("/ws/caller")
        await phone.say("hello", token="x" * 27, page="phone-page-9")
        await phone.refused("unavailable")
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    traces = [line["exception"] for line in lines if line["event"].endswith(".failed")]
    assert len(traces) == 2
    assert all(type(fault).__name__ in each and "KeyError" in each for each in traces)
    assert all("in fail\n" in each for each in traces)
    assert MARK not in log.getvalue()


async def test_what_a_library_or_the_loop_says_is_the_line_that_says_it(house: Running) -> None:
    del house
    with written_logs() as log:
        logging.getLogger("tornado.general").warning("of %s " + MARK, MARK)  # noqa: G003 - as libraries do
        asyncio.get_running_loop().call_exception_handler(
            {"message": MARK, "exception": ValueError(MARK), "handle": MARK}
        )
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first["event"] == second["event"] == "library.said"
    assert first["logger"] == "tornado.general"
    assert first["where"].startswith("test_quiet_logs.test_what_a_library")
    assert "ValueError" in second["exception"]
    assert MARK not in log.getvalue()


async def test_our_own_words_and_refusals_stay(house: Running) -> None:
    del house
    with written_logs() as log:
        logging.getLogger("telephony.runner").warning("telephony.subscriber_failed")
        structlog.get_logger("web").error(
            "request.failed", handler="Desk", exc_info=StorageUnavailable("gone")
        )
    first, second = (json.loads(line) for line in log.getvalue().splitlines())
    assert first["event"] == "telephony.subscriber_failed"
    assert second["handler"] == "Desk"
    assert second["exception"].endswith("StorageUnavailable: storage_unavailable gone")


def test_an_error_whose_words_are_ours_says_its_remedy() -> None:
    fault = SoftphoneMissingError()
    assert "visio15[softphone]" in trace((type(fault), fault, None))
