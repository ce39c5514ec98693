"""What SIP on the wire means: proxies, forks, holds, refusals, identifiers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import (
    AliasType,
    Answered,
    CallState,
    Direction,
    Held,
    HungUp,
    Rang,
    Resumed,
)
from tests.telephony.strategies import at
from tests.telephony.wire import PBX, PHONE, PROXY, TRUNK, Wire, request, response

if TYPE_CHECKING:
    from telephony.sip.message import SipMessage

DESK = "sip:1501@192.0.2.4"
TAGGED = "<sip:15@samu37.example>;tag=callee"


def proxied(wire: Wire) -> None:
    """One INVITE in, the same out to station 1501, as a proxy forwards it."""
    wire.see(0, request("INVITE"))
    wire.see(0.01, request("INVITE", DESK, via=("z9hG4bK-p", "z9hG4bK-1")), PROXY, PHONE)


def test_a_proxy_rewrites_15_to_a_station() -> None:
    wire = Wire()
    proxied(wire)
    call = wire.call()
    assert call.state is CallState.RINGING
    assert call.current_stations == ("1501",)
    assert (call.called, call.direction) == ("15", Direction.INCOMING)
    wire.see(1, response(200, via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    wire.see(1.01, response(200), PROXY, TRUNK)
    assert wire.call().answered == at(1)
    wire.see(9, request("BYE", to=TAGGED, cseq="2 BYE"))
    assert wire.call().ended == at(9)


def test_an_address_that_hides_the_station_still_shows_it_in_to() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", "sip:x7f3a@192.0.2.4", to="<sip:1501@samu37.example>"))
    assert wire.call().current_stations == ("1501",)


def test_messages_captured_twice_or_retransmitted_change_nothing() -> None:
    once, twice = Wire(), Wire()
    for wire, times in ((once, 1), (twice, 3)):
        for copy in range(times):
            wire.see(0 + copy / 1000, request("INVITE"))
        for copy in range(times):
            wire.see(1 + copy / 1000, response(200), PROXY, TRUNK)
        for copy in range(times):
            wire.see(5 + copy / 1000, request("BYE", to=TAGGED, cseq="2 BYE"))
    assert once.call() == twice.call()


def test_a_busy_branch_of_a_proxy_does_not_end_the_call() -> None:
    wire = Wire()
    proxied(wire)
    second = request("INVITE", "sip:1502@192.0.2.5", via=("z9hG4bK-q", "z9hG4bK-1"))
    wire.see(0.02, second, PROXY, PHONE)
    wire.see(1, response(486, via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    assert wire.call().state is CallState.RINGING
    assert wire.call().current_stations == ("1501", "1502")
    wire.see(2, response(200, via=("z9hG4bK-q", "z9hG4bK-1")), PHONE, PROXY)
    assert wire.call().current_stations == ("1502",)
    cancel = request("CANCEL", DESK, via=("z9hG4bK-p",))
    wire.see(2.01, cancel, PROXY, PHONE)
    wire.see(2.02, response(487, via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    assert wire.call().state is CallState.TALKING


@pytest.mark.parametrize(
    "status", [300, 302, 305, 380, 403, 404, 408, 480, 481, 486, 491, 503, 603]
)
def test_a_refusal_of_the_callers_invite_ends_the_call(status: int) -> None:
    wire = Wire()
    wire.see(0, request("INVITE"))
    wire.see(1, response(status), PROXY, TRUNK)
    call = wire.call()
    assert (call.state, call.ended, call.end_certain) == (CallState.ENDED, at(1), True)
    assert wire.kinds()[-1] is HungUp
    wire.see(1.1, request("ACK", to=TAGGED))
    assert wire.call().ended == at(1)


def diverted(status: int, headers: str) -> Wire:
    """The PBX rings 1501, which answers `status`, then 1502, which takes the call.

    Case 08, after https://github.com/onsip/SIP.js/issues/1005 and ladendirekt/pjsip4net 101; own data.
    """
    wire = Wire()
    from_ = "<sip:0612345678@pbx.example>;tag=caller"
    phone, other = ("192.0.2.51", 5060), ("192.0.2.52", 5060)

    def leg(call_id: str, station: str) -> dict[str, Any]:
        return {"call_id": call_id, "from_": from_, "to": f"<sip:{station}@pbx.example>"}

    by = "Diversion: <sip:1501@pbx.example>;reason=unconditional\r\n"
    wire.see(0, request("INVITE", "sip:15@pbx.example", **leg("aa", "15")), TRUNK, PBX)
    wire.see(0.05, request("INVITE", "sip:1501@192.0.2.51", **leg("bb", "1501")), PBX, phone)
    wire.see(0.15, response(status, headers=headers + by, **leg("bb", "1501>;tag=t1")), phone, PBX)
    wire.see(0.16, request("ACK", "sip:1501@192.0.2.51", **leg("bb", "1501>;tag=t1")), PBX, phone)
    wire.see(
        0.3, request("INVITE", "sip:1502@192.0.2.52", headers=by, **leg("cc", "1502")), PBX, other
    )
    wire.see(5, response(200, **leg("cc", "1502")), other, PBX)
    wire.see(5.05, response(200, **leg("aa", "15")), PBX, TRUNK)
    wire.see(60, request("BYE", cseq="2 BYE", **leg("aa", "15")), TRUNK, PBX)
    wire.see(60.05, request("BYE", cseq="2 BYE", **leg("cc", "1502")), PBX, other)
    return wire


@pytest.mark.parametrize("status", [301, 302, 486])
def test_a_telephone_that_diverts_ends_its_leg_as_one_that_is_busy(status: int) -> None:
    """RFC 3261, 8.1.3.4 and 17.1.1.2: a 3xx is final."""
    contact = "Contact: <sip:1502@pbx.example>\r\n" if status < 400 else ""
    first, second = diverted(status, contact).correlator.calls()
    assert (first.legs, first.certain, first.ended) == (("sip:aa", "sip:cc"), True, at(60.05))
    assert [(s.station, s.state.value) for s in first.stations] == [
        ("1502", "ringing"),
        ("1502", "talking"),
    ]
    assert (second.legs, second.ended, second.end_certain) == (("sip:bb",), at(0.15), True)


@pytest.mark.parametrize("status", [302, 401, 407, 422, 503])
@pytest.mark.parametrize("late", [False, True])
def test_a_call_that_is_tried_again_rings_again(status: int, late: bool) -> None:  # noqa: FBT001
    """Another address (3xx), a password, a longer session timer (RFC 4028): the same Call-ID, the next CSeq."""
    wire = Wire()
    wire.see(0, request("INVITE", DESK))
    refusal = [(1.0, response(status)), (1.01, request("ACK", DESK, to=TAGGED))]
    again = [(1.2, request("INVITE", "sip:1502@192.0.2.5", cseq="2 INVITE", via=("z9hG4bK-2",)))]
    for second, message in again + refusal if late else refusal:
        wire.see(second, message)
    if not late:
        assert (wire.call().state, wire.call().ended) == (CallState.ENDED, at(1))
        wire.see(*again[0])
    assert wire.call().state is CallState.RINGING
    assert "1502" in wire.call().current_stations
    if not late:
        assert wire.call().current_stations == ("1502",)
    wire.see(3, response(200, cseq="2 INVITE", via=("z9hG4bK-2",)), PROXY, TRUNK)
    assert wire.call().state is CallState.TALKING
    assert wire.call().talking_stations == ("1502",)


def skewed(status: int, late: float) -> dict[str, tuple[Any, ...]]:
    """A call that is refused, seen by two agents: the clock of the second, beyond the proxy, is `late` ahead."""
    both = ("z9hG4bK-p", "z9hG4bK-1")
    return {
        "asked": (0, request("INVITE")),
        "copy": (0.01 + late, request("INVITE", DESK, via=both), PROXY, PHONE),
        "copy tries": (0.02 + late, response(100, via=both), PHONE, PROXY),
        "copy refuses": (0.04 + late, response(status, via=both), PHONE, PROXY),
        "refused": (0.05, response(status), PROXY, TRUNK),
    }


@pytest.mark.parametrize("status", [302, 401, 486])
@given(st.data())
def test_a_refused_call_does_not_ring_again_because_a_clock_is_ahead(
    status: int, data: st.DataObject
) -> None:
    """However what two agents saw of one attempt is mixed on its way, and whatever of the copies is lost."""
    events = skewed(status, data.draw(st.sampled_from([0.1, 0.5, -0.1])))
    first, second = ["asked", "refused"], ["copy", "copy tries", "copy refuses"]
    second = second[:1] + [name for name in second[1:] if data.draw(st.booleans())]
    wire = Wire()
    while left := [each for each in (first, second) if each]:
        name = data.draw(st.sampled_from(left)).pop(0)
        wire.see(*events[name])
    assert wire.call().state is CallState.ENDED
    assert wire.call().current_stations == ()


@pytest.mark.parametrize("early", [0.0, 0.3])
def test_a_call_that_is_tried_again_rings_though_a_clock_is_behind(early: float) -> None:
    wire = Wire()
    wire.see(0.5, request("INVITE"))
    wire.see(1, response(422), PROXY, TRUNK)
    again = {"cseq": "2 INVITE", "via": ("z9hG4bK-q", "z9hG4bK-2")}
    wire.see(1.01 - early, request("INVITE", DESK, **again), PROXY, PHONE)  # type: ignore[arg-type]
    wire.see(1.02, request("INVITE", cseq="2 INVITE", via=("z9hG4bK-2",)))
    assert (wire.call().state, wire.call().current_stations) == (CallState.RINGING, ("1501",))
    wire.see(5, response(200, cseq="2 INVITE", via=("z9hG4bK-2",)), PROXY, TRUNK)
    assert wire.call().state is CallState.TALKING


def test_a_hunt_group_of_which_only_the_phones_side_is_seen_goes_on() -> None:
    """Another branch of the caller's INVITE, after one was refused, is no copy of it."""
    wire = Wire()
    wire.see(0, request("INVITE", DESK, via=("z9hG4bK-p", "z9hG4bK-1")), PROXY, PHONE)
    wire.see(1, response(486, via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    next_ = request("INVITE", "sip:1502@192.0.2.5", via=("z9hG4bK-q", "z9hG4bK-1"))
    wire.see(1.1, next_, PROXY, PHONE)
    assert (wire.call().state, wire.call().current_stations) == (CallState.RINGING, ("1502",))


def test_a_copy_of_a_refused_invite_pairs_it_with_nobody() -> None:
    """The clock of the second agent is ahead: what it saw is no new attempt."""
    wire = Wire()
    from_ = "<sip:+33612345678@x>;tag=caller"
    wire.see(0, request("INVITE", call_id="in", from_=from_), TRUNK, PROXY)
    wire.see(0.05, request("INVITE", DESK, call_id="out", from_=from_), PROXY, PHONE)
    wire.see(0.3, response(486, call_id="out", from_=from_), PHONE, PROXY)
    wire.see(0.4, request("INVITE", DESK, call_id="out", from_=from_), PROXY, PHONE)
    wire.see(0.5, response(200, call_id="in", from_=from_), PROXY, TRUNK)
    assert [call.state for call in wire.correlator.calls()] == [CallState.TALKING, CallState.ENDED]


def test_a_challenge_that_nobody_meets_ends_the_call() -> None:
    """The ACK of the challenge is no sign of life."""
    wire = Wire()
    wire.see(0, request("INVITE"))
    wire.see(0.1, response(407), PROXY, TRUNK)
    wire.see(0.2, request("ACK", to=TAGGED))
    assert (wire.call().state, wire.call().ended) == (CallState.ENDED, at(0.1))


def test_an_authentication_challenge_is_no_refusal_once_answered() -> None:
    wire = Wire()
    wire.see(0, request("INVITE"))
    wire.see(0.1, response(407), PROXY, TRUNK)
    wire.see(0.2, request("INVITE", cseq="2 INVITE", via=("z9hG4bK-2",)))
    assert wire.call().state is CallState.RINGING
    wire.see(1, response(200, cseq="2 INVITE", via=("z9hG4bK-2",)), PROXY, TRUNK)
    assert wire.call().state is CallState.TALKING


def test_a_cancelled_call_is_over_certainly_once_confirmed() -> None:
    wire = Wire()
    wire.see(0, request("INVITE"))
    wire.see(2, request("CANCEL"))
    assert (wire.call().state, wire.call().end_certain) == (CallState.ENDED, False)
    wire.see(2.1, response(200, cseq="1 CANCEL"), PROXY, TRUNK)
    wire.see(2.2, response(487), PROXY, TRUNK)
    assert (wire.call().ended, wire.call().end_certain) == (at(2.2), True)


def test_an_answer_that_crosses_the_cancel_wins() -> None:
    wire = Wire()
    wire.see(0, request("INVITE"))
    wire.see(2, request("CANCEL"))
    wire.see(2.1, response(200), PROXY, TRUNK)
    assert wire.call().state is CallState.TALKING


def forked(wire: Wire) -> None:
    """A proxy rings 1501 and 1502; both take it at once, so that both answers reach the caller (two To-tags)."""
    proxied(wire)
    second = request("INVITE", "sip:1502@192.0.2.5", via=("z9hG4bK-q", "z9hG4bK-1"))
    wire.see(0.02, second, PROXY, PHONE)
    for index, (station, branch) in enumerate((("1501", "p"), ("1502", "q"))):
        ok = response(200, to=to(station), via=(f"z9hG4bK-{branch}", "z9hG4bK-1"))
        wire.see(1 + index / 100, ok, PHONE, PROXY)
        wire.see(1.001 + index / 100, response(200, to=to(station)), PROXY, TRUNK)
    for station in ("1501", "1502"):
        wire.see(1.1, request("ACK", to=to(station)))


def to(tag: str) -> str:
    return f"<sip:15@samu37.example>;tag={tag}"


@pytest.mark.parametrize(("lost", "kept"), [("1501", "1502"), ("1502", "1501")])
def test_of_two_who_answered_one_leaves_and_the_call_goes_on_with_the_other(
    lost: str, kept: str
) -> None:
    """RFC 3261, 13.2.2.4: the caller confirms both answers and ends one of them."""
    wire = Wire()
    forked(wire)
    assert wire.call().talking_stations == ("1501",)
    for second in (1.2, 1.3):  # captured twice
        wire.see(second, request("BYE", to=to(lost), cseq="2 BYE"))
    wire.see(1.4, response(200, to=to(lost), cseq="2 BYE"))
    assert (wire.call().state, wire.call().talking_stations) == (CallState.TALKING, (kept,))
    wire.see(30, request("BYE", to=to(kept), cseq="3 BYE"))
    assert (wire.call().ended, wire.call().end_certain) == (at(30), True)
    assert wire.call().current_stations == ()


def test_the_lost_branch_may_leave_by_itself_and_hold_nothing() -> None:
    wire = Wire()
    forked(wire)
    back: dict[str, Any] = {
        "from_": to("1502"),
        "to": "<sip:+33612345678@operateur.example>;tag=caller",
    }
    wire.see(1.2, request("INVITE", cseq="1 INVITE", direction="inactive", **back))
    wire.see(1.3, response(200, cseq="1 INVITE", **back))
    assert wire.call().state is CallState.TALKING
    wire.see(1.4, request("BYE", cseq="2 BYE", **back))
    assert (wire.call().state, wire.call().talking_stations) == (CallState.TALKING, ("1501",))


def test_one_of_several_who_ring_is_given_up_and_the_others_go_on() -> None:
    """RFC 3261, 15: the caller may end an early dialog of its own. Or its answer was lost: nobody knows."""
    wire = Wire()
    proxied(wire)
    for station in ("1501", "1502"):
        wire.see(0.5, response(180, to=to(station)), PROXY, TRUNK)
    wire.see(1, request("BYE", to=to("1501"), cseq="2 BYE"))
    assert (wire.call().ended, wire.call().end_certain) == (at(1), False)
    wire.see(1.5, response(180, to=to("1502")), PROXY, TRUNK)
    assert wire.call().state is CallState.RINGING
    wire.see(2, request("BYE", to=to("1502"), cseq="3 BYE"))
    assert (wire.call().ended, wire.call().end_certain) == (at(2), True)


def both_answer(wire: Wire, *acknowledged: str, outer: str = "z9hG4bK-1") -> None:
    """Two To-tags answer one INVITE; the caller's ACK is seen for those that are named."""
    proxied(wire)
    wire.see(1, response(200, to=to("first"), via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    wire.see(1.1, response(200, to=to("second"), via=("z9hG4bK-q", outer)), PHONE, PROXY)
    for tag in acknowledged:
        wire.see(1.2, request("ACK", to=to(tag)))


@pytest.mark.parametrize(
    ("acknowledged", "second", "certain"),
    [
        (("first",), 60, True),  # a switchboard that ignores the second answer
        ((), 60, True),
        (("first",), 1.3, False),  # perhaps the ACK of who goes on was lost
        (("first", "second"), 60, False),  # the BYE of who lost was not captured
    ],
)
def test_a_call_ends_with_who_talked_though_another_answered(
    acknowledged: tuple[str, ...],
    second: float,
    certain: bool,  # noqa: FBT001
) -> None:
    """RFC 3261, 13.2.2.4: the caller confirms every answer, and leaves at once those it does not keep."""
    wire = Wire()
    both_answer(wire, *acknowledged)
    wire.see(second, request("BYE", to=to("first"), cseq="2 BYE"))
    call = wire.call()
    assert (call.state, call.ended, call.end_certain) == (CallState.ENDED, at(second), certain)
    if not certain:
        wire.see(90, request("INFO", to=to("second"), cseq="3 INFO"))
        assert wire.call().state is CallState.TALKING
        wire.see(99, request("BYE", to=to("second"), cseq="4 BYE"))
        assert (wire.call().ended, wire.call().end_certain) == (at(99), True)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("taken", [False, True])
def test_a_hop_that_writes_another_to_tag_is_no_fork(
    order: tuple[int, int],
    taken: bool,  # noqa: FBT001
) -> None:
    """The BYE of one hop ends the call, for certain once no other hop is left that was acknowledged."""
    wire = Wire()
    wire.see(0, request("INVITE"), TRUNK, PBX)
    wire.see(0.01, request("INVITE", DESK, via=("z9hG4bK-2",)), PBX, PHONE)
    wire.see(1, response(200, to=to("inner"), via=("z9hG4bK-2",)), PHONE, PBX)
    wire.see(1.01, response(200, to=to("outer")), PBX, TRUNK)
    if taken:
        wire.see(1.1, request("ACK", to=to("outer"), via=("z9hG4bK-3",)), TRUNK, PBX)
        wire.see(1.11, request("ACK", DESK, to=to("inner"), via=("z9hG4bK-4",)), PBX, PHONE)
    byes = [
        (20, request("BYE", to=to("outer"), cseq="2 BYE")),
        (20.01, request("BYE", to=to("inner"), cseq="2 BYE")),
    ]
    first, second = (byes[index] for index in order)
    wire.see(*first)
    assert (wire.call().ended, wire.call().end_certain) == (at(first[0]), not taken)
    wire.see(*second)
    assert (wire.call().ended, wire.call().end_certain) == (at(20.01 if taken else 20), True)


def test_a_hop_that_writes_another_to_tag_tells_of_a_hold_of_its_own() -> None:
    """The switchboard plays the music itself: only its inner side is held."""
    wire = Wire()
    wire.see(0, request("INVITE", direction="sendrecv"), TRUNK, PBX)
    invite = request("INVITE", DESK, via=("z9hG4bK-2",), direction="sendrecv")
    wire.see(0.01, invite, PBX, PHONE)
    inner = response(200, to=to("inner"), via=("z9hG4bK-2",), direction="sendrecv")
    wire.see(1, inner, PHONE, PBX)
    wire.see(1.01, response(200, to=to("outer"), direction="sendrecv"), PBX, TRUNK)
    back: dict[str, Any] = {
        "from_": to("inner"),
        "to": "<sip:+33612345678@operateur.example>;tag=caller",
        "via": ("z9hG4bK-5",),
    }
    wire.see(9, request("INVITE", direction="sendonly", **back), PHONE, PBX)
    wire.see(9.1, response(200, direction="recvonly", **back), PBX, PHONE)
    assert wire.call().state is CallState.HELD


@pytest.mark.parametrize("by", ["caller", "callee"])
def test_a_call_whose_answer_was_lost_ends_with_its_bye_though_others_rang(by: str) -> None:
    """The caller's ACK, or the BYE of who was called, shows that it was no longer ringing."""
    wire = Wire()
    proxied(wire)
    for station in ("1501", "1502"):
        wire.see(0.5, response(180, to=to(station)), PROXY, TRUNK)
    caller = "<sip:+33612345678@operateur.example>;tag=caller"
    if by == "caller":
        wire.see(1, request("ACK", to=to("1502")))
    ends = (
        {"from_": caller, "to": to("1502")}
        if by == "caller"
        else {"from_": to("1502"), "to": caller}
    )
    wire.see(9, request("BYE", cseq="2 BYE", **ends))  # type: ignore[arg-type]
    assert (wire.call().ended, wire.call().end_certain) == (at(9), True)


def test_the_end_of_a_dialog_nobody_saw_is_not_certain_while_another_goes_on() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", DESK))
    wire.see(1, response(200))
    wire.see(2, request("BYE", to=to("other"), cseq="2 BYE"))
    assert (wire.call().state, wire.call().end_certain) == (CallState.ENDED, False)
    wire.see(3, request("INFO", to=TAGGED, cseq="3 INFO"))
    assert wire.call().state is CallState.TALKING


def test_a_branch_that_diverts_behind_a_proxy_does_not_end_the_call() -> None:
    wire = Wire()
    proxied(wire)
    wire.see(1, response(302, via=("z9hG4bK-p", "z9hG4bK-1")), PHONE, PROXY)
    assert wire.call().state is CallState.RINGING


def answered(wire: Wire) -> None:
    wire.see(0, request("INVITE", DESK))
    wire.see(1, response(200), PROXY, TRUNK)


def reinvite(wire: Wire, second: float, cseq: int, direction: str, tag: str = "callee") -> None:
    ends = {"from_": f"<sip:1501@x>;tag={tag}", "to": "<sip:+33612345678@x>;tag=other"}
    wire.see(second, request("INVITE", cseq=f"{cseq} INVITE", direction=direction, **ends))  # type: ignore[arg-type]
    ok = response(200, cseq=f"{cseq} INVITE", **ends)  # type: ignore[arg-type]
    wire.see(second + 0.1, ok, PROXY, TRUNK)


@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_a_reinvite_holds_and_resumes(direction: str) -> None:
    wire = Wire()
    answered(wire)
    reinvite(wire, 5, 2, direction)
    assert wire.call().state is CallState.HELD
    reinvite(wire, 9, 3, "sendrecv")
    assert wire.call().state is CallState.TALKING
    assert wire.kinds().count(Held) == wire.kinds().count(Resumed) == 1
    (hold,) = wire.call().holds
    assert (hold.start, hold.end) == (at(5.1), at(9.1))


def test_a_refused_hold_is_no_hold() -> None:
    wire = Wire()
    answered(wire)
    ends = {"from_": "<sip:1501@x>;tag=callee", "to": "<sip:+33612345678@x>;tag=caller"}
    wire.see(5, request("INVITE", cseq="2 INVITE", direction="sendonly", **ends))  # type: ignore[arg-type]
    wire.see(5.1, response(491, cseq="2 INVITE", **ends), PROXY, TRUNK)  # type: ignore[arg-type]
    assert wire.call().state is CallState.TALKING


def test_a_call_held_by_both_resumes_when_both_have() -> None:
    wire = Wire()
    answered(wire)
    reinvite(wire, 5, 2, "sendonly", "one")
    reinvite(wire, 6, 7, "inactive", "two")
    reinvite(wire, 7, 3, "sendrecv", "one")
    assert wire.call().state is CallState.HELD
    reinvite(wire, 8, 8, "sendrecv", "two")
    assert wire.call().state is CallState.TALKING


def test_a_session_refresh_changes_nothing() -> None:
    wire = Wire()
    answered(wire)
    reinvite(wire, 5, 2, "sendrecv")
    reinvite(wire, 6, 3, "recvonly")
    assert wire.call().holds == ()


def test_a_delayed_offer_is_read_in_the_ack() -> None:
    wire = Wire()
    answered(wire)
    ends = {"from_": "<sip:1501@x>;tag=callee", "to": "<sip:+33612345678@x>;tag=caller"}
    wire.see(5, request("INVITE", cseq="2 INVITE", **ends))  # type: ignore[arg-type]
    wire.see(5.1, response(200, cseq="2 INVITE", direction="sendrecv", **ends), PROXY, TRUNK)  # type: ignore[arg-type]
    wire.see(5.2, request("ACK", cseq="2 ACK", direction="sendonly", **ends))  # type: ignore[arg-type]
    assert wire.call().state is CallState.HELD


def test_the_first_private_header_names_the_call_the_others_are_noted() -> None:
    wire = Wire("X-Site-Call", "User-to-User", "Cisco-Guid")
    wire.see(0, request("INVITE", headers="cisco-guid: 3-3\r\nUser-To-User: 2-2\r\n"))
    found = {(r.alias.type, r.alias.value, r.why) for r in wire.call().aliases}
    assert found == {
        (AliasType.SIP_CALL_ID, "c1", "Call-ID"),
        (AliasType.PRIVATE_HEADER, "2-2", "User-to-User"),
        (AliasType.OTHER_HEADER, "3-3", "Cisco-Guid"),
    }


def test_the_network_knows_the_caller_better_than_the_phone() -> None:
    wire = Wire()
    wire.see(
        0,
        request(
            "INVITE",
            from_='"Anonymous" <sip:anonymous@anonymous.invalid>;tag=1',
            headers="P-Asserted-Identity: <tel:+33711223344>\r\nPrivacy: id\r\n",
        ),
    )
    caller = wire.call().caller
    assert caller is not None
    assert caller.e164 == "+33711223344"


def test_an_anonymous_call_is_a_call() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", from_="<sip:anonymous@anonymous.invalid>;tag=1"))
    assert wire.call().caller is None


def test_a_station_that_calls_out_is_busy_with_the_number_called() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", "sip:0612345678@pbx", from_="<sip:1601@pbx>;tag=1"), PHONE, PBX)
    call = wire.call()
    assert (call.direction, call.caller) == (Direction.OUTGOING, None)
    assert call.current_stations == ("1601",)
    assert call.number is not None
    assert call.number.e164 == "+33612345678"


def test_a_consultation_shows_both_stations() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", "sip:1601@pbx", from_="<sip:1501@pbx>;tag=1"), PHONE, PBX)
    wire.see(1, response(200), PBX, PHONE)
    assert set(wire.call().current_stations) == {"1501", "1601"}
    assert wire.call().direction is Direction.INTERNAL


@pytest.mark.parametrize(
    "message",
    [
        request("OPTIONS"),
        request("REGISTER"),
        request("NOTIFY", to=TAGGED),
        request("MESSAGE"),
        response(200, cseq="1 REGISTER"),
        request("INVITE", headers="X-Line15-Event: answer\r\n"),
        response(200, from_="<sip:visio15-notify@pbx>;tag=1"),
    ],
)
def test_what_is_no_call_gives_no_fact(message: SipMessage) -> None:
    assert Wire().see(0, message) == []


@pytest.mark.parametrize(
    "message",
    [
        response(487),
        response(180),
        response(200),
        request("BYE", to=TAGGED, cseq="2 BYE"),
        request("ACK"),
    ],
)
def test_without_its_invite_a_message_makes_no_call(message: SipMessage) -> None:
    wire = Wire()
    wire.see(0, message)
    assert wire.correlator.calls() == ()


def test_after_a_restart_the_end_of_a_running_call_is_still_understood() -> None:
    before, after = Wire(), Wire()
    answered(before)
    after.correlator.restore(before.call().id, before.facts)
    assert after.call() == before.call()
    after.see(5, response(488, cseq="9 INVITE"), PROXY, TRUNK)
    assert after.call().state is CallState.TALKING
    after.see(9, request("BYE", to=TAGGED, cseq="2 BYE", headers="Reason: Q.850;cause=16\r\n"))
    assert after.call().ended == at(9)
    (end,) = [fact for fact in after.facts if isinstance(fact, HungUp) and fact.certain]
    assert end.cause == "bye 16"


# --- pairing the legs of a B2BUA


def b2bua(wire: Wire, *outs: tuple[str, float], caller: str = "+33612345678") -> None:
    """A call comes in to the PBX, which places its own calls to stations."""
    from_ = f"<sip:{caller}@x>;tag=caller"
    wire.see(0, request("INVITE", call_id="in", from_=from_), TRUNK, PBX)
    for station, second in outs:
        uri = f"sip:{station}@192.0.2.4"
        out = request("INVITE", uri, call_id=f"out-{station}", from_=from_)
        wire.see(second, out, PBX, PHONE)


def answer(wire: Wire, call_id: str, second: float) -> None:
    wire.see(second, response(200, call_id=call_id), PHONE, PBX)


def test_two_legs_are_paired_while_they_ring_and_confirmed_when_answered() -> None:
    wire = Wire()
    b2bua(wire, ("1501", 0.05))
    call = wire.call()
    assert (call.inferred, call.certain) == (True, True)
    assert call.legs == ("sip:in", "sip:out-1501")
    answer(wire, "out-1501", 5)
    answer(wire, "in", 5.02)
    (evidence,) = wire.call().evidence
    assert evidence == (
        "same host 192.0.2.3, INVITE out 50 ms after INVITE in, same calling number, answers 20 ms apart"
    )


@pytest.mark.parametrize(
    ("caller", "out_caller", "second", "src"),
    [
        ("+33612345678", "+33711223344", 0.05, PBX),
        ("anonymous", "anonymous", 0.05, PBX),
        ("+33612345678", "+33612345678", 1.05, PBX),
        ("+33612345678", "+33612345678", 0.05, PROXY),
    ],
)
def test_legs_are_not_paired_without_number_time_and_host(
    caller: str, out_caller: str, second: float, src: tuple[str, int]
) -> None:
    wire = Wire()
    b2bua(wire, caller=caller)
    out = request("INVITE", DESK, call_id="out", from_=f"<sip:{out_caller}@x>;tag=2")
    wire.see(second, out, src, PHONE)
    assert len(wire.correlator.calls()) == 2


def test_a_diverted_call_carries_its_number_in_diversion() -> None:
    wire = Wire()
    b2bua(wire)
    out = request(
        "INVITE",
        DESK,
        call_id="out",
        from_="<sip:15@pbx>;tag=2",
        headers="Diversion: <tel:+33612345678>;reason=unconditional\r\n",
    )
    wire.see(0.1, out, PBX, PHONE)
    assert len(wire.correlator.calls()) == 1


def test_answers_too_far_apart_separate_the_legs_again() -> None:
    wire = Wire()
    b2bua(wire, ("1501", 0.05))
    answer(wire, "in", 0.06)
    answer(wire, "out-1501", 2)
    assert len(wire.correlator.calls()) == 2
    assert not any(call.inferred for call in wire.correlator.calls())


def test_two_candidates_are_not_paired_but_shown_as_uncertain_until_one_answers() -> None:
    wire = Wire()
    b2bua(wire, ("1501", 0.05), ("1502", 0.06))
    calls = wire.correlator.calls()
    assert len(calls) == 3
    assert not any(call.certain for call in calls)
    answer(wire, "out-1502", 4)
    answer(wire, "in", 4.1)
    wire.see(4.2, request("CANCEL", DESK, call_id="out-1501"), PBX, PHONE)
    wire.see(4.3, response(487, call_id="out-1501"), PHONE, PBX)
    first, second = wire.correlator.calls()
    assert first.legs == ("sip:in", "sip:out-1502")
    assert first.certain
    assert first.current_stations == ("1502",)
    assert (second.legs, second.state) == (("sip:out-1501",), CallState.ENDED)


def test_two_callers_at_once_are_paired_each_with_their_own_leg() -> None:
    wire = Wire()
    for index, number in enumerate(("+33612345678", "+33711223344")):
        from_ = f"<sip:{number}@x>;tag=1"
        wire.see(index / 100, request("INVITE", call_id=f"in{index}", from_=from_), TRUNK, PBX)
    for index, number in enumerate(("+33612345678", "+33711223344")):
        from_ = f"<sip:{number}@x>;tag=1"
        out = request("INVITE", DESK, call_id=f"out{index}", from_=from_)
        wire.see(0.1 + index / 100, out, PBX, PHONE)
    found = [call.legs for call in wire.correlator.calls()]
    assert found == [("sip:in0", "sip:out0"), ("sip:in1", "sip:out1")]


def test_a_leg_that_had_to_give_a_password_is_paired_like_any_other() -> None:
    """The first attempt ended (407), the leg did not; its partner answers first."""
    wire = Wire()
    from_ = "<sip:+33612345678@x>;tag=caller"
    for second, cseq in ((0, 1), (0.2, 2)):
        asked = request("INVITE", call_id="in", cseq=f"{cseq} INVITE", from_=from_)
        wire.see(second, asked, TRUNK, PBX)
        if cseq == 1:
            wire.see(0.1, response(407, call_id="in"), PBX, TRUNK)
            wire.see(0.15, request("ACK", call_id="in", to=TAGGED), TRUNK, PBX)
    wire.see(0.3, request("INVITE", DESK, call_id="out", from_=from_), PBX, PHONE)
    assert wire.call().inferred
    wire.see(5, response(200, call_id="out"), PHONE, PBX)
    assert wire.call().legs == ("sip:in", "sip:out")
    wire.see(5.02, response(200, call_id="in", cseq="2 INVITE"), PBX, TRUNK)
    assert wire.call().talking_stations == ("1501",)


REFER_TO = "Refer-To: <sip:1601@pbx?Replaces=consult%40pbx%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\n"
REPLACES = "Replaces: consult@pbx;to-tag=a;from-tag=b\r\nReferred-By: <sip:1501@pbx>\r\n"


@pytest.mark.parametrize("late", [False, True])
def test_an_attended_transfer_is_the_same_call(late: bool) -> None:  # noqa: FBT001
    """RFC 5589: 1501 consults 1601, then has the caller replace it (REFER with Replaces)."""
    wire = Wire()
    wire.see(0, request("INVITE", DESK, call_id="first"), PBX, PHONE)
    consult = request("INVITE", "sip:1601@x", call_id="consult@pbx", from_="<sip:1501@x>;tag=b")
    wire.see(5, consult, PHONE, PBX)
    refer = request("REFER", call_id="first", cseq="5 REFER", to=TAGGED, headers=REFER_TO)
    taken = request("INVITE", "sip:1601@x", call_id="third", headers=REPLACES)
    for second, message in ((10, refer), (11, taken)) if not late else ((11, taken), (10, refer)):
        wire.see(second, message, PHONE, PBX)
    (call,) = wire.correlator.calls()
    assert set(call.legs) == {"sip:first", "sip:consult@pbx", "sip:third"}
    assert not call.inferred
    assert "1601" in call.current_stations


def test_a_blind_transfer_is_the_same_call_when_it_says_who_asked() -> None:
    wire = Wire()
    wire.see(0, request("INVITE", DESK, call_id="first"), PBX, PHONE)
    target = "Refer-To: <sip:1601@pbx>\r\n"
    refer = request("REFER", call_id="first", cseq="5 REFER", to=TAGGED, headers=target)
    wire.see(10, refer, PHONE, PBX)
    by = "Referred-By: <sip:1501@pbx>\r\n"
    wire.see(11, request("INVITE", "sip:1601@x", call_id="next", headers=by), TRUNK, PBX)
    (call,) = wire.correlator.calls()
    assert (set(call.legs), call.inferred) == ({"sip:first", "sip:next"}, True)


def test_a_transfer_that_two_asked_for_is_nobodys() -> None:
    wire = Wire()
    target = "Refer-To: <sip:1601@pbx>\r\n"
    for index, number in enumerate(("+33612345678", "+33711223344")):
        from_ = f"<sip:{number}@x>;tag=1"
        leg = f"first{index}"
        wire.see(index, request("INVITE", DESK, call_id=leg, from_=from_), PBX, PHONE)
        refer = request(
            "REFER", call_id=leg, cseq="5 REFER", to=TAGGED, headers=target, from_=from_
        )
        wire.see(8 + index, refer, PHONE, PBX)
    by = "Referred-By: <sip:1501@pbx>\r\n"
    wire.see(11, request("INVITE", "sip:1601@x", call_id="next", headers=by), TRUNK, PBX)
    assert len(wire.correlator.calls()) == 3


METHODS = st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "OPTIONS"])
IDS = st.sampled_from(["c1", "c2"])
MESSAGES = st.one_of(
    st.builds(
        request,
        METHODS,
        st.sampled_from(["sip:15@x", DESK, "sip:1601@x", "tel:+33612345678", "x"]),
        call_id=IDS,
        to=st.sampled_from(["<sip:15@x>", TAGGED, ""]),
        via=st.sampled_from([("a",), ("b", "a"), ()]),
        direction=st.sampled_from(["", "sendonly", "sendrecv"]),
    ),
    st.builds(
        response,
        st.sampled_from([100, 180, 200, 302, 401, 407, 486, 487, 491, 603]),
        call_id=IDS,
        cseq=st.sampled_from(["1 INVITE", "2 INVITE", "1 BYE", "1 CANCEL", "1 UPDATE", "x"]),
        via=st.sampled_from([("a",), ("b", "a"), ()]),
    ),
)
HOSTS = st.sampled_from([TRUNK, PROXY, PBX, PHONE])


@given(st.lists(st.tuples(MESSAGES, HOSTS, HOSTS), max_size=30))
def test_any_conversation_is_observed_without_raising(
    seen: list[tuple[SipMessage, tuple[str, int], tuple[str, int]]],
) -> None:
    wire = Wire()
    for second, (message, src, dst) in enumerate(seen):
        wire.see(second / 10, message, src, dst)
    assert all(isinstance(fact.leg, str) for fact in wire.facts)


def test_kinds_of_facts_of_a_plain_call() -> None:
    wire = Wire()
    answered(wire)
    wire.see(9, request("BYE", to=TAGGED, cseq="2 BYE"))
    assert [kind for kind in wire.kinds() if kind in {Rang, Answered, HungUp}] == [
        Rang,
        Answered,
        HungUp,
    ]


def test_of_a_ring_group_behind_a_proxy_only_who_answers_talks() -> None:
    wire = Wire()
    proxied(wire)
    second = request("INVITE", "sip:1502@192.0.2.5", via=("z9hG4bK-q", "z9hG4bK-1"))
    wire.see(0.02, second, PROXY, PHONE)
    wire.see(2, response(200, via=("z9hG4bK-q", "z9hG4bK-1")), PHONE, PROXY)
    wire.see(2.01, response(200), PROXY, TRUNK)
    call = wire.call()
    assert call.talking_stations == ("1502",)
    assert [(s.station, s.state.value, s.end) for s in call.stations] == [
        ("1501", "ringing", at(2)),
        ("1502", "ringing", at(2)),
        ("1502", "talking", None),
    ]


def test_the_lost_end_of_a_stations_leg_keeps_no_call_alive() -> None:
    """The caller's BYE is seen, the one to the station is not: the person outside has left."""
    wire = Wire()
    b2bua(wire, ("1501", 0.05))
    answer(wire, "out-1501", 5)
    answer(wire, "in", 5.02)
    assert wire.call().talking_stations == ("1501",)
    wire.see(60, request("BYE", call_id="in", to=TAGGED, cseq="2 BYE"), TRUNK, PBX)
    call = wire.call()
    assert (call.state, call.ended, call.end_certain) == (CallState.ENDED, at(60), True)
    assert call.current_stations == ()
