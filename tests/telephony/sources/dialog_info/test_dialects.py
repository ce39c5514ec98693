"""Presence as Kamailio, Asterisk and FreeSWITCH write it: the same lives of calls, told in three ways."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telephony import AliasType, Call, CallState, Direction, Fact
from telephony.correlate.correlation import Correlator
from telephony.sources.dialog_info.codec import Dialog, DialogInfo, DialogState, Party, read
from telephony.sources.dialog_info.dialects import Dialect, presumed, product, recognise
from telephony.sources.dialog_info.facts import CONTRADICTED, ENTITY, GAP, DialogFactReader
from telephony.sources.replay.recorded import read as read_files
from tests.telephony.sources.dialog_info.dialects import (
    HEAD,
    STATION,
    Asterisk,
    Document,
    FreeSwitch,
    Rfc,
    TrueCall,
    Writer,
)

if TYPE_CHECKING:
    from collections.abc import Callable

CASES = Path(__file__).parents[2] / "cases"
START = datetime(2026, 11, 22, 18, tzinfo=UTC)
UUID: Final = "5f0c1a52-aaaa-4c1e-9d55-0123456789ab"


class Watcher:
    """Reads documents about 1501, as the feed does, and keeps the calls."""

    def __init__(self) -> None:
        self.observer = DialogFactReader("dialog", [STATION, "1601"])
        self.correlator = Correlator(
            {STATION, "1601"}, map("call-{}".format, itertools.count()).__next__
        )
        self.now = START
        self.facts: list[Fact] = []

    def take(self, document: Document) -> str:
        return self.observe(read(document.body), answers=document.answers)

    def observe(self, info: DialogInfo, *, answers: bool = False) -> str:
        return self.take_at(STATION, info, answers=answers)

    def take_at(self, station: str, info: DialogInfo, *, answers: bool = False) -> str:
        self.now += timedelta(seconds=1)
        facts, wrong = self.observer.observe(station, info, self.now, answers=answers)
        self.facts += facts
        for fact in facts:
            self.correlator.receive(fact)
        return wrong

    @property
    def calls(self) -> tuple[Call, ...]:
        return self.correlator.calls()

    @property
    def live(self) -> list[tuple[str, str | None]]:
        return sorted(
            (call.state.value, call.caller.e164 if call.caller else None)
            for call in self.correlator.live()
        )


# --- field cases: inputs in the shape of public reports, with what is right


def case(name: str) -> tuple[Call, ...]:
    correlator = Correlator({STATION}, map("call-{}".format, itertools.count()).__next__)
    for fact in read_files([CASES / name], [STATION]).facts:
        correlator.receive(fact)
    return correlator.calls()


def number(call: Call) -> str | None:
    return call.caller.e164 if call.caller else None


@pytest.mark.parametrize("name", ["notifycid", "pjsip", "talking"])
def test_an_asterisk_call_is_one_through_ring_and_talk(name: str) -> None:
    """https://github.com/asterisk/asterisk/issues/803."""
    (call,) = case(f"04-dialoginfo-asterisk-pickup/{name}.xml")
    assert number(call) == "+33612345678"
    assert call.answered is not None
    assert call.state is (CallState.TALKING if name == "talking" else CallState.ENDED)
    assert (call.end_certain, call.certain, call.direction) == (True, True, Direction.INCOMING)
    assert {each.alias.type for each in call.aliases} == {AliasType.DIALOG_ID}  # not pickup-…


def test_the_next_caller_of_an_asterisk_extension_is_another_call() -> None:
    first, second = case("04-dialoginfo-asterisk-pickup/second-call.xml")
    assert (number(first), first.state, first.answered) == ("+33612345678", CallState.ENDED, None)
    assert (number(second), second.state) == ("+33145678901", CallState.RINGING)


