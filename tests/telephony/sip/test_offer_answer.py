"""Holds, told by what the two sides of a call offer and answer (RFC 3264, 3262, 3311, 4028, 6337)."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony import Answered, CallState, Held, HungUp, Resumed
from telephony.sip.message import SipMessage
from telephony.sources.hep.facts import SipFactReader
from tests.telephony.strategies import at
from tests.telephony.wire import PHONE, PROXY, STATIONS, TRUNK, Wire, request, response

if TYPE_CHECKING:
    from datetime import datetime

CALLER, CALLEE = "caller", "callee"
URIS = {CALLER: "<sip:+33612345678@x>;tag=caller", CALLEE: "<sip:15@x>;tag=callee"}
OTHER = {CALLER: CALLEE, CALLEE: CALLER}


def asks(side: str, cseq: int, method: str = "INVITE", direction: str = "") -> SipMessage:
    """What one side asks of the other inside the dialog."""
    ends = {"from_": URIS[side], "to": URIS[OTHER[side]]}
    return request(method, cseq=f"{cseq} {method}", direction=direction, **ends)  # type: ignore[arg-type]


def gets(
    side: str, cseq: int, method: str = "INVITE", direction: str = "", status: int = 200
) -> SipMessage:
    """What the side that asked gets back."""
    ends = {"from_": URIS[side], "to": URIS[OTHER[side]]}
    return response(status, cseq=f"{cseq} {method}", direction=direction, **ends)  # type: ignore[arg-type]


def calls(direction: str = "sendrecv", cseq: int = 1, headers: str = "") -> SipMessage:
    ends = {"from_": URIS[CALLER], "to": "<sip:15@x>"}
    return request("INVITE", cseq=f"{cseq} INVITE", direction=direction, headers=headers, **ends)  # type: ignore[arg-type]


def talking(cseq: int = 1, offer: str = "sendrecv", answer: str = "sendrecv") -> Wire:
    """A call that was answered at second 1."""
    wire = Wire()
    wire.see(0, calls(offer, cseq))
    wire.see(1, gets(CALLER, cseq, direction=answer))
    return wire


def exchange(
    wire: Wire,
    second: float,
    side: str,
    cseq: int,
    offer: str,
    answer: str = "",
    *,
    method: str = "INVITE",
    status: int = 200,
) -> None:
    wire.see(second, asks(side, cseq, method, offer))
    wire.see(second + 0.1, gets(side, cseq, method, answer, status))
    if method == "INVITE":
        wire.see(second + 0.2, asks(side, cseq, "ACK"))


def held(wire: Wire) -> bool:
    return wire.call().state is CallState.HELD


# --- each side counts its own CSeq


@pytest.mark.parametrize("cseq", [1, 7, 8])
def test_who_was_called_holds_with_a_cseq_of_its_own(cseq: int) -> None:
    """Its first re-INVITE may bear the number of the caller's INVITE, or a lower one (RFC 3261, 12.2.1.1)."""
    wire = talking(cseq=7)
    exchange(wire, 5, CALLEE, cseq, "sendonly", "recvonly")
    assert held(wire)
    assert wire.kinds().count(Answered) == 1
    exchange(wire, 9, CALLER, 8, "recvonly", "sendonly")
    assert held(wire)
    exchange(wire, 12, CALLEE, cseq + 1, "sendrecv", "sendrecv")
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(5.1), at(12.1))]


@pytest.mark.parametrize("status", [401, 407, 488, 491, 500, 603])
@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_an_offer_that_is_refused_changes_nothing(status: int, method: str) -> None:
    wire = talking(cseq=3)
    exchange(wire, 5, CALLEE, 3, "sendonly", method=method, status=status)
    assert wire.call().state is CallState.TALKING
    assert HungUp not in wire.kinds()
    exchange(wire, 6, CALLEE, 4, "sendonly", "recvonly", method=method)
    assert held(wire)
    exchange(wire, 7, CALLEE, 5, "sendrecv", "sendrecv", method=method, status=status)
    assert held(wire)


