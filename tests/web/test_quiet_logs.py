"""Rule 9 of the house: whatever happens, the log holds names of events and ids, and nothing of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.sdp_samples import OFFERS, SMALL
from tests.web.running import MOBILE, Running, running, written_logs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEER = "desk-peer-1"
AUDIO = "\r\n".join([*SMALL, "m=audio 9 UDP/TLS/RTP/SAVPF 111", ""])


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
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