@pytest.mark.parametrize("name", ["asterisk-pvalue", "asterisk-pval"])
def test_an_asterisk_hold(name: str) -> None:
    """asterisk: res_pjsip_dialog_info_body_generator.c writes `pvalue`, RFC 4235 `pval`."""
    (call,) = case(f"05-dialoginfo-hold-pvalue/{name}.xml")
    (hold,) = call.holds
    assert hold.end is not None
    assert (hold.end - hold.start, call.state) == (timedelta(seconds=1), CallState.ENDED)


def test_a_freeswitch_refresh_in_mid_call() -> None:
    """https://github.com/signalwire/freeswitch/issues/1772."""
    (call,) = case("06-dialoginfo-freeswitch/a-event-then-refresh.xml")
    assert (number(call), call.state, call.end_certain) == ("+33612345678", CallState.ENDED, True)
    names = {each.alias.value for each in call.aliases if each.alias.type is AliasType.SIP_CALL_ID}
    assert names == {"0d8f-4a7e-call@192.0.2.1"}


def test_a_freeswitch_call_goes_on_while_a_second_is_refused() -> None:
    first, second = case("06-dialoginfo-freeswitch/b-two-calls.xml")
    assert (number(first), first.state, first.certain) == ("+33612345678", CallState.TALKING, True)
    assert (number(second), second.state, second.answered) == (
        "+33145678901",
        CallState.ENDED,
        None,
    )


def test_a_freeswitch_hold_is_told_as_early() -> None:
    (call,) = case("06-dialoginfo-freeswitch/c-hold.xml")
    (hold,) = call.holds
    assert hold.end is not None
    assert call.state is CallState.TALKING


# --- random lives of calls


class Life:
    """Calls at one station, as they are and as a product tells them."""

    def __init__(self, writer: Writer, *, one_at_a_time: bool = False) -> None:
        self.writer = writer
        self.watcher = Watcher()
        self.calls: list[TrueCall] = []
        self.one_at_a_time = one_at_a_time
        self.last: Document | None = None
        self.refresh()

    @property
    def living(self) -> list[TrueCall]:
        return [call for call in self.calls if call.live]

    def refresh(self) -> None:
        self.tell(self.writer.answer(self.calls))

    def tell(self, document: Document | None) -> None:
        if document is None:
            return
        self.last = document
        if self.watcher.take(document) == GAP:
            self.watcher.take(self.writer.answer(self.calls))

    def repeat(self) -> None:
        """Send the last document again: its version is old."""
        if self.last is not None:
            self.watcher.take(self.last)

    def ring(self) -> None:
        ringing = any(each.state == "ringing" for each in self.living)
        if not ringing and len(self.living) < (1 if self.one_at_a_time else 3):
            self.calls.append(TrueCall(f"06000000{len(self.calls):02}", len(self.calls)))
            self.change(self.calls[-1], "ringing")

    def answer(self) -> None:
        self.turn("ringing", "talking")

    def hold(self) -> None:
        self.turn("talking", "held")

    def resume(self) -> None:
        self.turn("held", "talking")

    def hang_up(self) -> None:
        if self.living:
            self.change(self.living[-1], "ended")

    def lose(self) -> None:
        """Hang up a call, whose document is lost on the way."""
        if self.living and isinstance(self.writer, FreeSwitch):
            self.living[0].state = "ended"
            self.writer.version += 1
            self.refresh()

    def register(self) -> None:
        if isinstance(self.writer, FreeSwitch):
            self.tell(self.writer.registered())

    def turn(self, before: str, after: str) -> None:
        found = [call for call in self.living if call.state == before]
        if found:
            self.change(found[0], after)

    def change(self, call: TrueCall, state: str) -> None:
        call.state = state
        self.tell(self.writer.event(self.calls, call))

    def end(self) -> None:
        for call in self.living:
            self.change(call, "ended")

    def told(self, *, callers: bool = True) -> list[tuple[str, str | None]]:
        return sorted(
            (call.state, f"+33{call.caller[1:]}" if callers else None) for call in self.living
        )


