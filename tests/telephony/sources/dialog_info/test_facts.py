"""From documents to calls: whoever tells, in whatever order and however often, the call is the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from telephony import AliasType, CallState, Direction, Fact, HungUp, Paired, Seen, StationState
from telephony.correlate.correlation import Correlator
from telephony.sources.dialog_info.codec import Dialog, DialogInfo, DialogState, Party, Replaced
from telephony.sources.dialog_info.facts import GAP, OLD, DialogFactReader

T0 = datetime(2026, 11, 22, 20, tzinfo=UTC)
STATIONS = ("1501", "1502", "1601")
CALLER = "sip:+33612345678@gw"
EARLY, CONFIRMED, TERMINATED = DialogState.EARLY, DialogState.CONFIRMED, DialogState.TERMINATED


def dialog(
    call: str = "c1",
    state: DialogState = EARLY,
    other: str = CALLER,
    *,
    here: str = "sip:1501@x",
    initiator: bool = False,
    **more: object,
) -> Dialog:
    plain = Dialog(call, state, call_id=call, initiator=initiator)
    return replace(plain, local=Party(here), remote=Party(other), **more)  # type: ignore[arg-type]


class Desk:
    """Documents in, calls out; each station's versions are counted as a presence server does."""

    def __init__(self) -> None:
        self.observer = DialogFactReader("dialog", STATIONS)
        self.correlator = Correlator(set(STATIONS), iter(f"call-{n}" for n in range(99)).__next__)
        self.facts: list[Fact] = []
        self.now = T0
        self.versions = dict.fromkeys(STATIONS, 0)

    def tell(self, station: str, *dialogs: Dialog, full: bool = True, skip: int = 0) -> str:
        self.versions[station] += 1 + skip
        return self.document(station, DialogInfo(self.versions[station], full, "", dialogs))

    def document(self, station: str, info: DialogInfo) -> str:
        self.now += timedelta(milliseconds=100)
        facts, wrong = self.observer.observe(station, info, self.now)
        self.take(facts)
        return wrong

    def take(self, facts: list[Fact]) -> None:
        self.facts += facts
        for fact in facts:
            self.correlator.receive(fact)

    def state(self) -> list[tuple[CallState, tuple[str, ...]]]:
        return [(call.state, call.current_stations) for call in self.correlator.calls()]


def test_a_call_rings_is_answered_held_resumed_and_ends() -> None:
    desk = Desk()
    desk.tell("1501", dialog())
    assert desk.state() == [(CallState.RINGING, ("1501",))]
    (call,) = desk.correlator.calls()
    assert call.caller is not None
    assert (call.caller.e164, call.direction, call.called) == (
        "+33612345678",
        Direction.INCOMING,
        "1501",
    )
    assert {record.alias.type for record in call.aliases} == {
        AliasType.SIP_CALL_ID,
        AliasType.DIALOG_ID,
    }
    assert call.legs == ("sip:c1",)
    desk.tell("1501", dialog(state=CONFIRMED))
    assert desk.state() == [(CallState.TALKING, ("1501",))]
    held = replace(dialog(state=CONFIRMED), remote=Party(CALLER, rendering=False))
    desk.tell("1501", held)
    assert desk.state() == [(CallState.HELD, ("1501",))]
    desk.tell("1501", dialog(state=CONFIRMED))
    desk.tell("1501", dialog(state=TERMINATED, event="remote-bye"))
    (call,) = desk.correlator.calls()
    assert (call.state, call.end_certain) == (CallState.ENDED, True)
    count = len(desk.facts)
    desk.tell("1501", dialog(state=TERMINATED, event="remote-bye"))  # listed for some time
    desk.tell("1501")
    assert len(desk.facts) == count


def test_why_it_ended() -> None:
    for more, answered, cause in (
        ({"event": "cancelled"}, False, "cancelled"),
        ({"event": "rejected", "code": 486}, False, "rejected 486"),
        ({"event": "timeout"}, True, "timeout"),
        ({"event": "local-bye"}, True, "bye"),
        ({"event": "cancelled"}, True, "bye"),
        ({}, True, "bye"),
        ({}, False, "ended"),
    ):
        desk = Desk()
        desk.tell("1501", dialog(state=CONFIRMED if answered else EARLY))
        desk.tell("1501", dialog(state=TERMINATED, **more))
        ends = [(fact.cause, fact.certain) for fact in desk.facts if isinstance(fact, HungUp)]
        assert ends == [(cause, True)]
        assert [state for state, _ in desk.state()] == [CallState.ENDED]


