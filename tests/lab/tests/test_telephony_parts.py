"""The switchboard and the phones: a call to line 15 rings, talks, holds and ends, and is mirrored."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.lab.process import PartFailedError, until
from tests.lab.switchboard.kamailio import HEP_AUTH_KEY, kamailio
from tests.lab.switchboard.sipp import call, phone, register

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab


class Mirror:
    def __init__(self, udp: socket.socket) -> None:
        self.udp = udp
        self.packets: list[bytes] = []

    def read(self) -> list[bytes]:
        while True:
            try:
                self.packets.append(self.udp.recv(65535))
            except BlockingIOError:
                return self.packets

    def has(self, *texts: bytes) -> bool:
        return any(all(text in packet for text in texts) for packet in self.read())


@contextmanager
def mirror() -> Iterator[Mirror]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(0)
        yield Mirror(udp)


async def test_a_call_to_15_is_mirrored_as_hep3_from_ring_to_end() -> None:
    with mirror() as hep:
        async with (
            phone(ring=0.1) as arm,
            kamailio({"15": f"1501@{arm.address}"}, hep=hep.udp.getsockname()) as pbx,
            call(pbx.address, caller="+33612345678") as one,
        ):
            await one.answered()
            await one.hang_up()
        await until(lambda: hep.has(b"BYE sip:", one.call_id.encode()), "the BYE is mirrored")
        assert all(packet[:4] == b"HEP3" for packet in hep.packets)
        assert all(HEP_AUTH_KEY.encode() in packet for packet in hep.packets)
        assert hep.has(b"INVITE sip:15@", b"+33612345678")
        assert hep.has(b"INVITE sip:1501@", b"X-Line15-Call-ID: urn:emergency:uid:callid:")
        assert hep.has(b"SIP/2.0 180 ")


async def test_given_headers_travel_and_no_other_id_is_minted() -> None:
    given = "urn:emergency:uid:callid:abc123:samu37.example"
    with mirror() as hep:
        async with (
            phone(ring=None) as arm,
            kamailio({"15": f"1501@{arm.address}"}, hep=hep.udp.getsockname()) as pbx,
            call(pbx.address, headers={"X-Line15-Call-ID": given}, call_id="chosen@test") as one,
        ):
            await one.ringing()
            await arm.answer("chosen@test")
            await one.answered()
            await arm.hang_up("chosen@test")
            await one.ended()
        assert hep.has(b"INVITE sip:1501@", f"X-Line15-Call-ID: {given}".encode())


async def test_caller_gives_up_while_it_rings() -> None:
    async with phone(ring=None) as arm, kamailio({"15": f"1501@{arm.address}"}) as pbx:
        async with call(pbx.address) as one:
            await one.ringing()
            await one.hang_up()
            assert "SIP/2.0 487 " in one.messages()
        async with call(pbx.address, patience=0.2) as two:
            await two.ended()
            assert "CANCEL sip:15@" in two.messages()


async def test_busy_phone() -> None:
    async with (
        phone(ring=None) as arm,
        kamailio({"15": f"1501@{arm.address}"}) as pbx,
        call(pbx.address) as one,
    ):
        await one.ringing()
        await arm.reject(one.call_id)
        await one.ended()
        assert "SIP/2.0 486 " in one.messages()


async def test_hold_and_resume_from_both_ends_any_number_of_times() -> None:
    async with (
        phone() as arm,
        kamailio({"15": f"1501@{arm.address}"}) as pbx,
        call(pbx.address) as one,
    ):
        await one.answered()
        acks = 1  # the phone's re-INVITEs are acknowledged by the phone, and seen by the caller
        for side in (arm, one, arm, one):
            for what in ("hold", "resume"):
                acks += 1
                await getattr(side, what)(*([one.call_id] if side is arm else []))
                await one.seen(r"^ACK ", count=acks)
        assert one.messages().count("a=sendonly") == 4
        await one.hang_up()


async def test_many_calls_at_once() -> None:
    async with (
        phone(ring=0.05) as arm,
        kamailio({"15": f"1501@{arm.address}"}) as pbx,
        call(pbx.address, count=30, rate=60) as many,
    ):
        await many.answered()
        assert len(set(many.call_ids)) == 30
        assert all(call_id in many.messages() for call_id in many.call_ids)
        await many.hang_up()


async def test_a_registered_phone_is_found_by_its_number() -> None:
    async with phone() as doctor, kamailio({}, users={"1601": "s3cret"}) as pbx:
        async with call(pbx.address, called="1601") as nobody:
            await nobody.ended()
            assert "SIP/2.0 404 " in nobody.messages()
        with pytest.raises(AssertionError, match="the call failed"):
            await register(pbx.address, "1601", "wrong", f"1601@{doctor.address}")
        await register(pbx.address, "1601", "s3cret", f"1601@{doctor.address}")
        async with call(pbx.address, called="1601") as one:
            await one.answered()
            await one.hang_up()


async def test_a_snippet_under_test_is_part_of_the_switchboard() -> None:
    snippet = 'route[LAB_NOTE] { xlog("L_WARN", "noted @WHAT@ $rU\\n"); }'
    async with (
        phone() as arm,
        kamailio(
            {"15": f"1501@{arm.address}"},
            include=snippet,
            on_invite="route(LAB_NOTE);",
            substitute={"WHAT": "call-to"},
        ) as pbx,
        call(pbx.address) as one,
    ):
        await one.answered()
        await until(
            lambda: "noted call-to 15" in pbx.part.output(),
            "the snippet ran",
            explain=pbx.part.tail,
        )
    with pytest.raises(PartFailedError, match="refuses its configuration"):
        async with kamailio({}, include="route[BROKEN] {"):
            raise AssertionError("not reached")