CALLING: Final = [Life.ring, Life.answer, Life.hold, Life.resume, Life.hang_up]
STEPS = st.lists(
    st.sampled_from([*CALLING, Life.refresh, Life.repeat, Life.lose, Life.register]), max_size=30
)
RFC_OR_FREESWITCH = st.one_of(
    st.builds(Rfc, partial=st.booleans()), st.builds(FreeSwitch, swapped=st.booleans())
)


@settings(max_examples=150, deadline=None)
@given(STEPS, RFC_OR_FREESWITCH)
def test_calls_that_have_names_are_told_exactly(
    steps: list[Callable[[Life], None]], writer: Rfc | FreeSwitch
) -> None:
    life = Life(writer)
    for step in steps:
        step(life)
        assert life.watcher.live == life.told()
    life.end()
    assert life.watcher.live == []
    assert len(life.watcher.calls) == len(life.calls)
    assert all(call.certain for call in life.watcher.calls)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_calls_of_an_extension_one_after_the_other_are_told_exactly(
    steps: list[Callable[[Life], None]],
    cid: bool,  # noqa: FBT001 -- a drawn value
) -> None:
    life = Life(Asterisk(cid=cid), one_at_a_time=True)
    for step in steps:
        step(life)
        assert life.watcher.live == life.told(callers=cid)
    life.end()
    assert life.watcher.live == []
    assert len(life.watcher.calls) == len(life.calls)
    assert all(call.certain and call.end_certain for call in life.watcher.calls)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.booleans())
def test_calls_of_an_extension_beside_each_other_are_never_certain(
    steps: list[Callable[[Life], None]],
    cid: bool,  # noqa: FBT001 -- a drawn value
) -> None:
    """One state for two calls: none is invented, none is left over, and nobody claims to know which goes on."""
    life = Life(Asterisk(cid=cid))
    beside = False
    for step in steps:
        step(life)
        beside = beside or len(life.living) > 1
        assert len(life.watcher.live) <= len(life.living)
        assert bool(life.watcher.live) == bool(life.living)
    assert len(life.watcher.calls) <= len(life.calls)
    if not beside:
        assert all(call.certain for call in life.watcher.calls)
    life.end()
    assert life.watcher.live == []


def test_a_second_call_that_rings_at_an_extension_in_use_makes_both_uncertain() -> None:
    life = Life(Asterisk(cid=True))
    for step in (Life.ring, Life.answer, Life.ring):
        step(life)
    assert life.watcher.live == [("ringing", "+33600000001"), ("talking", "+33600000000")]
    life.change(life.calls[1], "ended")  # or answered: the extension says the same
    assert life.watcher.live == [("talking", "+33600000000")]
    assert [call.certain for call in life.watcher.calls] == [False, False]
    assert not life.watcher.calls[1].end_certain


def test_two_calls_that_begin_at_one_time_at_an_extension_are_two() -> None:
    """Documents that wait in one packet are dated by their arrival."""
    observer, switchboard = DialogFactReader("dialog", [STATION]), Asterisk(cid=True)
    first, second = TrueCall("0611111111", 0), TrueCall("0622222222", 1)
    over = TrueCall("0611111111", 0, "ended")
    correlator = Correlator({STATION}, map("call-{}".format, itertools.count()).__next__)
    for calls in ([over], [first], [over], [over, second]):
        for fact in observer.observe(STATION, read(switchboard.answer(calls).body), START)[0]:
            correlator.receive(fact)
    assert [(number(call), call.state) for call in correlator.calls()] == [
        ("+33611111111", CallState.ENDED),
        ("+33622222222", CallState.RINGING),
    ]