def test_a_password_asked_for_does_not_end_a_call() -> None:
    desk = Desk()
    desk.tell("1501", dialog(initiator=True))
    desk.tell("1501", dialog(state=TERMINATED, initiator=True, event="rejected", code=407))
    desk.tell("1501", dialog(state=CONFIRMED, initiator=True))
    assert desk.state() == [(CallState.TALKING, ("1501",))]


def test_a_call_back_is_outgoing_and_an_internal_one_internal() -> None:
    desk = Desk()
    desk.tell("1501", dialog("out", initiator=True))
    desk.tell("1502", dialog("in", other="sip:1601@x", here="sip:1502@x", initiator=True))
    desk.tell("1601", dialog("in", other="sip:1502@x", here="sip:1601@x"))
    out, within = desk.correlator.calls()
    assert (out.direction, out.caller, out.number and out.number.e164) == (
        Direction.OUTGOING,
        None,
        "+33612345678",
    )
    assert (within.direction, within.legs) == (Direction.INTERNAL, ("sip:in",))
    assert set(within.current_stations) == {"1502", "1601"}
    # One end says that it is over; the other is late, and brings nothing back.
    desk.tell("1601", dialog("in", CONFIRMED, "sip:1502@x"))
    desk.tell("1502", dialog("in", TERMINATED, "sip:1601@x", initiator=True))
    desk.tell("1601", dialog("in", CONFIRMED, "sip:1502@x"))
    assert desk.correlator.calls()[1].state is CallState.ENDED


def test_one_of_several_stations_answers() -> None:
    desk = Desk()
    desk.tell("1501", dialog())
    desk.tell("1502", dialog(here="sip:1502@x"))
    desk.tell("1502", dialog(state=CONFIRMED, here="sip:1502@x"))
    desk.tell("1501", dialog(state=TERMINATED, event="cancelled"))
    assert desk.state() == [(CallState.TALKING, ("1502",))]


def test_an_attended_transfer_stays_one_call() -> None:
    desk = Desk()
    arm, doctor = "sip:1501@x", "sip:1601@x"
    desk.tell("1501", dialog("c1", CONFIRMED))
    consult = dialog("c2", CONFIRMED, doctor, here=arm, initiator=True)
    consulted = dialog("c2", CONFIRMED, arm, here=doctor)
    desk.tell("1501", dialog("c1", CONFIRMED), consult)
    desk.tell("1601", consulted)
    gone = {"state": TERMINATED, "event": "replaced"}
    moved = dialog("c3", CONFIRMED, here=doctor, replaces=Replaced("c2", "l", "r"), referred_by=arm)
    desk.tell("1601", replace(consulted, **gone), moved)  # type: ignore[arg-type]
    desk.tell(
        "1501",
        dialog("c1", TERMINATED, event="remote-bye"),
        replace(consult, **gone),  # type: ignore[arg-type]
    )
    pairs = {
        (fact.leg, fact.with_leg): fact.inferred for fact in desk.facts if isinstance(fact, Paired)
    }
    assert pairs == {("sip:c3", "sip:c2"): False, ("sip:c3", "sip:c1"): True}
    (call,) = desk.correlator.calls()
    assert call.legs == ("sip:c1", "sip:c2", "sip:c3")
    assert (call.state, call.current_stations) == (CallState.TALKING, ("1601",))
    assert call.caller is not None
    assert call.caller.e164 == "+33612345678"


def test_nobody_is_tied_to_another_person_by_a_transfer() -> None:
    """Two callers wait at the station that transfers one of them: only who is the same is tied."""
    desk = Desk()
    other = "sip:+33698765432@gw"
    desk.tell("1501", dialog("c1", CONFIRMED), dialog("c9", CONFIRMED, other))
    desk.tell("1601", dialog("c2", CONFIRMED, "sip:1501@x", here="sip:1601@x"))
    desk.tell("1601", dialog("c3", CONFIRMED, other, replaces=Replaced("c2")))
    calls = {call.legs for call in desk.correlator.calls()}
    assert ("sip:c1",) in calls
    assert any({"sip:c9", "sip:c3"} <= set(legs) for legs in calls)


def test_repeated_and_reordered_documents_say_nothing() -> None:
    desk = Desk()
    desk.document("1501", DialogInfo(5, full=True, dialogs=(dialog(state=CONFIRMED),)))
    count = len(desk.facts)
    for version in (5, 4, 0):
        assert desk.document("1501", DialogInfo(version, full=True, dialogs=())) == OLD
        partial = DialogInfo(version, full=False, dialogs=(dialog("c7"),))
        assert desk.document("1501", partial) == OLD
    assert len(desk.facts) == count
    assert desk.state() == [(CallState.TALKING, ("1501",))]


