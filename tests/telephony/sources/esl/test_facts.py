"""What the recorded streams do not show: who is outside, what may not be believed, what may not be merged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from telephony import (
    Aliased,
    AliasType,
    Answered,
    CallState,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Paired,
    Rang,
    Resumed,
    StationState,
)
from telephony.correlate.grouping import CONFERENCE
from telephony.sources.esl.codec import EVENT, EslMessage
from telephony.sources.esl.facts import EslFactReader
from tests.telephony.traces import STATIONS, correlated

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp()) * 1_000_000


def event(name: str, uuid: str, second: float = 0.0, **more: str) -> EslMessage:
    """An event as FreeSWITCH tells it; underscores in keys that are no variables stand for hyphens."""
    stamp = str(STAMP + round(second * 1_000_000))
    fields = {"event-name": name, "unique-id": uuid, "variable_uuid": uuid}
    fields |= {"event-date-timestamp": stamp}
    for key, value in more.items():
        spelled = key if key.startswith("variable_") else key.replace("_", "-")
        fields[spelled.lower()] = value
    return EslMessage(EVENT, {}, fields)


def incoming(uuid: str, number: str, second: float = 0.0, **more: str) -> EslMessage:
    told = {
        "Call_Direction": "inbound",
        "Channel_Name": f"sofia/external/{number}@op.example",
        "Caller_Orig_Caller_ID_Number": number,
        "Caller_Destination_Number": "15",
        "Answer_State": "ringing",
    }
    return event("CHANNEL_CREATE", uuid, second, **(told | more))


def outgoing(uuid: str, name: str, second: float = 0.0, **more: str) -> EslMessage:
    told = {
        "Call_Direction": "outbound",
        "Channel_Name": name,
        "Caller_Destination_Number": name.rpartition("/")[2].partition("@")[0],
        "Answer_State": "ringing",
    }
    return event("CHANNEL_CREATE", uuid, second, **(told | more))


def facts_of(*messages: EslMessage, stations: tuple[str, ...] = STATIONS) -> list[Fact]:
    observer = EslFactReader("esl", stations)
    return [fact for message in messages for fact in observer.observe(message, NOW)]


def rang(*messages: EslMessage, stations: tuple[str, ...] = STATIONS) -> list[Rang]:
    return [fact for fact in facts_of(*messages, stations=stations) if isinstance(fact, Rang)]


def test_two_persons_outside_in_one_bridge_are_two_calls_in_conference() -> None:
    """`uuid_bridge` of two callers: nobody of the house is on the line, and still they are two emergencies."""
    bridge = {"Bridge_A_Unique_ID": "a", "Bridge_B_Unique_ID": "b", "Answer_State": "answered"}
    facts = facts_of(
        incoming("a", "+33612345678"),
        incoming("b", "+33711223344", 1),
        event("CHANNEL_BRIDGE", "a", 2, **bridge),
        event("CHANNEL_UNBRIDGE", "a", 5, **bridge),
    )
    first, second = correlated(facts)[0].calls()
    (one,), (other,) = first.related, second.related
    assert (one.why, one.call, other.call) == (CONFERENCE, second.id, first.id)
    assert one.start is not None
    assert one.end is not None
    assert one.end - one.start == timedelta(seconds=3)


def test_an_agent_bridged_without_being_dialled_by_the_caller_is_on_the_call() -> None:
    """A call centre dials the agent by itself and bridges; the event of the bridge may be lost."""
    agent = outgoing("g", "sofia/internal/1501@10.0.0.7:5060", 1)
    up = {"Answer_State": "answered"}
    for last in (
        [event("CHANNEL_BRIDGE", "a", 2, Bridge_A_Unique_ID="a", Bridge_B_Unique_ID="g", **up)],
        [
            event("CALL_UPDATE", "a", 2, variable_signal_bond="g", **up),
            event("CALL_UPDATE", "g", 2, variable_signal_bond="a", **up),
        ],
    ):
        (call,) = correlated(facts_of(incoming("a", "+33612345678"), agent, *last))[0].calls()
        assert (call.current_stations, call.certain, call.inferred) == (("1501",), True, False)


def test_one_side_that_names_the_other_is_no_bridge() -> None:
    up = {"Answer_State": "answered"}
    facts = facts_of(
        incoming("a", "+33612345678"),
        outgoing("g", "sofia/internal/1501@10.0.0.7", 1),
        event("CALL_UPDATE", "g", 2, variable_signal_bond="a", **up),
        event("CALL_UPDATE", "a", 2, **up),
    )
    assert not [fact for fact in facts if isinstance(fact, Joined)]
    assert len(correlated(facts)[0].calls()) == 2


def test_who_presents_the_number_of_a_station_is_not_a_station() -> None:
    (fact,) = rang(incoming("a", "1501", Channel_Name="sofia/external/1501@evil.example"))
    assert (fact.station, fact.direction) == (None, Direction.INCOMING)
    (fact,) = rang(incoming("a", "1501", variable_user_name="1501"))
    assert (fact.station, fact.direction) == ("1501", Direction.UNKNOWN)


def test_a_station_that_calls_back_and_one_that_calls_a_colleague() -> None:
    facts = facts_of(
        incoming(
            "a", "1601", variable_sip_auth_username="1601", variable_sip_req_user="0612345678"
        ),
        outgoing(
            "b",
            "sofia/external/0612345678",
            variable_originator="a",
            variable_sip_gateway_name="op",
        ),
    )
    (call,) = correlated(facts)[0].calls()
    assert (call.direction, call.current_stations) == (Direction.OUTGOING, ("1601",))
    assert call.number is not None
    assert call.number.e164 == "+33612345678"
    (fact,) = rang(incoming("a", "1601", variable_user_name="1601", variable_sip_req_user="1501"))
    assert (fact.called, fact.direction) == ("1501", Direction.INTERNAL)


@pytest.mark.parametrize(
    ("name", "more", "station", "way"),
    [
        ("sofia/internal/1501@10.0.0.7:5060", {}, "1501", Direction.UNKNOWN),
        ("sofia/internal/x7f@w.invalid", {"variable_dialed_user": "1501"}, "1501", Direction.UNKNOWN),
        ("sofia/external/1501", {"variable_sip_gateway_name": "op"}, None, Direction.OUTGOING),
        ("sofia/internal/y@10.0.0.9", {"variable_dialed_user": "1777"}, None, Direction.UNKNOWN),
        ("sofia/external/0612345678@sbc", {}, None, Direction.OUTGOING),
        ("loopback/1501-a", {}, None, Direction.UNKNOWN),
    ],
)  # fmt: skip
def test_whose_telephone_it_is(
    name: str, more: dict[str, str], station: str | None, way: Direction
) -> None:
    (fact,) = rang(outgoing("b", name, **more))
    assert (fact.station, fact.direction) == (station, way)


def test_without_a_list_of_stations_an_extension_is_one() -> None:
    (fact,) = rang(outgoing("b", "sofia/internal/4242@10.0.0.7"), stations=())
    assert fact.station == "4242"


def test_the_halves_of_a_loopback_are_one_wire() -> None:
    halves = [
        outgoing("l1", "loopback/15-a", variable_other_loopback_leg_uuid="l2"),
        incoming("l2", "15", Channel_Name="loopback/15-b", variable_other_loopback_leg_uuid="l1"),
    ]
    pairs = [fact for fact in facts_of(*halves) if isinstance(fact, Paired)]
    assert {(pair.leg, pair.with_leg) for pair in pairs} == {
        ("esl:l1", "esl:l2"),
        ("esl:l2", "esl:l1"),
    }


def test_headers_name_the_call_in_their_order() -> None:
    observer = EslFactReader(
        "esl", STATIONS, private_headers=("X-First", "X-Second"), emergency="e"
    )
    urn = "urn:emergency:uid:callid:abc:x.example"
    message = incoming(
        "a", "+33612345678", variable_e=f"ARRAY::<{urn}>;purpose=emergency-CallId|:<http://x>"
    )
    fields = {**message.fields, "variable_sip_h_x-second": "2", "variable_sip_h_x-first": "1"}
    facts = observer.observe(EslMessage(EVENT, {}, fields), NOW)
    named = {(f.alias.type, f.alias.value) for f in facts if isinstance(f, Aliased)}
    assert named == {
        (AliasType.FREESWITCH_UUID, "a"),
        (AliasType.PRIVATE_HEADER, "1"),
        (AliasType.OTHER_HEADER, "2"),
        (AliasType.NENA_CALLID, urn),
    }


def test_a_parked_caller_who_had_talked_waits() -> None:
    up = {"Answer_State": "answered"}
    bridge = {"Bridge_A_Unique_ID": "a", "Bridge_B_Unique_ID": "g"}
    start = [incoming("a", "+33612345678"), outgoing("g", "sofia/internal/1501@h", 0)]
    parked = event("CHANNEL_PARK", "a", 3, **up)
    assert not [f for f in facts_of(*start, parked) if isinstance(f, Held)]
    talked = [*start, event("CHANNEL_BRIDGE", "a", 1, **up, **bridge)]
    talked += [event("CHANNEL_UNBRIDGE", "a", 3, **up, **bridge), parked]
    back = event("CHANNEL_UNPARK", "a", 9, **up)
    told = [type(f) for f in facts_of(*talked, back) if isinstance(f, Held | Resumed)]
    assert told == [Held, Resumed]


def test_a_consultation_given_up_ends_the_waiting() -> None:
    up = {"Answer_State": "answered"}
    consult = {"Bridge_A_Unique_ID": "g", "Bridge_B_Unique_ID": "h"}
    waiting = {"variable_soft_holding_uuid": "a", "variable_current_application": "att_xfer"}
    start = [incoming("a", "+33612345678"), outgoing("g", "sofia/internal/1501@h", 0, **up)]
    begins = event("CHANNEL_BRIDGE", "g", 2, **up, **consult, **waiting)
    given_up = event("CHANNEL_UNBRIDGE", "g", 5, **up, **consult, **waiting)
    held = [f for f in facts_of(*start, begins, given_up) if isinstance(f, Held | Resumed)]
    assert [(type(f), f.leg, (f.at - NOW).seconds) for f in held] == [
        (Held, "esl:a", 2),
        (Resumed, "esl:a", 5),
    ]


def test_a_channel_heard_of_at_its_end_has_its_true_dates() -> None:
    times = {
        "Caller_Channel_Created_Time": str(STAMP - 30_000_000),
        "Caller_Channel_Answered_Time": str(STAMP - 20_000_000),
        "Caller_Channel_Hangup_Time": str(STAMP - 1_000_000),
        "Hangup_Cause": "NORMAL_CLEARING",
        "Event_Name": "CHANNEL_DESTROY",
        "Answer_State": "hangup",
    }
    facts = facts_of(incoming("a", "+33612345678", **times))
    dated = {type(f): (f.at - NOW).total_seconds() for f in facts}
    assert (dated[Rang], dated[Answered], dated[HungUp]) == (-30, -20, -1)
    (call,) = correlated(facts)[0].calls()
    assert (call.state, call.end_certain) == (CallState.ENDED, True)


def test_a_clock_that_is_hours_off_does_not_date_the_call() -> None:
    observer = EslFactReader("esl", STATIONS)
    late = NOW + timedelta(hours=3)
    message = incoming("a", "+33612345678", Caller_Channel_Created_Time=str(STAMP - 2_000_000))
    facts = observer.observe(message, late)
    assert {fact.at for fact in facts if isinstance(fact, Rang)} == {late - timedelta(seconds=2)}
    assert (observer.skewed, observer.skew) == (1, 3 * 3600)


@pytest.mark.parametrize("stamp", ["", "x", "-1", "9" * 17, "9" * 300, "٣"])
def test_dates_that_are_none_are_ours(stamp: str) -> None:
    message = incoming("a", "+33612345678", Caller_Channel_Created_Time=stamp)
    fields = {**message.fields, "event-date-timestamp": stamp}
    facts = EslFactReader("esl", STATIONS).observe(EslMessage(EVENT, {}, fields), NOW)
    assert {fact.at for fact in facts} == {NOW}


def test_events_of_nobody_and_of_a_stranger_mean_nothing() -> None:
    observer = EslFactReader("esl", STATIONS)
    for fields in ({"event-name": "CHANNEL_ANSWER"}, {"event-name": "CUSTOM"}, {}):
        assert observer.observe(EslMessage(EVENT, {}, fields), NOW) == []
    bare = EslMessage(EVENT, {}, {"event-name": "CHANNEL_ANSWER", "unique-id": "a"})
    assert observer.observe(bare, NOW) == [], "without variables it does not say whose it is"


def test_who_stays_alone_in_a_conference_has_no_call_any_more() -> None:
    """The caller and two stations in a room of FreeSWITCH; the caller leaves, the doctor stays there."""
    up = {"Answer_State": "answered"}
    room = {"Event_Subclass": "conference::maintenance", "Conference_Unique_ID": "r"}
    legs = ("a", "g", "d")
    facts = facts_of(
        incoming("a", "+33612345678"),
        outgoing("g", "sofia/internal/1501@10.0.0.7", 1, variable_originator="a"),
        outgoing("d", "sofia/internal/1601@10.0.0.8", 5),
        *(event("CHANNEL_ANSWER", uuid, 6, **up) for uuid in legs),
        *(event("CUSTOM", uuid, 8, Action="add-member", **room) for uuid in legs),
        event("CUSTOM", "g", 12, Action="del-member", **room),
        event("CHANNEL_HANGUP", "g", 12, Answer_State="hangup"),
        event("CUSTOM", "a", 20, Action="del-member", **room),
        event("CHANNEL_HANGUP", "a", 20, Answer_State="hangup"),
    )
    (call,) = correlated(facts)[0].calls()
    assert (call.state, call.ended) == (CallState.ENDED, NOW + timedelta(seconds=20))
    assert [(s.station, s.state, s.end) for s in call.stations][-1] == (
        "1601",
        StationState.TALKING,
        call.ended,
    )