def test_a_freeswitch_end_that_was_missed_is_seen_at_the_next_answer() -> None:
    """The list is empty then, as the document of an event about no call is: only the answer counts."""
    life = Life(FreeSwitch())
    life.ring()
    life.answer()
    assert isinstance(life.writer, FreeSwitch)
    life.calls[0].state = "ended"
    life.watcher.take(life.writer.registered())
    assert life.watcher.live == [("talking", "+33600000000")]
    life.refresh()
    assert life.watcher.live == []
    assert not life.watcher.calls[0].end_certain


def test_a_call_thought_over_that_is_told_again_lives() -> None:
    life = Life(FreeSwitch())
    life.ring()
    life.watcher.take(life.writer.answer([]))
    assert life.watcher.live == []
    life.refresh()
    assert life.watcher.live == [("ringing", "+33600000000")]
    assert len(life.watcher.calls) == 1


def test_a_freeswitch_hold_of_which_the_end_was_missed() -> None:
    life = Life(FreeSwitch())
    for step in (Life.ring, Life.answer, Life.hold, Life.refresh):
        step(life)
    assert life.watcher.live == [("held", "+33600000000")]
    assert isinstance(life.writer, FreeSwitch)
    life.calls[0].state = "talking"
    life.writer.event(life.calls, life.calls[0])  # lost
    life.refresh()
    assert life.watcher.live == [("talking", "+33600000000")]


def test_a_hold_that_ended_while_nobody_listened() -> None:
    """The product starts again: the same leg, known as held, is now told as it is."""
    life = Life(FreeSwitch())
    for step in (Life.ring, Life.answer, Life.hold):
        step(life)
    life.watcher.observer = DialogFactReader("dialog", [STATION])
    life.resume()
    life.refresh()
    assert life.watcher.live == [("talking", "+33600000000")]
    assert len(life.watcher.calls) == 1


def test_a_state_after_a_cut_does_not_prove_which_call_it_is() -> None:
    """Who is on the phone may have changed meanwhile: an extension in use names nobody."""
    life = Life(Asterisk())
    for step in (Life.ring, Life.answer):
        step(life)
    life.watcher.correlator.feed_lost("dialog", life.watcher.now)
    life.watcher.observer.begin(STATION)
    life.refresh()
    (call,) = life.watcher.calls
    assert (call.state, call.confirmed, call.certain) == (CallState.TALKING, False, False)
    for step in (Life.hang_up, Life.ring, Life.answer):
        step(life)
    assert [each.certain for each in life.watcher.correlator.live()] == [True]


def test_a_freeswitch_call_after_a_cut_is_the_same() -> None:
    life = Life(FreeSwitch())
    for step in (Life.ring, Life.answer):
        step(life)
    life.watcher.correlator.feed_lost("dialog", life.watcher.now)
    life.watcher.observer.begin(STATION)
    life.refresh()
    (call,) = life.watcher.calls
    assert (call.state, call.certain) == (CallState.TALKING, True)


def test_a_call_id_that_comes_and_goes_names_the_call_all_the_same() -> None:
    watcher = Watcher()
    for version, (state, call_id) in enumerate(
        [(EARLY, ""), (EARLY, "c@gw"), (CONFIRMED, ""), (CONFIRMED, "c@gw"), (TERMINATED, "")]
    ):
        told = dialog("d", state, call_id=call_id, remote=CALLER)
        assert not watcher.observe(info(told, version=version))
    (call,) = watcher.calls
    assert (call.state, call.end_certain) == (CallState.ENDED, True)
    names = {each.alias.type: each.alias.value for each in call.aliases}
    assert names == {AliasType.SIP_CALL_ID: "c@gw", AliasType.DIALOG_ID: "d"}


def test_another_call_id_is_another_call_even_after_documents_without_one() -> None:
    watcher = Watcher()
    for version, call_id in enumerate(["c@gw", "", "e@gw"]):
        watcher.observe(info(dialog("d", call_id=call_id, remote=CALLER), version=version))
    first, second = watcher.calls
    assert (first.state, first.end_certain, first.legs) == (CallState.ENDED, False, ("sip:c@gw",))
    assert (second.state, second.legs) == (CallState.RINGING, ("sip:e@gw",))


