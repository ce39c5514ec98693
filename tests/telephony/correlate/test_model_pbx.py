"""Random telephone lives: a model switchboard tells them as Asterisk would, the correlator must agree with it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from telephony import Call, CallState, StationState
from telephony.correlate.correlation import Correlator
from telephony.correlate.grouping import CONFERENCE
from telephony.sources.ami.codec import AmiMessage
from telephony.sources.ami.facts import AmiFactReader

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
STATIONS = ("1501", "1502", "1601", "1602")
CALLERS = ("+33612345678", "+33711223344", "+33698765432")


@dataclass
class Channel:
    uid: str
    name: str
    linkedid: str
    station: str | None
    up: bool = False
    bridge: str = ""


@dataclass
class Truth:
    """What a person who watches the switchboard would write down of one call."""

    number: str | None
    started: datetime
    state: CallState = CallState.RINGING
    answered: datetime | None = None
    ended: datetime | None = None
    stations: dict[str, list[datetime | None]] = field(default_factory=dict)
    #: When each station took the call; not there while it only rings.
    taken: dict[str, datetime] = field(default_factory=dict)
    holds: list[list[datetime | None]] = field(default_factory=list)
    trunk: Channel | None = None
    agent: Channel | None = None
    #: The consultation under way: its two channels, and where it rings.
    consult: tuple[Channel, Channel] | None = None
    own: Truth | None = None
    connected: set[int] = field(default_factory=set)

    @property
    def live(self) -> bool:
        return self.ended is None


class ModelPbx(RuleBasedStateMachine):
    """One rule is one thing that happens to a call; a second passes before each."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.numbers = itertools.count()
        self.calls: list[Truth] = []
        self.alone: list[Channel] = []
        ids = itertools.count(1)
        self.correlator = Correlator(STATIONS, lambda: f"call-{next(ids)}")
        self.observer = AmiFactReader("ami", STATIONS, max_skew=None)

    # what the switchboard says
    def say(self, event: str, channel: Channel | None = None, **more: str) -> None:
        fields: dict[str, Any] = {"event": (event,), "timestamp": (f"{self.now.timestamp():.6f}",)}
        if channel:
            fields |= {
                "channel": (channel.name,),
                "uniqueid": (channel.uid,),
                "linkedid": (channel.linkedid,),
                "channelstate": ("6" if channel.up else "0",),
            }
        fields |= {key.lower(): (value,) for key, value in more.items()}
        for fact in self.observer.observe(AmiMessage(fields), self.now):
            self.correlator.receive(fact)

    def channel(self, endpoint: str, by: Channel | None, **more: str) -> Channel:
        number = next(self.numbers)
        uid = f"pbx-{int(self.now.timestamp())}.{number}"
        station = endpoint if endpoint in STATIONS else None
        made = Channel(uid, f"PJSIP/{endpoint}-{number:08x}", by.linkedid if by else uid, station)
        self.say("Newchannel", made, ChannelState="0" if by else "4", **more)
        if by:
            self.say("DialBegin", by, DestUniqueid=made.uid, DestCallerIDNum=endpoint)
        return made

    def up(self, *channels: Channel) -> None:
        for channel in channels:
            channel.up = True
            self.say("Newstate", channel, ChannelState="6")

    def bridge(self, *channels: Channel) -> None:
        name = f"bridge-{next(self.numbers)}"
        for channel in channels:
            self.leave(channel)
            channel.bridge = name
            self.say("BridgeEnter", channel, BridgeUniqueid=name)

    def leave(self, channel: Channel) -> None:
        if channel.bridge:
            self.say("BridgeLeave", channel, BridgeUniqueid=channel.bridge)
            channel.bridge = ""

    def hang_up(self, *channels: Channel | None) -> None:
        for channel in channels:
            if channel:
                self.leave(channel)
                self.say("Hangup", channel, Cause="16")

    # what is so
    def tick(self) -> None:
        self.now += timedelta(seconds=1)

    def which(self, *, talking: bool = False, ringing: bool = False, **wanted: bool) -> list[Truth]:
        """Choose calls that live. `ringing`: at a station that has not answered; `talking`: at one that has."""
        return [
            call
            for call in self.calls
            if call.live
            and call.trunk
            and not (talking and call.state is not CallState.TALKING)
            and not (
                call.agent and ((talking and not call.agent.up) or (ringing and call.agent.up))
            )
            and ("agent" not in wanted or bool(call.agent) is wanted["agent"])
            and ("consult" not in wanted or bool(call.consult) is wanted["consult"])
        ]

    def rings_at(self, call: Truth, station: str) -> None:
        assert call.trunk
        call.agent = self.channel(station, call.trunk)
        call.stations[station] = [call.stations.get(station, [self.now])[0], None]

    def leaves(self, call: Truth) -> None:
        """The station that has the call no longer has it."""
        assert call.agent
        assert call.agent.station
        call.stations[call.agent.station][1] = self.now
        self.hang_up(call.agent)
        call.agent = None
        for hold in call.holds:
            hold[1] = hold[1] or self.now

    @rule(number=st.sampled_from(CALLERS), station=st.sampled_from(STATIONS))
    def somebody_calls(self, number: str, station: str) -> None:
        if any(call.live and call.number == number for call in self.calls) or len(self.calls) > 8:
            return
        self.tick()
        call = Truth(number, self.now)
        call.trunk = self.channel("trunk", None, CallerIDNum=number, Exten="15")
        self.calls.append(call)
        self.rings_at(call, station)

    @precondition(lambda self: self.which(ringing=True, agent=True))
    @rule(data=st.data())
    def is_answered(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.which(ringing=True, agent=True)))
        assert call.agent
        assert call.trunk
        self.tick()
        self.up(call.agent, *(() if call.trunk.up else (call.trunk,)))
        self.bridge(call.agent, call.trunk)
        assert call.agent.station
        call.taken[call.agent.station] = self.now
        call.state, call.answered = CallState.TALKING, call.answered or self.now

    @precondition(lambda self: self.which(talking=True, agent=True, consult=False))
    @rule(data=st.data())
    def is_held(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.which(talking=True, agent=True, consult=False)))
        self.tick()
        self.hold(call)

    def hold(self, call: Truth) -> None:
        self.say("Hold", call.agent)
        call.state = CallState.HELD
        call.holds.append([self.now, None])

    def resume(self, call: Truth) -> None:
        self.say("Unhold", call.agent)
        call.state = CallState.TALKING
        call.holds[-1][1] = self.now

    def held(self) -> list[Truth]:
        return [c for c in self.which(consult=False, agent=True) if c.state is CallState.HELD]

    @precondition(lambda self: self.held())
    @rule(data=st.data())
    def is_resumed(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.held()))
        self.tick()
        self.resume(call)

    @precondition(lambda self: self.which(consult=False))
    @rule(data=st.data())
    def is_hung_up(self, data: st.DataObject) -> None:
        call = data.draw(st.sampled_from(self.which(consult=False)))
        self.tick()
        if call.agent:
            self.leaves(call)
        self.hang_up(call.trunk)
        call.ended, call.state = self.now, CallState.ENDED

    @precondition(lambda self: self.which(talking=True, agent=True, consult=False))
    @rule(data=st.data(), station=st.sampled_from(STATIONS))
    def is_sent_on(self, data: st.DataObject, station: str) -> None:
        """Blind transfer: the call rings elsewhere."""
        call = data.draw(st.sampled_from(self.which(talking=True, agent=True, consult=False)))
        if station in call.stations:
            return
        self.tick()
        assert call.trunk
        self.leave(call.trunk)
        self.leaves(call)
        self.rings_at(call, station)
        # The caller hears it ring; nobody has hung up.

    @precondition(lambda self: self.which(talking=True, agent=True, consult=False))
    @rule(data=st.data(), station=st.sampled_from(STATIONS))
    def asks_a_colleague(self, data: st.DataObject, station: str) -> None:
        """Consultation: a call of its own, until it is completed."""
        call = data.draw(st.sampled_from(self.which(talking=True, agent=True, consult=False)))
        assert call.agent
        mine = call.agent.station
        if station in call.stations or mine is None:
            return
        self.tick()
        self.hold(call)
        first = self.channel(mine, None, CallerIDNum=mine, Exten=station)
        second = self.channel(station, first)
        self.up(second, first)
        self.bridge(first, second)
        own = Truth(None, self.now, CallState.TALKING, self.now)
        own.stations = {mine: [self.now, None], station: [self.now, None]}
        own.taken = dict.fromkeys(own.stations, self.now)
        call.consult, call.own = (first, second), own
        self.calls.append(own)

    @precondition(lambda self: self.which(consult=True))
    @rule(data=st.data(), completed=st.booleans())
    def has_asked(self, data: st.DataObject, completed: bool) -> None:  # noqa: FBT001
        call = data.draw(st.sampled_from(self.which(consult=True)))
        assert call.consult
        assert call.own
        first, second = call.consult
        own, call.consult, call.own = call.own, None, None
        self.tick()
        if not completed:
            self.hang_up(first, second)
            own.state, own.ended = CallState.ENDED, self.now
            for span in own.stations.values():
                span[1] = self.now
            self.resume(call)
            return
        # Attended transfer: the caller takes the place of who asked.
        assert call.trunk
        assert second.station
        self.leave(call.trunk)
        call.trunk.bridge = second.bridge
        self.say("BridgeEnter", call.trunk, BridgeUniqueid=second.bridge)
        self.leaves(call)
        self.hang_up(first)
        call.agent, call.state = second, CallState.TALKING
        call.stations[second.station] = own.stations[second.station]
        call.taken[second.station] = own.taken[second.station]
        self.calls.remove(own)

    @precondition(lambda self: len(self.which(talking=True, agent=True, consult=False)) > 1)
    @rule(data=st.data())
    def are_put_together(self, data: st.DataObject) -> None:
        """Conference: two callers talk to each other, the agents are gone; still two calls."""
        talking = self.which(talking=True, agent=True, consult=False)
        first, second = data.draw(st.permutations(talking))[:2]
        self.tick()
        assert first.trunk
        assert second.trunk
        self.leaves(first)
        self.leaves(second)
        self.bridge(first.trunk, second.trunk)
        first.connected.add(self.calls.index(second))
        second.connected.add(self.calls.index(first))

    @precondition(lambda self: self.which(talking=True, agent=True, consult=False))
    @rule(data=st.data())
    def is_left_alone(self, data: st.DataObject) -> None:
        """Whoever called leaves a conference; the station stays in it for a while, and has no call any more."""
        call = data.draw(st.sampled_from(self.which(talking=True, agent=True, consult=False)))
        self.tick()
        assert call.agent
        assert call.agent.station
        self.hang_up(call.trunk)
        call.ended, call.state = self.now, CallState.ENDED
        call.stations[call.agent.station][1] = self.now
        self.alone.append(call.agent)

    @precondition(lambda self: self.alone)
    @rule()
    def leaves_too(self) -> None:
        self.now += timedelta(minutes=1)
        self.hang_up(*self.alone)
        self.alone.clear()

    @invariant()
    def the_correlator_agrees(self) -> None:
        calls = self.correlator.calls()
        told = sorted((self.told(call) for call in calls), key=str)
        true = sorted((self.true(call) for call in self.calls), key=str)
        assert told == true
        for station in STATIONS:
            here = {call.number.e164 for call in self.correlator.at_station(station) if call.number}
            there = {
                c.number
                for c in self.calls
                if c.live and c.stations.get(station, [0, 0])[1] is None
            }
            assert here == there - {None}
            talking = {
                call.number.e164
                for call in calls
                if call.number and station in call.talking_stations
            }
            assert talking == {
                c.number
                for c in self.calls
                if c.live and station in c.taken and c.stations[station][1] is None
            } - {None}

    def told(self, call: Call) -> tuple[object, ...]:
        spans = [(s.station, s.state, s.start, s.end) for s in call.stations]
        holds = [[hold.start, hold.end] for hold in call.holds]
        conferences = {each.call for each in call.related if each.why == CONFERENCE}
        rest = (call.started, call.state, call.answered, call.ended)
        number = call.number.e164 if call.number else None
        return (number, *rest, sorted(spans, key=str), holds, len(conferences))

    def true(self, call: Truth) -> tuple[object, ...]:
        rest = (call.started, call.state, call.answered, call.ended)
        spans = []
        for station, (start, end) in call.stations.items():
            taken = call.taken.get(station)
            if taken != start:
                spans.append((station, StationState.RINGING, start, taken or end))
            if taken:
                spans.append((station, StationState.TALKING, taken, end))
        return (call.number, *rest, sorted(spans, key=str), call.holds, len(call.connected))


ModelPbx.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestModelPbx = ModelPbx.TestCase