def test_both_ask_at_once_and_both_are_refused() -> None:
    """Glare (RFC 3261, 14.1): the same CSeq on both sides, twice 491; who tries again holds."""
    wire = talking(cseq=4)
    for side in (CALLER, CALLEE):
        wire.see(5, asks(side, 5, direction="sendonly"))
    for side in (CALLER, CALLEE):
        wire.see(5.1, gets(side, 5, status=491))
        wire.see(5.2, asks(side, 5, "ACK"))
    assert wire.call().state is CallState.TALKING
    exchange(wire, 7, CALLEE, 6, "sendonly", "recvonly")
    assert held(wire)


@pytest.mark.parametrize("status", [408, 481])
def test_a_dialog_the_other_side_does_not_know_is_over(status: int) -> None:
    """RFC 3261, 12.2.1.2; not for certain: whoever is heard of again goes on."""
    wire = talking()
    exchange(wire, 9, CALLER, 2, "sendrecv", method="UPDATE", status=status)
    assert (wire.call().ended, wire.call().end_certain) == (at(9.1), False)
    exchange(wire, 30, CALLEE, 2, "sendrecv", "sendrecv")
    assert wire.call().state is CallState.TALKING
    exchange(wire, 40, CALLER, 3, "sendrecv", status=status)
    assert wire.call().ended == at(40.1)


@pytest.mark.parametrize("method", ["INFO", "REFER"])
def test_whatever_is_asked_of_a_dialog_nobody_knows_it_is_over(method: str) -> None:
    """RFC 3261, 12.2.1.2: not only what offers and answers."""
    wire = talking()
    wire.see(9, asks(CALLER, 2, method))
    wire.see(9.1, gets(CALLER, 2, method, status=481))
    assert (wire.call().ended, wire.call().end_certain) == (at(9.1), False)
    wire.see(30, asks(CALLEE, 2, method))
    assert wire.call().state is CallState.TALKING


def test_an_info_that_nobody_answers_ends_nothing_and_shows_no_life() -> None:
    wire = talking()
    wire.see(9, asks(CALLER, 2, "INFO"))
    assert wire.see(9.1, gets(CALLER, 2, "INFO", status=408)) == []
    assert wire.call().state is CallState.TALKING


def test_a_reinvite_that_is_withdrawn_ends_nothing() -> None:
    wire = talking()
    wire.see(5, asks(CALLEE, 1, direction="sendonly"))
    wire.see(6, asks(CALLEE, 1, "CANCEL"))
    wire.see(6.1, gets(CALLEE, 1, status=487))
    assert HungUp not in wire.kinds()
    assert wire.call().state is CallState.TALKING


# --- hours of session refreshes


def refreshed(wire: Wire, count: int, first: int = 2) -> None:
    """Each minute a refresh: UPDATE without a description, UPDATE with one, re-INVITE; by either side."""
    for index in range(count):
        side = (CALLER, CALLEE)[index // 3 % 2]
        second, number = 60 + index * 60.0, first + index
        if index % 3 == 0:
            exchange(wire, second, side, number, "", method="UPDATE")
        else:
            method = ("INVITE", "UPDATE")[index % 2]
            exchange(wire, second, side, number, "sendrecv", "sendrecv", method=method)


def test_a_hold_is_seen_after_hours_of_refreshes() -> None:
    """RFC 4028 lets a session be refreshed for as long as the call lasts; a regulator's may last hours."""
    wire = talking()
    refreshed(wire, 100)
    assert not held(wire)
    exchange(wire, 7000, CALLEE, 500, "sendonly", "recvonly")
    assert held(wire)
    for index in range(100):  # the hold is refreshed too
        exchange(wire, 7060 + index * 60, CALLEE, 501 + index, "sendonly", "recvonly")
    assert held(wire)
    exchange(wire, 14000, CALLEE, 700, "sendrecv", "sendrecv")
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(7000.1), at(14000.1))]
    assert wire.kinds().count(Held) == wire.kinds().count(Resumed) == 1