def test_a_hold_told_as_early_under_a_call_id_is_no_contradiction() -> None:
    watcher = Watcher()
    told = dialog("d", CONFIRMED, call_id="c@gw", remote=CALLER)
    watcher.observe(info(told))
    held = replace(told, state=EARLY, local=Party("sip:1501@x", rendering=False))
    assert not watcher.observe(info(held, version=2))
    assert watcher.live == [("held", "+33612345678")]


def test_the_end_at_the_station_that_answered_is_the_end_even_if_its_state_went_back() -> None:
    watcher = Watcher()
    told = dialog("d", call_id="c@gw", remote=CALLER)
    watcher.take_at("1601", info(told, entity="sip:1601@x"))
    for version, state in enumerate([CONFIRMED, EARLY, TERMINATED]):
        watcher.observe(info(replace(told, state=state), version=version))
    assert watcher.live == []


@pytest.mark.parametrize("swapped", [False, True])
def test_a_freeswitch_call_found_under_way(swapped: bool) -> None:  # noqa: FBT001 -- a drawn value
    writer = FreeSwitch(swapped=swapped)
    watcher = Watcher()
    watcher.take(writer.answer([TrueCall("0612345678", 0, "talking", "confirmed")]))
    (call,) = watcher.calls
    assert (call.state, call.direction, number(call), call.called) == (
        CallState.TALKING,
        Direction.INCOMING,
        "+33612345678",
        STATION,
    )


def test_a_freeswitch_call_of_which_the_hold_is_heard_first() -> None:
    watcher = Watcher()
    watcher.take(FreeSwitch().event([], TrueCall("0612345678", 0, "held")))
    assert watcher.live == [("held", "+33612345678")]


def test_a_freeswitch_document_after_a_lost_one_is_news_and_the_rest_is_asked_for() -> None:
    life = Life(FreeSwitch())
    life.ring()
    assert isinstance(life.writer, FreeSwitch)
    life.writer.version += 1
    life.calls[0].state = "talking"
    assert life.watcher.take(life.writer.event(life.calls, life.calls[0])) == GAP
    assert life.watcher.live == [("talking", "+33600000000")]
    assert STATION in life.watcher.observer.stale
    life.refresh()
    assert STATION not in life.watcher.observer.stale


def test_two_dialogs_of_which_one_is_told_are_asked_about() -> None:
    """FreeSWITCH may tell a call that ended as answered while another goes on."""
    life = Life(FreeSwitch())
    for step in (Life.ring, Life.answer, Life.ring):
        step(life)
    assert life.watcher.observer.unsure == {STATION}
    life.refresh()
    assert life.watcher.observer.unsure == set()


def test_an_asterisk_that_does_not_know_who_calls_writes_the_extension() -> None:
    """chan_sip with notifycid, when no ringing channel is found: `mto` for both ends."""
    life = Life(Asterisk(cid=True))
    life.calls.append(TrueCall(STATION, 0))
    life.change(life.calls[0], "ringing")
    (call,) = life.watcher.calls
    assert (call.caller, call.direction) == (None, Direction.UNKNOWN)


def test_an_anonymous_freeswitch_call_without_ends() -> None:
    """Without a number the document has no ends at all: told by the station's other documents, or by the product."""
    watcher = Watcher()
    watcher.observer.presumed = Dialect.EVENTS
    bare = (
        '{}version="{}" state="full" entity="sip:1501@x"><dialog id="{}" direction="recipient">'
        "<state>{}</state></dialog></dialog-info>"
    )
    other = UUID.replace("5f", "77")
    for version, (name, state) in enumerate([(UUID, "confirmed"), (other, "early")]):
        watcher.take(Document(bare.format(HEAD, version, name, state).encode()))
    assert watcher.live == [("ringing", None), ("talking", None)]


