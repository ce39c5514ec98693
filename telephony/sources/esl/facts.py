"""What the events of a FreeSWITCH mean for line 15: one channel (Unique-ID) is one leg.

Channel-Call-UUID is not read: it changes for the legs that survive a transfer and falls back to the leg's own.
A leg belongs to the one that dialled it (`originator`) and to those it is bridged with. Every event of a channel
tells all of the channel: one that was not heard of from its beginning is taken in with its true dates. Emergency ids
are read on legs that lead outside only, because they are exported to every leg that is dialled. No clock, no I/O.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from telephony.model.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Left,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
)
from telephony.model.number import Number, parse_number
from telephony.sip.message import emergency_ids, split_list

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from telephony.sources.esl.codec import EslMessage

#: Past this difference the switchboard's clock is wrong and ours dates the event.
MAX_SKEW: Final = timedelta(hours=1)
#: Channels remembered; more is not a switchboard.
MAX_CHANNELS: Final = 20_000
#: What the feed has to subscribe to.
EVENTS: Final = (
    *("CHANNEL_CREATE", "CHANNEL_ORIGINATE", "CHANNEL_PROGRESS", "CHANNEL_PROGRESS_MEDIA"),
    *("CHANNEL_ANSWER", "CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE", "CHANNEL_HOLD", "CHANNEL_UNHOLD"),
    *("CHANNEL_PARK", "CHANNEL_UNPARK", "CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"),
    *("CHANNEL_DESTROY", "CALL_UPDATE", "RECORD_START", "RECORD_STOP", "HEARTBEAT"),
)
CONFERENCE: Final = "conference::maintenance"
_HEARD: Final = frozenset(EVENTS) - {"HEARTBEAT"} | {"CHANNEL_DATA"}
_LONGEST: Final = 255
_MOST_NAMES: Final = 32
_OLDEST: Final = timedelta(days=7)
_EXTENSION: Final = re.compile(r"[0-9]{2,6}")
_ENDPOINT: Final = re.compile(r"(?:[^/]+/)+(?P<user>[^/@]+)(?:@.*)?")
_LOCAL: Final = ("loopback/", "null/", "error/")
#: Who signed in on a channel that comes from a telephone; a From header proves nothing.
_SIGNED_IN: Final = ("variable_user_name", "variable_sip_auth_username", "variable_verto_user")
_CALL_INFO: Final = ("variable_sip_call_info", "variable_sip_h_call-info")


@dataclass(slots=True)
class _Channel:
    """What is kept of one channel while it lives."""

    leg: str
    station: str | None
    local: bool
    #: A telephone of the house that nobody monitors.
    inside: bool
    up: bool = False
    hung: bool = False
    held: bool = False
    bond: str = ""
    bridged: bool = False
    recordings: set[str] = field(default_factory=set)
    bridges: set[str] = field(default_factory=set)
    named: set[tuple[AliasType, str]] = field(default_factory=set)

    @property
    def outside(self) -> bool:
        return self.station is None and not self.local and not self.inside


class EslFactReader:
    """Turns event-socket events into facts. One per feed; it survives reconnections.

    `stations` are the monitored extensions; when empty, an endpoint named by two to six digits is a station.
    `private_headers`: the first present names the call (`sip_h_…`), the others are noted. `emergency` names a
    channel variable that holds Call-Info besides FreeSWITCH's own. `max_skew` None believes the dates however old.
    """

    def __init__(
        self,
        source: str,
        stations: Collection[str] = (),
        *,
        private_headers: Sequence[str] = ("X-Line15-Call-ID",),
        emergency: str = "",
        max_skew: timedelta | None = MAX_SKEW,
    ) -> None:
        self.source = source
        self._stations = frozenset(stations)
        self._private = tuple(private_headers)
        self._call_info = (*_CALL_INFO, *((f"variable_{emergency}",) if emergency else ()))
        self._max_skew = max_skew
        self._channels: OrderedDict[str, _Channel] = OrderedDict()
        self._holding: dict[str, str] = {}
        self.skew = 0.0
        self.skewed = 0

    def observe(self, message: EslMessage, arrived: datetime) -> list[Fact]:
        """Tell what one event means; an event of no interest means nothing."""
        at = self._time(message, arrived)
        if message.event in _HEARD:
            return self._told(message, at)
        if message.event == "CUSTOM" and message.get("Event-Subclass") == CONFERENCE:
            return self._conference(message, at)
        return []

    @property
    def channels(self) -> set[str]:
        """The Unique-IDs of the channels that live."""
        return {uuid for uuid, channel in self._channels.items() if not channel.hung}

    @property
    def legs(self) -> set[str]:
        """The legs of the channels that live."""
        return {channel.leg for channel in self._channels.values() if not channel.hung}

    def present(self, message: EslMessage, arrived: datetime) -> list[Fact]:
        """Take one channel as the switchboard describes it when asked: it lives, as it is now."""
        uuid = _uuid(message.get("Unique-ID"))
        at = self._time(message, arrived)
        facts = self._told(message, at)
        channel = self._channels.get(uuid)
        if channel is None or channel.hung:
            return facts
        facts += self._still_bridged(uuid, channel, message, at)
        facts += self._keeps_waiting(message, {uuid, channel.bond}, at)
        state = message.get("Channel-Call-State")
        if state == "HELD":
            facts += self._hold(channel, at)
        elif state == "ACTIVE" and channel.held:
            facts += self._resume(channel, at)
        return [*facts, Seen(channel.leg, at, self.source)]

    def listed(self, uuid: str, arrived: datetime) -> list[Fact]:
        """Take one channel the switchboard lists: what is known of it holds."""
        channel = self._channels.get(_uuid(uuid))
        return [] if channel is None else [Seen(channel.leg, arrived, self.source)]

    def absent(self, gone: Collection[str], arrived: datetime) -> list[Fact]:
        """End, uncertainly, the channels the switchboard no longer has."""
        ends: list[Fact] = []
        for uuid in [each for each in self._channels if each in gone]:
            channel = self._channels[uuid]
            if not channel.hung:
                why = "gone while unheard"
                ends.append(HungUp(channel.leg, arrived, self.source, why, certain=False))
            ends += self._forget(uuid, arrived)
        return ends

    def leg(self, uuid: str) -> str:
        """Name the leg of a channel: the same after a restart, of ours or of theirs."""
        return f"{self.source}:{_uuid(uuid)}"

    def _told(self, message: EslMessage, at: datetime) -> list[Fact]:
        """Read all that an event says of its channel; most of it was said before."""
        uuid = _uuid(message.get("Unique-ID"))
        channel = self._channels.get(uuid)
        facts: list[Fact] = []
        if channel is None:
            if not uuid or "variable_uuid" not in message.fields:
                return []
            channel, facts = self._new(uuid, message, at)
        facts += self._names(channel, message, at)
        state = message.get("Answer-State")
        if state == "answered" or _when(message, "Caller-Channel-Answered-Time"):
            facts += self._answered(channel, message, at)
        facts += self._happened(channel, message, at)
        if message.event not in {"CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE"}:
            facts += self._bonded(uuid, channel, message, at)
        if state == "hangup" or message.event == "CHANNEL_DESTROY":
            facts += self._hung_up(uuid, channel, message, at)
        return facts

    def _happened(self, channel: _Channel, message: EslMessage, at: datetime) -> list[Fact]:
        """Tell what is new in an event."""
        facts: list[Fact] = []
        match message.event:
            case "CHANNEL_BRIDGE":
                facts = self._bridge(message, at)
            case "CHANNEL_UNBRIDGE":
                facts = self._unbridge(message, at)
            case "CHANNEL_HOLD":
                facts = self._hold(channel, at)
            case "CHANNEL_PARK" if channel.outside and channel.bridged:
                facts = self._hold(channel, at)  # had talked, and waits; who never talked does not
            case "CHANNEL_UNHOLD" | "CHANNEL_UNPARK":
                facts = self._resume(channel, at)
            case "RECORD_START":
                facts = self._record(channel, message, at)
            case "RECORD_STOP":
                facts = self._recorded(channel, message, at)
        return facts

    def _new(self, uuid: str, message: EslMessage, at: datetime) -> tuple[_Channel, list[Fact]]:
        name = message.get("Channel-Name")[:_LONGEST]
        inbound = message.get("Call-Direction") == "inbound"
        local = name.startswith(_LOCAL)
        station = None if local else self._station(message, name, inbound=inbound)
        inside = not inbound and bool(message.get("variable_dialed_user"))
        channel = _Channel(self.leg(uuid), station, local, inside)
        self._channels[uuid] = channel
        while len(self._channels) > MAX_CHANNELS:
            self._channels.popitem(last=False)
        since = self._ago(message, "Caller-Channel-Created-Time", at) or at
        # The ring comes last: the leg joins its call at once, and no second one flashes up at a desk.
        rang = self._rang(channel, message, since, inbound=inbound)
        facts: list[Fact] = []
        facts += self._named(channel, AliasType.FREESWITCH_UUID, uuid, since, "Unique-ID")
        for key, why in (
            ("variable_originator", "dialled by it"),
            ("variable_other_loopback_leg_uuid", "halves of a loopback"),
        ):
            other = _uuid(message.get(key))
            if other and other != uuid:
                with_leg = self.leg(other)
                facts.append(Paired(channel.leg, since, self.source, with_leg, why, inferred=False))
        return channel, [*facts, rang]

    def _rang(self, channel: _Channel, message: EslMessage, at: datetime, *, inbound: bool) -> Rang:
        """Say who set the leg up: a channel comes in to FreeSWITCH, or FreeSWITCH dials it."""
        # Both change with a transfer; what was dialled first, and by whom, does not.
        asked = message.get("variable_sip_req_user") if inbound else ""
        dialled = (asked or message.get("Caller-Destination-Number"))[:_LONGEST] or None
        if channel.outside:
            caller = self._caller(message) if inbound else None
            way = Direction.INCOMING if inbound else Direction.OUTGOING
            return Rang(channel.leg, at, self.source, caller, dialled, None, way)
        called = dialled if inbound and channel.station else None
        within = called is not None and self._is_station(called)
        way = Direction.INTERNAL if within else Direction.UNKNOWN
        return Rang(channel.leg, at, self.source, None, called, channel.station, way)

    def _caller(self, message: EslMessage) -> Number | None:
        """Read who calls from outside; what a transfer writes over is not read."""
        keys = ("Caller-Orig-Caller-ID-Number", "Caller-ANI", "variable_sip_from_user")
        found = (parse_number(message.get(key)) for key in keys)
        return next((number for number in found if number), None)

    def _station(self, message: EslMessage, name: str, *, inbound: bool) -> str | None:
        """Say whose telephone it is: who signed in, or who is dialled otherwise than by a trunk."""
        if inbound:
            names = [message.get(key) for key in _SIGNED_IN]
        elif message.get("variable_sip_gateway_name"):
            return None
        else:
            found = _ENDPOINT.fullmatch(name)
            names = [message.get("variable_dialed_user"), found["user"] if found else ""]
        return next((each for each in names if self._is_station(each)), None)

    def _is_station(self, name: str) -> bool:
        return name in self._stations or (not self._stations and bool(_EXTENSION.fullmatch(name)))

    def _answered(self, channel: _Channel, message: EslMessage, at: datetime) -> list[Fact]:
        if channel.up or channel.local:
            return []
        channel.up = True
        since = self._ago(message, "Caller-Channel-Answered-Time", at) or at
        return [Answered(channel.leg, since, self.source, channel.station)]

    def _hung_up(
        self, uuid: str, channel: _Channel, message: EslMessage, at: datetime
    ) -> list[Fact]:
        facts: list[Fact] = []
        if not channel.hung:
            channel.hung = True
            ended = self._ago(message, "Caller-Channel-Hangup-Time", at) or at
            cause = f"hangup {message.get('Hangup-Cause')[:40]}".strip()
            facts.append(HungUp(channel.leg, ended, self.source, cause))
            facts += self._released(uuid, at)
        if message.event == "CHANNEL_DESTROY":
            facts += self._forget(uuid, at)
        return facts

    def _forget(self, uuid: str, at: datetime) -> list[Fact]:
        self._channels.pop(uuid, None)
        return self._released(uuid, at)

    def _bridge(self, message: EslMessage, at: datetime) -> list[Fact]:
        """Put both ends into one bridge; whoever waited for one of them waits no longer."""
        first, second = self._ends(message)
        if not first or not second or first == second:
            return []
        facts: list[Fact] = []
        for holder, held in tuple(self._holding.items()):
            if held in {first, second}:
                facts += self._released(holder, at)
        facts += self._keeps_waiting(message, {first, second}, at)
        return facts + self._join(first, second, at)

    def _keeps_waiting(self, message: EslMessage, talking: set[str], at: datetime) -> list[Fact]:
        """Note whom a channel that consults a third one lets wait."""
        uuid = _uuid(message.get("Unique-ID"))
        waiting = _uuid(message.get("variable_soft_holding_uuid"))
        consults = message.get("variable_current_application") == "att_xfer"
        if not consults or not waiting or waiting in talking or uuid in self._holding:
            return []
        self._holding[uuid] = waiting
        return [Held(self.leg(waiting), at, self.source)]

    def _join(self, first: str, second: str, at: datetime) -> list[Fact]:
        bridge = f"{first}|{second}"
        for uuid, other in ((first, second), (second, first)):
            if channel := self._channels.get(uuid):
                channel.bond, channel.bridged = other, True
                channel.bridges.add(bridge)
        return [Joined(self.leg(uuid), at, self.source, bridge) for uuid in (first, second)]

    def _unbridge(self, message: EslMessage, at: datetime) -> list[Fact]:
        first, second = self._ends(message)
        facts: list[Fact] = []
        for uuid in (first, second):
            facts += self._released(uuid, at)
            bridges = {f"{first}|{second}", f"{second}|{first}"}
            if known := self._channels.get(uuid):
                known.bond = ""
                bridges &= known.bridges
                known.bridges -= bridges
            facts += [Left(self.leg(uuid), at, self.source, each) for each in sorted(bridges)]
        return facts

    def _ends(self, message: EslMessage) -> tuple[str, str]:
        return (
            _uuid(message.get("Bridge-A-Unique-ID") or message.get("Unique-ID")),
            _uuid(message.get("Bridge-B-Unique-ID") or message.get("Other-Leg-Unique-ID")),
        )

    def _bonded(
        self, uuid: str, channel: _Channel, message: EslMessage, at: datetime
    ) -> list[Fact]:
        """Join two legs that each name the other, when their bridge was not heard of."""
        if "variable_uuid" not in message.fields:
            return []
        channel.bond = _uuid(message.get("variable_signal_bond"))
        other = self._channels.get(channel.bond)
        if other is None or other is channel or other.bond != uuid:
            return []
        ready = channel.up and other.up and not (channel.hung or other.hung)
        if not ready or message.get("Answer-State") == "hangup" or channel.bridges & other.bridges:
            return []
        return self._join(uuid, channel.bond, at)

    def _still_bridged(
        self, uuid: str, channel: _Channel, message: EslMessage, at: datetime
    ) -> list[Fact]:
        """Leave the bridges whose end was not heard of; enter the conference it is in."""
        room = _room(message.get("variable_conference_uuid"))
        inside = room and message.get("variable_current_application") == "conference"
        facts: list[Fact] = []
        for bridge in sorted(channel.bridges):
            others = [self._channels.get(end) for end in bridge.split("|") if end != uuid]
            mutual = any(other is not None and other.bond == uuid for other in others)
            if mutual or channel.bond in bridge.split("|") or (inside and bridge == room):
                continue
            channel.bridges.discard(bridge)
            facts.append(Left(channel.leg, at, self.source, bridge))
        if inside and room not in channel.bridges:
            channel.bridges.add(room)
            facts.append(Joined(channel.leg, at, self.source, room))
        return facts

    def _conference(self, message: EslMessage, at: datetime) -> list[Fact]:
        """Follow who is in a room; these events do not tell what the channel is."""
        uuid = _uuid(message.get("Unique-ID"))
        room = _room(message.get("Conference-Unique-ID") or message.get("Conference-Name"))
        action = message.get("Action")
        if not uuid or not room or action not in {"add-member", "del-member"}:
            return []
        enters = action == "add-member"
        if channel := self._channels.get(uuid):
            channel.bridged = True
            (channel.bridges.add if enters else channel.bridges.discard)(room)
        return [(Joined if enters else Left)(self.leg(uuid), at, self.source, room)]

    def _hold(self, channel: _Channel, at: datetime) -> list[Fact]:
        if channel.held:
            return []
        channel.held = True
        return [Held(channel.leg, at, self.source)]

    def _resume(self, channel: _Channel, at: datetime) -> list[Fact]:
        if not channel.held:
            return []
        channel.held = False
        return [Resumed(channel.leg, at, self.source)]

    def _released(self, holder: str, at: datetime) -> list[Fact]:
        held = self._holding.pop(holder, None)
        return [] if held is None else [Resumed(self.leg(held), at, self.source)]

    def _record(self, channel: _Channel, message: EslMessage, at: datetime) -> list[Fact]:
        ref = message.get("Record-File-Path")[:_LONGEST]
        if not ref or ref in channel.recordings or len(channel.recordings) >= _MOST_NAMES:
            return []
        channel.recordings.add(ref)
        name = ref.rpartition("/")[2]
        return [
            RecordingStarted(channel.leg, at, self.source, ref),
            *self._named(channel, AliasType.RECORDING, name, at, "record_session"),
        ]

    def _recorded(self, channel: _Channel, message: EslMessage, at: datetime) -> list[Fact]:
        """End a recording; one whose beginning was not heard of began so long ago."""
        lasted = message.get("variable_record_ms")
        known = lasted.isascii() and lasted.isdecimal() and len(lasted) < 10  # noqa: PLR2004 -- a sane count
        since = at - timedelta(milliseconds=int(lasted)) if known else at
        ref = message.get("Record-File-Path")[:_LONGEST]
        facts = self._record(channel, message, since)
        return [*facts, RecordingStopped(channel.leg, at, self.source, ref)] if ref else []

    def _names(self, channel: _Channel, message: EslMessage, at: datetime) -> list[Fact]:
        facts = self._named(
            channel,
            AliasType.SIP_CALL_ID,
            message.get("variable_sip_call_id"),
            at,
            "sip_call_id",
        )
        if not channel.outside:
            return facts
        for key in self._call_info:
            calls, incidents = emergency_ids(_items(message.get(key)))
            for urn in calls:
                facts += self._named(channel, AliasType.NENA_CALLID, urn, at, key[9:])
            for urn in incidents:
                facts += self._named(channel, AliasType.NENA_INCIDENTID, urn, at, key[9:])
        kind = AliasType.PRIVATE_HEADER
        for header in self._private:
            if value := message.get(f"variable_sip_h_{header}"):
                facts += self._named(channel, kind, value, at, header)
                kind = AliasType.OTHER_HEADER
        return facts

    def _named(
        self, channel: _Channel, kind: AliasType, value: str, at: datetime, why: str
    ) -> list[Fact]:
        value = value.strip()
        if not value or len(value) > _LONGEST or (kind, value) in channel.named:
            return []
        if len(channel.named) >= _MOST_NAMES:
            return []
        channel.named.add((kind, value))
        return [Aliased(channel.leg, at, self.source, Alias(kind, value), why)]

    def _time(self, message: EslMessage, arrived: datetime) -> datetime:
        """Date the event by the switchboard; by ours when it does not say, or is more than an hour off."""
        stamp = _when(message, "Event-Date-Timestamp")
        if not stamp:
            return arrived
        try:
            at = datetime.fromtimestamp(stamp // 1_000_000, UTC)
        except (ValueError, OverflowError, OSError):
            return arrived
        at += timedelta(microseconds=stamp % 1_000_000)
        self.skew = (arrived - at).total_seconds()
        if self._max_skew is not None and abs(arrived - at) > self._max_skew:
            self.skewed += 1
            return arrived
        return at

    def _ago(self, message: EslMessage, key: str, at: datetime) -> datetime | None:
        """Date what the event tells of the past, by how long before the event it was."""
        then, now = _when(message, key), _when(message, "Event-Date-Timestamp")
        if not then or not now or then > now:
            return None
        age = timedelta(microseconds=min(now - then, 10**15))
        return at - age if age <= _OLDEST else None


def _uuid(text: str) -> str:
    return text[:_LONGEST].replace("|", "")


def _room(text: str) -> str:
    return f"conference {_uuid(text)}" if text else ""


def _when(message: EslMessage, key: str) -> int:
    """Read a date in microseconds; 0 when there is none."""
    text = message.get(key)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 17 else 0  # noqa: PLR2004 -- the year 5138


def _items(text: str) -> Iterator[str]:
    """Split a header FreeSWITCH kept: several values as `ARRAY::one|:two`, each perhaps a comma list."""
    many = text.removeprefix("ARRAY::").split("|:") if text.startswith("ARRAY::") else [text]
    return (item for each in many for item in split_list(each))