def test_holds_are_counted_beyond_the_hundredth() -> None:
    wire = talking()
    for index in range(150):
        second = 10 + index * 20.0
        exchange(wire, second, CALLEE, 10 + index * 2, "sendonly", "recvonly")
        assert held(wire), index
        exchange(wire, second + 10, CALLEE, 11 + index * 2, "sendrecv", "sendrecv")
        assert not held(wire), index
    assert len(wire.call().holds) == 150


def test_refreshes_take_no_memory() -> None:
    observer = SipFactReader("hep", STATIONS)

    def see(second: float, message: SipMessage) -> None:
        observer.observe(message, at(second), TRUNK, PROXY)

    see(0, calls())
    see(1, gets(CALLER, 1, direction="sendrecv"))

    def grow(first: int, count: int) -> int:
        for number in range(first, first + count):
            direction = ("", "sendonly", "sendrecv")[number % 3]
            see(number, asks(CALLER, number, "UPDATE", direction))
            see(number + 0.1, gets(CALLER, number, "UPDATE"))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = grow(2, 1_000)  # until the interpreter's own stores of freed objects are full
        assert grow(1_002, 800) - before < 16_384  # 20 bytes for each: nothing of one is kept
    finally:
        tracemalloc.stop()


def test_a_proxy_that_rings_one_after_the_other_for_long_does_not_end_the_call() -> None:
    """A hunt group asks for hours under one Call-ID: a branch refused after the hundredth is still no end."""
    wire = Wire()
    wire.see(0, calls())
    for index in range(150):
        via = (f"z9hG4bK-p{index}", "z9hG4bK-1")
        asked = request("INVITE", "sip:1501@192.0.2.4", via=via, from_=URIS[CALLER])
        wire.see(1 + index * 2, asked, PROXY, PHONE)
        refusal = response(486, via=via, from_=URIS[CALLER], to=f"<sip:15@x>;tag=t{index}")
        wire.see(2 + index * 2, refusal, PHONE, PROXY)
        assert wire.call().state is CallState.RINGING, index


# --- who offers, who answers


def test_the_answer_tells_a_hold_too() -> None:
    """Who holds answers a refresh with what it does (RFC 6337, 5.3): still held, and told when it was not seen."""
    wire = talking()
    exchange(wire, 5, CALLER, 2, "sendrecv", "sendonly", method="UPDATE")
    assert held(wire)
    exchange(wire, 6, CALLER, 3, "sendrecv", "inactive")
    assert held(wire)
    exchange(wire, 7, CALLER, 4, "sendrecv", "sendrecv")
    assert not held(wire)


@pytest.mark.parametrize("answer", ["recvonly", "inactive", "sendonly", "sendrecv", ""])
def test_what_answers_a_hold_does_not_outlive_it(answer: str) -> None:
    """RFC 3264, 6.1 allows recvonly and inactive; switchboards answer anything (livekit/sip 779, diago 125)."""
    wire = talking()
    exchange(wire, 5, CALLEE, 1, "sendonly", answer)
    assert held(wire)
    exchange(wire, 9, CALLEE, 2, "sendrecv", "sendrecv")
    assert not held(wire)


def test_who_was_put_on_hold_refreshes_with_what_it_does_and_holds_nothing() -> None:
    wire = talking()
    exchange(wire, 5, CALLEE, 1, "inactive", "inactive")
    exchange(wire, 6, CALLER, 2, "inactive", "inactive")
    exchange(wire, 9, CALLEE, 2, "sendrecv", "sendrecv")
    assert not held(wire)


def test_held_by_both_it_resumes_when_both_have() -> None:
    wire = talking()
    exchange(wire, 5, CALLEE, 1, "sendonly", "recvonly")
    exchange(wire, 6, CALLER, 2, "inactive", "inactive")
    exchange(wire, 7, CALLEE, 2, "sendrecv", "sendonly")
    assert held(wire)
    exchange(wire, 8, CALLER, 3, "sendrecv", "sendrecv")
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(5.1), at(8.1))]


def test_a_hold_told_only_by_what_answers_a_hold_outlives_it() -> None:
    wire = talking()
    exchange(wire, 5, CALLER, 2, "sendonly", "inactive")
    exchange(wire, 6, CALLER, 3, "recvonly", "sendonly")
    assert held(wire)
    exchange(wire, 7, CALLEE, 1, "sendrecv", "sendrecv")
    assert not held(wire)
    exchange(wire, 8, CALLER, 4, "recvonly", "inactive")
    assert held(wire)


