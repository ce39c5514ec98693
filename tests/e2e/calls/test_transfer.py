"""The ARM's call goes to the doctor, and its video with it: no second SMS, one session, one call in the audit."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from tests.e2e.house import CALLER, CALLER_SHOWN, house, until_text
from tests.e2e.record import record_of_session, verified
from tests.e2e.seen import session_id
from tests.lab.browsers.browser import moving_picture
from tests.lab.ports import free_port
from tests.lab.switchboard import sipp

pytestmark = pytest.mark.e2e


def emergency_id(messages: str) -> str:
    """The id that the REFER asks the caller's phone to carry over."""
    refer = next(line for line in reversed(messages.splitlines()) if line.startswith("Refer-To:"))
    return unquote(refer.partition("X-Line15-Call-ID=")[2].strip().rstrip(">"))


async def test_the_video_follows_the_call_to_the_doctors_desk() -> None:
    arm_port, doctor_port = free_port(), free_port()
    routes = {"15": f"1501@127.0.0.1:{arm_port}", "1601": f"1601@127.0.0.1:{doctor_port}"}
    async with (
        house(routes=routes) as home,
        sipp.phone(port=arm_port) as arm_phone,
        sipp.phone(port=doctor_port),
    ):
        arm = await home.desk("arm", station="1501")
        doctor = await home.desk("regulateur", station="1601")
        async with sipp.call(home.kamailio.address, caller=CALLER) as placed:
            await arm.wait_for_selector("#calls li[data-state=talking]")
            phone = await home.film(arm)
            session = await session_id(arm)
            assert await doctor.locator("#sessions li").count() == 0

            # The ARM transfers: his phone asks the caller's to call 1601 (REFER), and it does.
            await arm_phone.transfer(placed.call_id, f"sip:1601@{home.kamailio.address}")
            headers = {
                "X-Line15-Call-ID": emergency_id(placed.messages()),
                "Referred-By": "<sip:1501@lab>",
            }
            async with sipp.call(
                home.kamailio.address, caller=CALLER, called="1601", headers=headers
            ) as again:
                await placed.hang_up()
                await doctor.wait_for_selector("#calls li[data-state=talking]")
                await moving_picture(doctor, "#patient")
                assert await session_id(doctor) == session
                await until_text(doctor, "#sessions li:first-child", "ouverte au poste 1501")
                await until_text(doctor, "#calls li:first-child", CALLER_SHOWN)
                await until_text(arm, "#sessions li:first-child", "passée au poste 1601")
                assert [sms.to for sms in home.kannel.messages.all()] == [CALLER], "no second SMS"

                # The ARM leaves; the doctor goes on seeing the patient, then ends it.
                await arm.click("#end")
                await until_text(arm, "#notice-text", "Elle reste ouverte au poste qui a l’appel")
                await moving_picture(doctor, "#patient")
                await doctor.click("#end")
                await doctor.wait_for_selector("#sessions li:first-child[data-state=ended]")
                await phone.wait_for_selector("body[data-phase=ended]")
                await again.hang_up()

        record = await record_of_session(home, placed.call_id, session)
        assert {alias["value"] for alias in record["aliases"]} >= {
            placed.call_id,
            again.call_id,
        }
        assert len(record["sessions"]) == 1
        await verified(home)