# --- what is recognised


def info(
    *dialogs: Dialog, version: int = 1, full: bool = True, entity: str = "sip:1501@x"
) -> DialogInfo:
    return DialogInfo(version, full, entity, dialogs)


def dialog(name: str, state: DialogState = DialogState.EARLY, **more: object) -> Dialog:
    return Dialog(name, state, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("document", "dialect"),
    [
        (info(), None),
        (info(dialog("d", call_id="c")), Dialect.CALLS),
        (info(dialog("d", call_id="c"), full=False), Dialect.CALLS),
        (info(dialog("d")), Dialect.CALLS),
        (info(dialog(STATION)), Dialect.EXTENSION),
        (info(dialog("1599"), entity="sip:1599@x"), Dialect.EXTENSION),
        (info(dialog("x", call_id="pickup-1")), Dialect.EXTENSION),
        (info(dialog(STATION, call_id="real@gw")), Dialect.CALLS),
        (info(dialog(UUID, pvalue=True)), Dialect.EVENTS),
        (info(dialog(UUID, call_id="c", pvalue=True)), Dialect.EVENTS),
        (info(dialog(UUID, DialogState.TERMINATED)), None),
        (info(dialog(UUID, call_id="c")), Dialect.CALLS),
    ],
)
def test_what_documents_show(document: DialogInfo, dialect: Dialect | None) -> None:
    assert recognise(document, STATION) is dialect


@pytest.mark.parametrize(
    ("written", "name", "dialect"),
    [
        ("kamailio (5.6.3 (x86_64/linux))", "Kamailio 5.6.3", Dialect.CALLS),
        ("OpenSIPS (3.4.2 (x86_64/linux))", "OpenSIPS 3.4.2", Dialect.CALLS),
        ("Asterisk PBX 22.1.0", "Asterisk 22.1.0", Dialect.EXTENSION),
        ("FPBX-15.0.24(13.29.2)", "FreePBX 15.0.24 (Asterisk 13.29.2)", Dialect.EXTENSION),
        (
            "FreeSWITCH-mod_sofia/1.10.7-release-19-883d2cb662~64bit",
            "FreeSWITCH 1.10.7",
            Dialect.EVENTS,
        ),
        ("3CXPhoneSystem 20.0.1", "3CXPhoneSystem 20.0.1", None),
        ("", "", None),
    ],
)
def test_what_products_call_themselves(written: str, name: str, dialect: Dialect | None) -> None:
    assert product(written) == name
    assert presumed(name) is dialect


# --- documents that contradict each other


CONFIRMED, EARLY, TERMINATED = DialogState.CONFIRMED, DialogState.EARLY, DialogState.TERMINATED
CALLER = Party("sip:0612345678@x")
OTHER = Party("sip:0145678901@x")


def named(kind: Dialect, state: DialogState, **more: object) -> Dialog:
    """The one dialog of each dialect, in one state."""
    shape: dict[str, object] = {"remote": CALLER, "initiator": False}
    shape |= {"call_id": "c@gw"} if kind is Dialect.CALLS else {}
    shape |= {"pvalue": True} if kind is Dialect.EVENTS else {}
    names = {Dialect.CALLS: "d", Dialect.EXTENSION: STATION, Dialect.EVENTS: UUID}
    return dialog(names[kind], state, **(shape | more))


@pytest.mark.parametrize("kind", Dialect)
def test_a_direction_that_changes_is_counted_and_the_first_is_kept(kind: Dialect) -> None:
    watcher = Watcher()
    watcher.observe(info(named(kind, EARLY)))
    assert watcher.observe(info(named(kind, CONFIRMED, initiator=True), version=2)) == CONTRADICTED
    (call,) = watcher.calls
    assert (call.direction, call.state, number(call)) == (
        Direction.INCOMING,
        CallState.TALKING,
        "+33612345678",
    )