def test_who_only_listens_holds_nothing() -> None:
    """A telephone that is muted says recvonly: the other one is heard."""
    wire = talking()
    exchange(wire, 5, CALLER, 2, "recvonly", "sendonly")
    exchange(wire, 6, CALLEE, 1, "sendrecv", "recvonly")
    assert wire.call().holds == ()


# --- offers before the answer, and in responses


def test_a_call_whose_offer_stands_in_its_answer() -> None:
    """INVITE without a description, the offer in the 200, the answer in the ACK (RFC 3261, 13.2.1)."""
    wire = Wire()
    wire.see(0, calls(""))
    wire.see(1, gets(CALLER, 1, direction="sendrecv"))
    wire.see(1.1, asks(CALLER, 1, "ACK", "sendonly"))
    assert (wire.call().state, wire.call().answered) == (CallState.HELD, at(1))
    exchange(wire, 5, CALLER, 2, "sendrecv", "sendrecv")
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(1.1), at(5.1))]


def test_a_resumption_whose_offer_stands_in_the_answer() -> None:
    """A call manager holds with inactive and resumes with an empty re-INVITE: the 200 offers, the ACK answers."""
    wire = talking()
    exchange(wire, 5, CALLEE, 1, "inactive", "inactive")
    wire.see(9, asks(CALLEE, 2))
    wire.see(9.1, gets(CALLEE, 2, direction="sendrecv"))
    assert held(wire)
    wire.see(9.2, asks(CALLEE, 2, "ACK", "sendrecv"))
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(5.1), at(9.2))]


@pytest.mark.parametrize(
    ("offer", "answer"),
    [("sendrecv", "sendonly"), ("inactive", "inactive"), ("sendonly", "recvonly")],
)
def test_what_is_agreed_with_the_call_itself_counts_from_the_answer(
    offer: str, answer: str
) -> None:
    wire = Wire()
    wire.see(0, calls(offer))
    wire.see(0.5, gets(CALLER, 1, direction=answer, status=183))
    assert (wire.call().state, wire.call().holds) == (CallState.RINGING, ())
    wire.see(1, gets(CALLER, 1))
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(1), None)]


def early(wire: Wire, answer: str) -> None:
    """An answer before the answer, and its PRACK (RFC 3262)."""
    wire.see(0, calls("sendrecv"))
    wire.see(0.5, gets(CALLER, 1, direction=answer, status=183))
    wire.see(0.6, asks(CALLER, 2, "PRACK"))
    wire.see(0.7, gets(CALLER, 2, "PRACK"))


@pytest.mark.parametrize("repeats", ["", "sendonly"])
def test_an_update_before_the_answer_replaces_what_was_agreed(repeats: str) -> None:
    """RFC 3311, 5.1. An announcement plays one way, then it is a conversation; the 200 may repeat the first answer."""
    wire = Wire()
    early(wire, "sendonly")
    exchange(wire, 0.8, CALLEE, 1, "sendrecv", "sendrecv", method="UPDATE")
    wire.see(2, gets(CALLER, 1, direction=repeats))
    assert (wire.call().state, wire.call().holds) == (CallState.TALKING, ())


def test_the_answer_of_who_picks_up_replaces_the_announcement() -> None:
    """Many announce with 183 one way and answer with 200 both ways, without an offer in between."""
    wire = Wire()
    wire.see(0, calls("sendrecv"))
    wire.see(0.5, gets(CALLER, 1, direction="sendonly", status=183))
    wire.see(2, gets(CALLER, 1, direction="sendrecv"))
    assert (wire.call().state, wire.call().holds) == (CallState.TALKING, ())