def test_a_gap_asks_for_everything_and_a_full_document_mends_it() -> None:
    desk = Desk()
    desk.tell("1501", dialog())
    assert not desk.tell("1501", dialog(state=CONFIRMED), full=False)
    assert desk.tell("1501", dialog("c2"), full=False, skip=1) == GAP
    assert desk.tell("1501", dialog("c3"), full=False) == GAP  # nothing is believed until then
    assert desk.observer.stale
    assert desk.state() == [(CallState.TALKING, ("1501",))]
    assert not desk.tell("1501", dialog("c3"), skip=7)
    calls = desk.correlator.calls()
    assert [(call.legs, call.state, call.end_certain) for call in calls] == [
        (("sip:c1",), CallState.ENDED, False),
        (("sip:c3",), CallState.RINGING, True),
    ]


def test_a_partial_document_cannot_come_first() -> None:
    desk = Desk()
    assert desk.tell("1501", dialog(), full=False) == GAP
    assert desk.facts == []


def test_a_new_subscription_counts_anew_and_ends_what_is_gone() -> None:
    desk = Desk()
    desk.document("1501", DialogInfo(7, full=True, dialogs=(dialog(), dialog("c2"))))
    for station in STATIONS:
        desk.observer.begin(station)
    assert desk.observer.stale == set(STATIONS)
    assert not desk.document("1501", DialogInfo(0, full=True, dialogs=(dialog("c2"),)))
    assert isinstance(desk.facts[-2], Seen)  # it lives: certain again
    assert isinstance(desk.facts[-1], HungUp)
    for station in ("1502", "1601"):
        desk.take(desk.observer.nothing(station, desk.now))
    assert not desk.observer.stale
    assert [call.state for call in desk.correlator.live()] == [CallState.RINGING]


def test_what_only_the_product_remembers_ends_unless_it_is_there() -> None:
    desk = Desk()
    desk.tell("1501", dialog("here"), dialog("over", TERMINATED))
    believed = {"sip:here", "sip:gone", "sip:over"}
    (gone,) = desk.observer.absent(believed, desk.now)
    assert isinstance(gone, HungUp)
    assert (gone.leg, gone.certain) == ("sip:gone", False)


def test_a_station_that_lists_it_keeps_a_leg_alive() -> None:
    desk = Desk()
    desk.tell("1502", dialog("in", CONFIRMED, "sip:1601@x", initiator=True))
    desk.tell("1601", dialog("in", CONFIRMED, "sip:1502@x"))
    desk.tell("1601")
    assert [state for state, _ in desk.state()] == [CallState.TALKING]
    desk.tell("1502")
    assert [call.end_certain for call in desk.correlator.calls()] == [False]


def test_without_call_ids_an_id_that_comes_again_is_another_call() -> None:
    """An Asterisk gives its extension as id, each time."""
    desk = Desk()
    bare = replace(dialog(), id="1501", call_id="")
    for _ in range(2):
        desk.tell("1501", bare)
        desk.tell("1502", replace(bare, local=Party("sip:1502@x"), id="1502"))
        for station in ("1501", "1502"):
            desk.tell(station, replace(bare, id=station, state=TERMINATED))
    assert len({leg for call in desk.correlator.calls() for leg in call.legs}) == 4
    assert not desk.correlator.live()


def test_a_dialog_listed_twice_is_as_far_as_it_came() -> None:
    desk = Desk()
    desk.tell("1501", dialog(state=CONFIRMED), dialog(state=EARLY))
    assert desk.state() == [(CallState.TALKING, ("1501",))]


def test_it_says_who_rings_and_who_talks() -> None:
    desk = Desk()
    desk.tell("1501", dialog())
    desk.tell("1502", dialog(here="sip:1502@x"))
    assert [call.talking_stations for call in desk.correlator.calls()] == [()]
    desk.tell("1502", dialog(state=CONFIRMED, here="sip:1502@x"))
    (call,) = desk.correlator.calls()
    assert call.talking_stations == ("1502",)
    assert {s.station for s in call.stations if s.state is StationState.TALKING} == {"1502"}


def test_the_other_end_of_an_internal_call_that_is_told_late_talks_too() -> None:
    desk = Desk()
    desk.tell("1502", dialog("in", CONFIRMED, "sip:1601@x", here="sip:1502@x", initiator=True))
    desk.tell("1601", dialog("in", CONFIRMED, "sip:1502@x", here="sip:1601@x"))
    (call,) = desk.correlator.calls()
    assert set(call.talking_stations) == {"1502", "1601"}
