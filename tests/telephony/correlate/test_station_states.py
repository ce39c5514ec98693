"""A call that only the state of its station tells of is never taken for another one than capture's."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from telephony import Call, CallState, Fact
from telephony.correlate.correlation import Correlator
from telephony.correlate.station_states import MAY_BE_ONE
from telephony.sources.dialog_info.codec import read
from telephony.sources.dialog_info.facts import DialogFactReader
from telephony.sources.hep.facts import SipFactReader
from tests.telephony.sources.dialog_info.dialects import HEAD, STATION
from tests.telephony.strategies import at
from tests.telephony.wire import PROXY, TRUNK, request, response

if TYPE_CHECKING:
    from collections.abc import Callable

STATIONS = (STATION, "1601")


class Desk:
    """One station, watched by presence as Asterisk tells it, and by capture."""

    def __init__(self) -> None:
        self.correlator = Correlator(STATIONS, map("call-{}".format, itertools.count(1)).__next__)
        self.sip = SipFactReader("hep", STATIONS)
        self.facts: list[Fact] = []
        self.restart()

    def restart(self) -> None:
        self.presence = DialogFactReader("presence", STATIONS)
        self.versions = itertools.count()
        for station in STATIONS:
            self.presence.begin(station)

    def take(self, facts: list[Fact]) -> None:
        self.facts += facts
        for fact in facts:
            self.correlator.receive(fact)

    def state(self, second: float, state: str) -> None:
        inside = f'<dialog id="{STATION}" direction="recipient"><state>{state}</state></dialog>'
        head = f'{HEAD}version="{next(self.versions)}" state="full" entity="sip:{STATION}@pbx.example">'
        info = read(f"{head}{inside}</dialog-info>".encode())
        self.take(self.presence.observe(STATION, info, at(second))[0])

    def invite(self, second: float, call_id: str) -> None:
        invite = request("INVITE", f"sip:{STATION}@pbx", call_id=call_id)
        self.take(self.sip.observe(invite, at(second), TRUNK, PROXY))

    def answer(self, second: float, call_id: str) -> None:
        self.take(self.sip.observe(response(200, call_id=call_id), at(second), PROXY, TRUNK))

    def bye(self, second: float, call_id: str) -> None:
        bye = request("BYE", cseq="2 BYE", call_id=call_id, to="<sip:15@x>;tag=callee")
        self.take(self.sip.observe(bye, at(second), TRUNK, PROXY))

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.correlator.calls()


def hint_comes_late() -> Desk:
    desk = Desk()
    desk.state(0, "terminated")
    desk.invite(10, "c1")
    desk.state(11.5, "early")
    desk.answer(13, "c1")
    desk.state(13.1, "confirmed")
    return desk


def found_in_mid_call() -> Desk:
    desk = Desk()
    desk.state(0, "terminated")
    desk.invite(10, "c1")
    desk.state(10.1, "early")
    desk.answer(13, "c1")
    desk.state(13.1, "confirmed")
    believed = desk.presence.legs
    desk.restart()
    desk.state(100, "confirmed")
    desk.take(desk.presence.absent(believed, at(100.1)))
    return desk


@pytest.mark.parametrize("scene", [hint_comes_late, found_in_mid_call])
def test_the_state_of_a_station_beside_capture_s_call_there_is_no_certain_call(
    scene: Callable[[], Desk],
) -> None:
    real, phantom = scene().calls
    assert (real.state, real.confirmed, real.certain) == (CallState.TALKING, True, True)
    assert (phantom.state, phantom.talking_stations) == (CallState.TALKING, (STATION,))
    assert (phantom.confirmed, phantom.certain) == (False, False)
    assert [(each.call, each.why) for each in phantom.related] == [(real.id, MAY_BE_ONE)]


def test_it_is_not_certain_either_once_capture_s_call_is_over() -> None:
    desk = hint_comes_late()
    desk.bye(20, "c1")
    real, phantom = desk.calls
    assert (real.live, phantom.live, phantom.confirmed) == (False, True, False)


def test_a_state_found_in_mid_call_does_not_tell_which_call_it_is() -> None:
    desk = Desk()
    desk.state(0, "confirmed")
    desk.state(5, "confirmed")
    (call,) = desk.calls
    assert (call.state, call.confirmed, call.certain) == (CallState.TALKING, False, False)


def test_a_call_that_rang_at_a_station_where_nothing_else_was_is_certain() -> None:
    desk = Desk()
    desk.invite(0, "before")
    desk.bye(2, "before")
    desk.state(3, "terminated")
    desk.state(10, "early")
    desk.state(13, "confirmed")
    _, call = desk.calls
    assert (call.state, call.confirmed, call.certain) == (CallState.TALKING, True, True)
    assert not call.related


@pytest.mark.parametrize("scene", [hint_comes_late, found_in_mid_call])
@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_arrival_does_not_matter(scene: Callable[[], Desk], seed: int) -> None:
    facts = scene().facts
    random.Random(seed).shuffle(facts)
    mixed = Desk()
    mixed.take(facts)
    told = [
        {
            (call.legs, call.confirmed, call.certain, tuple(each.why for each in call.related))
            for call in desk.calls
        }
        for desk in (scene(), mixed)
    ]
    assert told[0] == told[1]
