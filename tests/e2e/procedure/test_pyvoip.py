"""The reference procedure, line 15 told by notification calls alone: nothing of the switchboard is mirrored."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, STATION, house, until_text
from tests.e2e.record import record_of_session, verified
from tests.e2e.seen import session_id
from tests.lab.ports import free_port
from tests.lab.switchboard import sipp

pytestmark = pytest.mark.e2e

SNIPPET = Path(__file__).parents[3] / "contrib" / "kamailio-notify.cfg"


async def test_a_call_told_to_the_extension_is_seen_and_found_again() -> None:
    """Kamailio calls the extension; the desk shows the call, the video is linked to it, the audit knows every id."""
    port, rtp = free_port(), free_port()
    feed = {
        "kind": "pyvoip",
        "site": "samu37",
        "server": "127.0.0.1",
        "port": port,
        "extension": "visio15",
        "password": "s3cret",
        "bind_port": free_port(),
        "rtp_low": rtp,
        "rtp_high": rtp + 20,
    }
    switchboard = {
        "port": port,
        "hep": None,
        "users": {"visio15": "s3cret"},
        "include": SNIPPET,
        "on_routed": "route(VISIO15_CALL);",
    }
    async with (
        house(extra={"feeds": [feed]}, switchboard=switchboard) as home,
        sipp.phone(ring=None, port=home.uas_port) as station,
    ):
        desk = await home.desk()
        await desk.wait_for_selector("#line15[data-state=connected]")
        async with sipp.call(home.kamailio.address, caller=CALLER) as line:
            await desk.wait_for_selector("#calls li[data-call][data-state=ringing]")
            await station.answer(line.call_id)
            await desk.wait_for_selector("#calls li[data-call][data-state=talking]")
            assert await desk.input_value("#mobile") == CALLER_SHOWN
            phone = await home.film(desk)
            await until_text(desk, "#link-label", "seul appel en cours")
            await desk.click("#end")
            await phone.wait_for_selector("body[data-phase=ended]")
            await line.hang_up()
        await desk.wait_for_selector("#calls li[data-call][data-state=ended]")
        session = await session_id(desk)
        by_leg = await record_of_session(home, line.call_id, session)
        assert by_leg["call"]["number"] == CALLER
        assert by_leg["call"]["end_certain"] is True
        stays = [(at["station"], at["state"]) for at in by_leg["stations"]]
        assert stays == [(STATION, "ringing"), (STATION, "talking")]
        assert {alias["source"] for alias in by_leg["aliases"]} == {"pyvoip"}
        # The emergency id that the switchboard minted and the notification carried leads to the same call.
        (carried,) = (a["value"] for a in by_leg["aliases"] if a["type"] == "private_header")
        assert carried.startswith("urn:emergency:uid:callid:")
        by_id = await record_of_session(home, carried, session)
        assert by_id["call"]["id"] == by_leg["call"]["id"]
        home.browser.assert_clean(home.url)
        await verified(home)