def test_a_prack_answers_the_offer_of_a_provisional_response() -> None:
    wire = Wire()
    wire.see(0, calls(""))
    wire.see(0.5, gets(CALLER, 1, direction="sendrecv", status=183))
    acked = "RAck: 1 1 INVITE\r\n"
    ends = {"from_": URIS[CALLER], "to": URIS[CALLEE]}
    wire.see(
        0.6,
        request("PRACK", cseq="2 PRACK", direction="inactive", headers=acked, **ends),  # type: ignore[arg-type]
    )
    wire.see(0.7, gets(CALLER, 2, "PRACK"))
    wire.see(2, gets(CALLER, 1))
    assert [(span.start, span.end) for span in wire.call().holds] == [(at(2), None)]


def test_a_prack_may_offer_anew() -> None:
    wire = Wire()
    wire.see(0, calls("sendonly"))
    wire.see(0.5, gets(CALLER, 1, direction="recvonly", status=183))
    exchange(wire, 0.6, CALLER, 2, "sendrecv", "sendrecv", method="PRACK")
    wire.see(2, gets(CALLER, 1))
    assert wire.call().state is CallState.TALKING


def test_the_copy_for_a_recorder_is_not_on_hold() -> None:
    """SIPREC (RFC 7866): the recorder only listens, from the first offer on."""
    wire = Wire()
    wire.see(0, calls("sendonly", headers="Require: siprec\r\n"))
    wire.see(1, gets(CALLER, 1, direction="recvonly"))
    exchange(wire, 5, CALLER, 2, "sendonly", "recvonly")
    assert (wire.call().state, wire.call().holds) == (CallState.TALKING, ())


def test_after_a_restart_the_end_of_a_hold_is_still_seen() -> None:
    before, after = talking(), Wire()
    exchange(before, 5, CALLEE, 1, "sendonly", "recvonly")
    after.correlator.restore(before.call().id, before.facts)
    assert held(after)
    exchange(after, 60, CALLEE, 2, "sendrecv", "sendrecv")
    assert not held(after)
    exchange(after, 70, CALLER, 9, "sendonly", "recvonly")
    assert held(after)


def test_an_answer_that_was_lost_is_told_by_the_next_offer_that_is_accepted() -> None:
    wire = Wire()
    wire.see(0, calls())
    wire.see(0.5, gets(CALLER, 1, status=180))
    assert wire.call().state is CallState.RINGING
    exchange(wire, 60, CALLEE, 1, "sendrecv", "sendrecv")
    assert (wire.call().state, wire.call().answered) == (CallState.TALKING, at(60.1))


# --- any conversation of offers and answers