@pytest.mark.parametrize("kind", Dialect)
def test_a_state_that_goes_back_is_counted_and_makes_no_call(kind: Dialect) -> None:
    watcher = Watcher()
    watcher.observe(info(named(kind, CONFIRMED)))
    assert watcher.observe(info(named(kind, EARLY), version=2)) == CONTRADICTED
    assert watcher.live == [("talking", "+33612345678")]
    assert len(watcher.calls) == 1


@pytest.mark.parametrize("kind", Dialect)
def test_a_dialog_told_as_living_and_as_over(kind: Dialect) -> None:
    """Kamailio lists what it was beside what it is; from anybody else nothing is believed, and the next one decides."""
    watcher = Watcher()
    watcher.observe(info(named(kind, CONFIRMED)))
    both = (named(kind, TERMINATED), named(kind, CONFIRMED))
    assert watcher.observe(info(*both, version=2)) == CONTRADICTED
    over = kind is Dialect.CALLS
    assert watcher.live == ([] if over else [("talking", "+33612345678")])
    watcher.observe(info(named(kind, TERMINATED), version=3))
    (call,) = watcher.calls
    assert (call.state, call.end_certain) == (CallState.ENDED, True)


@pytest.mark.parametrize("kind", Dialect)
def test_two_dialogs_of_one_id_are_one_call_and_counted(kind: Dialect) -> None:
    watcher = Watcher()
    both = (named(kind, EARLY), named(kind, CONFIRMED, remote=OTHER))
    assert watcher.observe(info(*both)) == CONTRADICTED
    assert watcher.live == [("talking", "+33145678901")]


@pytest.mark.parametrize("kind", Dialect)
def test_a_document_about_another_station_is_counted_and_dropped(kind: Dialect) -> None:
    watcher = Watcher()
    assert watcher.observe(info(named(kind, CONFIRMED), entity="sip:1601@x")) == ENTITY
    assert watcher.facts == []
    assert watcher.observe(info(named(kind, CONFIRMED), entity="sip:jdupont@x", version=2)) == ""
    assert len(watcher.calls) == 1  # an alias of the station


DIALOGS = st.builds(
    Dialog,
    id=st.sampled_from([STATION, "d", UUID, UUID.replace("5f", "77")]),
    state=st.sampled_from(DialogState),
    call_id=st.sampled_from(["", "", "c@gw", "e@gw", "pickup-1"]),
    initiator=st.none() | st.booleans(),
    local=st.sampled_from([Party(), Party("sip:1501@x"), Party("sip:1501@x", rendering=False)]),
    remote=st.sampled_from([Party(), CALLER, OTHER, Party("sip:1501@x"), Party("sip:1601@x")]),
    pvalue=st.booleans(),
)
DOCUMENTS = st.tuples(
    st.lists(DIALOGS, max_size=3),
    st.integers(-1, 3),
    st.booleans(),
    st.sampled_from(["sip:1501@x", "sip:1501@x", "sip:1601@x", "", "sip:alias@x"]),
    st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(DOCUMENTS, max_size=15))
def test_whatever_is_told_raises_nothing_invents_nothing_and_ends(
    documents: list[tuple[list[Dialog], int, bool, str, bool]],
) -> None:
    watcher = Watcher()
    version, living = 10, 0
    for dialogs, ahead, full, entity, answers in documents:
        version = max(0, version + ahead)
        living += sum(each.state is not TERMINATED for each in dialogs)
        watcher.observe(DialogInfo(version, full, entity, tuple(dialogs)), answers=answers)
    assert len(watcher.calls) <= living
    watcher.observer.begin(STATION)
    watcher.observe(info(), answers=True)
    if watcher.observer.dialect is Dialect.EXTENSION:  # it never tells nothing
        watcher.observe(info(dialog(STATION, TERMINATED), version=2), answers=True)
    assert watcher.live == []
    assert watcher.observer.legs == set()