@dataclass
class Model:
    """Two sides, each of which holds or does not; what it writes of itself, and what the other must answer."""

    draw: st.DrawFn
    wire: Wire = field(default_factory=Wire)
    second: float = 0.0
    holds: dict[str, bool] = field(default_factory=lambda: {CALLER: False, CALLEE: False})
    #: What each has let the other know of it: not what it wished while it was bound to answer inactive.
    known: dict[str, bool] = field(default_factory=lambda: {CALLER: False, CALLEE: False})
    cseq: dict[str, int] = field(default_factory=dict)
    spans: list[list[float | None]] = field(default_factory=list)

    def one(self, *values: str) -> str:
        return self.draw(st.sampled_from(values))

    def offers(self, side: str) -> str:
        self.known[side] = self.holds[side]
        if self.holds[side]:
            return self.one("sendonly", "inactive")
        return self.one("sendrecv", "recvonly") if self.known[OTHER[side]] else "sendrecv"

    def answers(self, side: str, offer: str) -> str:
        mine = self.holds[side]
        if offer in {"sendrecv", "sendonly"}:
            self.known[side] = mine
        if offer == "sendrecv":
            return self.one("sendonly", "inactive") if mine else "sendrecv"
        if offer == "recvonly":
            return self.one("sendonly", "inactive")
        return "inactive" if mine or offer == "inactive" else self.one("recvonly", "inactive")

    def captured(self, messages: list[tuple[float, SipMessage]]) -> None:
        """Let a transaction arrive in any order, each message perhaps at a second hop and perhaps sent again."""
        copies = [(self.second + late, message) for late, message in messages]
        for late, message in messages:
            if self.draw(st.booleans()):
                copies.append((self.second + late + 0.003, message))
            if self.draw(st.booleans()):
                copies.append((self.second + late + 0.5, message))
        for when, message in self.draw(st.permutations(copies)):
            self.wire.see(when, message)

    def agreed(self, late: float) -> None:
        """Write down what is so from now on."""
        now = any(self.holds.values())
        if now and (not self.spans or self.spans[-1][1] is not None):
            self.spans.append([self.second + late, None])
        elif not now and self.spans and self.spans[-1][1] is None:
            self.spans[-1][1] = self.second + late

    def begins(self) -> None:
        self.cseq = {side: self.draw(st.integers(1, 3)) for side in (CALLER, CALLEE)}
        number = self.cseq[CALLER]
        if self.draw(st.booleans()):
            messages = [
                (0.0, calls("sendrecv", number)),
                (0.1, gets(CALLER, number, direction="sendrecv")),
            ]
        else:
            messages = [
                (0.0, calls("", number)),
                (0.1, gets(CALLER, number, direction="sendrecv")),
                (0.2, asks(CALLER, number, "ACK", "sendrecv")),
            ]
        self.captured(messages)

    def asks(self, side: str, wish: str) -> None:
        """One side holds, resumes or refreshes; the other accepts or refuses."""
        self.second += 5
        self.cseq[side] += self.draw(st.integers(1, 2))
        number, method = self.cseq[side], self.one("INVITE", "UPDATE")
        before, known = dict(self.holds), dict(self.known)
        if wish != "refresh":
            self.holds[side] = wish == "hold"
        status = self.draw(st.sampled_from([200, 200, 200, 488, 491, 500]))
        ack = [(0.2, asks(side, number, "ACK"))] if method == "INVITE" else []
        if wish == "refresh" and method == "UPDATE" and self.draw(st.booleans()):
            messages = [(0.0, asks(side, number, method)), (0.1, gets(side, number, method))]
        elif status != 200:
            request_ = asks(side, number, method, self.offers(side))
            self.holds, self.known = before, known
            messages = [(0.0, request_), (0.1, gets(side, number, method, status=status)), *ack]
        elif method == "INVITE" and self.draw(st.booleans()):
            # Who is asked to offer offers all it can do (RFC 6337, 5.1), unless it holds.
            offer = self.offers(OTHER[side]) if self.holds[OTHER[side]] else "sendrecv"
            messages = [
                (0.0, asks(side, number, method)),
                (0.1, gets(side, number, method, offer)),
                (0.2, asks(side, number, "ACK", self.answers(side, offer))),
            ]
            self.agreed(0.2)
        else:
            offer = self.offers(side)
            answer = self.answers(OTHER[side], offer)
            messages = [
                (0.0, asks(side, number, method, offer)),
                (0.1, gets(side, number, method, answer)),
            ]
            messages += ack
            self.agreed(0.1)
        self.captured(messages)


def joined(wire: Wire) -> list[tuple[datetime, datetime | None]]:
    """The holds of the call; one that was told anew a microsecond after its correction went on."""
    spans: list[tuple[datetime, datetime | None]] = []
    for span in wire.call().holds:
        last = spans[-1][1] if spans else None
        if last and span.start - last <= timedelta(microseconds=1):
            spans[-1] = (spans[-1][0], span.end)
        else:
            spans.append((span.start, span.end))
    return spans


@settings(max_examples=60)
@given(st.data())
def test_any_conversation_of_offers_and_answers_gives_the_state_of_the_call(
    data: st.DataObject,
) -> None:
    """Both sides ask, with any CSeq; refused or not, captured twice, sent again, out of order."""
    model = Model(data.draw)  # type: ignore[arg-type]
    model.begins()
    steps = st.tuples(
        st.sampled_from([CALLER, CALLEE]), st.sampled_from(["hold", "resume", "refresh"])
    )
    for side, wish in data.draw(st.lists(steps, max_size=24)):
        model.asks(side, wish)
        assert held(model.wire) is any(model.holds.values())
        assert HungUp not in model.wire.kinds()
    wanted = [(at(start or 0), None if end is None else at(end)) for start, end in model.spans]
    assert joined(model.wire) == wanted
