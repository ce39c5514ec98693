"""What the events of an Asterisk mean for line 15: one channel is one leg.

The channel that has no station is the one that leads outside; SIP Call-ID and emergency ids are
read there only, because Asterisk copies the caller's variables to every channel it creates. A
Linkedid ties a channel to its call when the channel is made; once two calls were connected their
channels share one, which then names both and ties nothing.

Channel drivers tell who set a channel up, the number and what it dials at different times: PJSIP and IAX2
at its beginning, chan_sip, DAHDI, SCCP and others later. So every event is evidence, and the first that
decides holds (docs/telephony.md has the table): a channel that rings us called, a channel that is dialled or
rings at the other end was called. Until then nothing is said of direction and number. No clock, no I/O.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict
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
    Moved,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
)
from telephony.model.number import parse_number
from telephony.sip.message import emergency_ids, split_list
from telephony.sources.ami.codec import is_old

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from telephony.model.number import Number
    from telephony.sources.ami.codec import AmiMessage

#: Past this difference the PBX's clock is wrong and ours dates the event.
MAX_SKEW: Final = timedelta(hours=1)
#: Channels remembered; more is not a switchboard.
MAX_CHANNELS: Final = 20_000
_LONGEST: Final = 255
#: Times a channel is asked about: its ids may come after it.
_ASKED: Final = 4
_EXTENSION: Final = re.compile(r"[0-9]{2,6}")
#: Technology, endpoint, and the count the driver adds: `PJSIP/1501-0000001b`, `IAX2/1501-7713`, `USTM/1501@x-0x7f2a`.
_ENDPOINT: Final = re.compile(
    r"(?P<technology>[^/]+)/(?P<name>.+?)(-(0x)?[0-9a-fA-F]+)?(;[12])?", re.DOTALL
)
#: Technologies of channels that Asterisk makes for itself: nobody is at their end.
_INNER: Final = frozenset(
    {"Local", "Announcer", "Recorder", "CBAnn", "CBRec", "Snoop", "Message"}
    | {"UnicastRTP", "MulticastRTP", "AudioSocket", "WebSocket"}
)
#: Technologies that number their circuits: such a number is an extension only where the site says so.
_CIRCUITS: Final = frozenset({"DAHDI", "Zap", "mISDN", "CAPI"})
#: States of a channel (AST_STATE_…): it rings us, or has announced a ring; its digits are sent, or it rings out there.
_RINGS_US: Final = frozenset({"4", "9"})
_RINGS_THERE: Final = frozenset({"3", "5"})
_UP: Final = "6"
#: What stands where a number or a dialled extension is not known, extensions of the dialplan's own among them.
_UNKNOWN: Final = frozenset(
    {"", "<unknown>", "<none>", "unknown", "anonymous", "unavailable", "restricted", "asterisk"}
    | {"s", "i", "t", "h", "o", "a", "e", "fax", "failed"}
)
#: What stands there when the caller, or their operator, withholds the number.
_WITHHELD: Final = frozenset({"anonymous", "restricted", "unavailable", "private"})
#: `CID-CallingPres: 35 (Presentation Prohibited, …)`: two of its bits say whether the number may be shown.
_PRESENTATION: Final = re.compile(r"[0-9]{1,3}")
_RESTRICTION: Final = 0x60
_PROHIBITED: Final = 0x20
#: Applications that only channels that were dialled bear: AppDial, AppDial2, AppQueue.
_DIALLED_BY: Final = ("AppDial", "AppQueue")
#: A dialling station and whom it dials share a Linkedid: more channels are several calls, or several tries.
_TWO: Final = 2
_SAME_NUMBER: Final = 6
#: One channel of the list the PBX gives.
_LISTED: Final = "CoreShowChannel"
#: Events of a channel that lives.
_TELLING: Final = frozenset(
    {"Newstate", "NewConnectedLine", "NewCallerid", "Newexten", "DialBegin"}
    | {"Hold", "Unhold", "MixMonitorStart", "BridgeEnter"}
)


@dataclass(slots=True)
class _Channel:
    """What is kept of one channel while it lives."""

    leg: str
    name: str
    linkedid: str
    station: str | None
    inner: bool
    #: Whether it called, or was called; None while no event decides.
    calls: bool | None = None
    caller: Number | None = None
    #: Whether its number stays what it is: it was withheld, or may be one that the dialplan wrote over it.
    settled: bool = False
    exten: str = ""
    dialled: str = ""
    told: tuple[Direction, Number | None, str] | None = None
    up: bool = False
    asked: int = 0
    recording: str = ""
    recordings: list[str] = field(default_factory=list)
    bridges: set[str] = field(default_factory=set)
    named: set[tuple[AliasType, str]] = field(default_factory=set)

    @property
    def outside(self) -> bool:
        return self.station is None and not self.inner


class AmiFactReader:
    """Turns manager events into facts. One per connection's feed; it survives reconnections.

    `stations` are the monitored extensions; when empty, an endpoint named by two to six digits is
    a station. `sip_call_id` and `emergency` name the channel variables that carry these ids
    (`channelvars` in manager.conf). `max_skew` None believes the PBX's dates however old (replays).
    """

    def __init__(
        self,
        source: str,
        stations: Collection[str] = (),
        *,
        sip_call_id: str = "SIPCALLID",
        emergency: str = "EMERGENCYCALLID",
        max_skew: timedelta | None = MAX_SKEW,
    ) -> None:
        self.source = source
        self._stations = frozenset(stations)
        self._sip_call_id = sip_call_id
        self._emergency = emergency
        self._max_skew = max_skew
        self._channels: OrderedDict[str, _Channel] = OrderedDict()
        self._mixed: set[str] = set()
        self.skew = 0.0
        #: What was not followed, or not as it stood, by reason.
        self.rejected: Counter[str] = Counter()
        self._handlers: dict[str, Callable[[AmiMessage, datetime], list[Fact]]] = {
            "Newchannel": self._newchannel,
            "Newstate": _no_more,
            "NewConnectedLine": _no_more,
            "NewCallerid": _no_more,
            "Newexten": _no_more,
            "DialBegin": self._dialbegin,
            "VarSet": self._varset,
            "MixMonitorStart": self._recorder,
            "MixMonitorStop": self._recorder_stopped,
            "Hold": self._held,
            "Unhold": self._resumed,
            "ParkedCall": self._parked,
            "UnParkedCall": self._unparked,
            "Pickup": self._picked_up,
            "Rename": self._renamed,
            "BridgeEnter": self._entered,
            "BridgeLeave": self._left,
            "LocalBridge": self._local_bridge,
            "Hangup": self._hangup,
        }

    def observe(self, message: AmiMessage, arrived: datetime) -> list[Fact]:
        """Tell what one event means; an event of no interest means nothing."""
        if is_old(message):
            self.rejected["old_event"] += 1
            return []
        handler = self._handlers.get(message.event)
        if handler is None:
            return []
        at = self._time(message, arrived)
        channel = self._channels.get(message.get("Uniqueid"))
        if channel is None and message.event in _TELLING:
            # Its beginning was not heard: every event says which channel it is about.
            noted = self._new(message, at)
        else:
            noted = self._mixing(channel, message, at) if channel else []
        facts = [*noted, *handler(message, at)]
        after = self._channels.get(message.get("Uniqueid"))
        return facts if after is None else [*facts, *self._learnt(after, message, at)]

    @property
    def channels(self) -> tuple[str, ...]:
        """The Uniqueids of the channels that live."""
        return tuple(self._channels)

    @property
    def legs(self) -> set[str]:
        """The legs of the channels that live."""
        return {channel.leg for channel in self._channels.values()}

    def channel(self, uniqueid: str) -> str:
        """Name a channel as the PBX does."""
        known = self._channels.get(uniqueid)
        return known.name if known else ""

    def present(self, message: AmiMessage, arrived: datetime) -> list[Fact]:
        """Take one channel of the list the PBX gives: it lives, as it is now."""
        uniqueid = message.get("Uniqueid")[:_LONGEST]
        facts: list[Fact] = []
        if uniqueid not in self._channels:
            started = arrived - _duration(message.get("Duration"))
            facts += self._new(message, started)
        channel = self._channels.get(uniqueid)
        if channel is None:
            return facts
        facts += self._learnt(channel, message, arrived)
        bridge = message.get("BridgeId")[:_LONGEST]
        facts += [
            Left(channel.leg, arrived, self.source, each) for each in channel.bridges - {bridge}
        ]
        channel.bridges &= {bridge}
        if bridge and bridge not in channel.bridges:
            channel.bridges.add(bridge)
            facts.append(Joined(channel.leg, arrived, self.source, bridge))
        facts.append(Seen(channel.leg, arrived, self.source))
        return facts

    def listed(self, arrived: datetime) -> list[Fact]:
        """Say whom the stations call, where only the list tells, once it is complete.

        A dialled channel shows the number of its line, often our own. What the station dialled is believed where it
        and that channel are alone under their Linkedid: a merge brings calls together that dialled others.
        """
        bearers = Counter(each.linkedid for each in self._channels.values() if not each.inner)
        facts: list[Fact] = []
        for channel in self._channels.values():
            source = self._channels.get(channel.linkedid)
            if not channel.outside or channel.calls is not False or channel.dialled:
                continue
            if source is None or source.station is None or bearers[channel.linkedid] != _TWO:
                continue
            channel.dialled = source.exten
            facts += self._rang(channel, arrived)
        return facts

    def absent(self, gone: Collection[str], arrived: datetime) -> list[Fact]:
        """End, uncertainly, the channels the PBX no longer has."""
        gone = [uniqueid for uniqueid in self._channels if uniqueid in gone]
        return [
            HungUp(
                self._channels.pop(uniqueid).leg,
                arrived,
                self.source,
                "gone while unheard",
                certain=False,
            )
            for uniqueid in gone
        ]

    def variable(self, uniqueid: str, name: str, value: str, arrived: datetime) -> list[Fact]:
        """Take the answer to a question about one channel: its own SIP Call-ID, or its recording."""
        channel = self._channels.get(uniqueid)
        if channel is None or not value:
            return []
        if name == CALL_ID:
            return self._named(channel, AliasType.SIP_CALL_ID, value, arrived, CALL_ID)
        channel.recording = value[:_LONGEST]
        return self._recorded(channel, arrived)

    def questions(self, uniqueid: str) -> tuple[str, ...]:
        """List what is worth asking about a channel now; each thing a few times at most."""
        channel = self._channels.get(uniqueid)
        if channel is None or channel.inner or channel.asked >= _ASKED:
            return ()
        channel.asked += 1
        own = any(kind is AliasType.SIP_CALL_ID for kind, _ in channel.named)
        sip = () if own or not channel.name.startswith("PJSIP/") else (CALL_ID,)
        return sip if channel.recordings else (*sip, RECORDING)

    def _newchannel(self, message: AmiMessage, at: datetime) -> list[Fact]:
        uniqueid = message.get("Uniqueid")[:_LONGEST]
        if not uniqueid or not message.get("Channel"):
            return []
        facts: list[Fact] = []
        known = self._channels.get(uniqueid)
        if known is not None:
            if known.name == message.get("Channel"):
                return [Seen(known.leg, at, self.source)]
            # The PBX started again and counts from the beginning: nothing of before is left.
            facts += [
                HungUp(each.leg, at, self.source, "gone with a restart", certain=False)
                for each in self._channels.values()
            ]
            self._channels.clear()
            self._mixed.clear()
        return facts + self._new(message, at)

    def _new(self, message: AmiMessage, at: datetime, prefix: str = "") -> list[Fact]:
        """Take a channel in; `prefix` where the event calls it `Dest…`, the one that is dialled."""
        uniqueid = message.get(f"{prefix}Uniqueid")[:_LONGEST]
        name = message.get(f"{prefix}Channel")[:_LONGEST]
        linkedid = message.get(f"{prefix}Linkedid")[:_LONGEST]
        if not uniqueid or not name:
            return []
        # The name ends in the PBX's own count: a Uniqueid that comes again after a restart is another leg.
        leg = f"{self.source}:{uniqueid}:{name.rpartition('-')[2]}"
        inner = name.partition("/")[0] in _INNER
        channel = _Channel(leg, name, linkedid, self._station(name), inner)
        self._channels[uniqueid] = channel
        while len(self._channels) > MAX_CHANNELS:
            self._channels.popitem(last=False)
        # Names before the ring: the leg joins its call at once, and no second one flashes up at a desk.
        facts = self._named(channel, AliasType.UNIQUEID, uniqueid, at, "Uniqueid")
        if linkedid:
            channel.named.add((AliasType.LINKEDID, linkedid))
            # Who was not seen to begin may bear the Linkedid of a call it was connected to since.
            begins = message.event == "Newchannel" or bool(prefix)
            own = begins or uniqueid == linkedid or not channel.outside
            binds = own and linkedid not in self._mixed
            alias = Alias(AliasType.LINKEDID, linkedid)
            facts.append(Aliased(leg, at, self.source, alias, "Linkedid", binds=binds))
        variables = [] if prefix else self._variables(channel, message, at)
        self._judge(channel, message, prefix)
        return [*facts, *variables, *self._rang(channel, at)]

    def _judge(self, channel: _Channel, message: AmiMessage, prefix: str = "") -> None:
        """Take an event as evidence of who set the channel up, of its number and of what it dialled."""
        state, listed = message.get(f"{prefix}ChannelState"), message.event == _LISTED
        if channel.calls is None and state in _RINGS_US:
            channel.calls = True
        elif channel.calls is None and state in _RINGS_THERE and channel.outside:
            # Outside only: a station's own telephone says "dialling" too, while somebody dials on it.
            channel.calls = False
        elif channel.calls is None and listed and state == _UP:
            # Nothing better will come of one that is up.
            application = message.get("Application")
            first = message.get("Uniqueid") == channel.linkedid
            if application.startswith(_DIALLED_BY):
                channel.calls = False
            elif first or application:
                # Who runs a dialplan under another's Linkedid is a caller whose call was connected to that one, or was
                # called and sent on; the number of the latter may be our own.
                channel.calls, channel.settled = True, channel.settled or not first
        if channel.caller is None and not channel.settled:
            channel.settled = _withheld(message, prefix)
            if not channel.settled:
                channel.caller = parse_number(message.get(f"{prefix}CallerIDNum"))
        # From its answer on, and once it dialled, the dialplan writes what others are to see.
        channel.settled = channel.settled or state == _UP
        channel.exten = channel.exten or _known(message.get(f"{prefix}Exten"))

    def _rang(self, channel: _Channel, at: datetime) -> list[Fact]:
        """Say who set the leg up and whom it calls, as far as is known; the same is not said twice."""
        called = channel.exten if channel.calls else channel.dialled
        way, caller = Direction.UNKNOWN, None
        if channel.outside and channel.calls:
            way, caller = Direction.INCOMING, channel.caller
        elif channel.outside and channel.calls is False:
            way = Direction.OUTGOING
        elif channel.station and called and self._is_station(called):
            way = Direction.INTERNAL
        if channel.told == (way, caller, called):
            return []
        channel.told = (way, caller, called)
        return [Rang(channel.leg, at, self.source, caller, called or None, channel.station, way)]

    def _dialbegin(self, message: AmiMessage, at: datetime) -> list[Fact]:
        """Tie the dialled channel to the one that dials; learn the number an outgoing one calls."""
        uniqueid = message.get("DestUniqueid")
        facts = [] if uniqueid in self._channels else self._new(message, at, "Dest")
        dialled = self._channels.get(uniqueid)
        if dialled is None:
            return facts
        source = self._channels.get(message.get("Uniqueid"))
        if source is not None and source is not dialled:
            source.settled = True
            facts.append(
                Paired(dialled.leg, at, self.source, source.leg, "dialled by it", inferred=False)
            )
        if dialled.calls is None:
            dialled.calls = False
        if dialled.outside:
            number = _number_called(message.get("DestCallerIDNum"), message.get("DialString"))
            dialled.dialled = dialled.dialled or number[:_LONGEST]
        return [*facts, *self._rang(dialled, at)]

    def _learnt(self, channel: _Channel, message: AmiMessage, at: datetime) -> list[Fact]:
        """Tell what an event says of its channel beside what it is about: it was answered, it is known by a name."""
        self._judge(channel, message)
        facts = self._rang(channel, at)
        if message.get("ChannelState") == _UP and not channel.up and not channel.inner:
            channel.up = True
            facts.append(Answered(channel.leg, at, self.source, channel.station))
        return [*facts, *self._variables(channel, message, at)]

    def _varset(self, message: AmiMessage, _at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        if channel is not None and message.get("Variable") == RECORDING:
            channel.recording = message.get("Value")[:_LONGEST]
        return []

    def _recorder(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        return [] if channel is None else self._recorded(channel, at)

    def _recorded(self, channel: _Channel, at: datetime) -> list[Fact]:
        """Begin a recording whose file is known; asked for with Getvar when it is not."""
        ref = channel.recording
        if not ref or ref in channel.recordings:
            return []
        channel.recordings.append(ref)
        name = ref.rpartition("/")[2]
        return [
            RecordingStarted(channel.leg, at, self.source, ref),
            *self._named(channel, AliasType.RECORDING, name, at, "MixMonitor"),
        ]

    def _recorder_stopped(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        if channel is None or not channel.recordings:
            return []
        channel.recording = ""
        return [RecordingStopped(channel.leg, at, self.source, channel.recordings[-1])]

    def _held(self, message: AmiMessage, at: datetime) -> list[Fact]:
        return self._about(message, at, Held)

    def _resumed(self, message: AmiMessage, at: datetime) -> list[Fact]:
        return self._about(message, at, Resumed)

    def _about(
        self, message: AmiMessage, at: datetime, kind: type[Held | Resumed], key: str = "Uniqueid"
    ) -> list[Fact]:
        channel = self._channels.get(message.get(key))
        return [] if channel is None else [kind(channel.leg, at, self.source)]

    def _parked(self, message: AmiMessage, at: datetime) -> list[Fact]:
        return self._about(message, at, Held, "ParkeeUniqueid")

    def _unparked(self, message: AmiMessage, at: datetime) -> list[Fact]:
        return self._about(message, at, Resumed, "ParkeeUniqueid")

    def _picked_up(self, message: AmiMessage, at: datetime) -> list[Fact]:
        mine = self._channels.get(message.get("Uniqueid"))
        target = self._channels.get(message.get("TargetUniqueid"))
        if mine is None or target is None:
            return []
        return [Paired(mine.leg, at, self.source, target.leg, "picked up", inferred=False)]

    def _renamed(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        name = message.get("Newname")[:_LONGEST]
        if channel is None or not name or channel.inner:
            return []
        station = self._station(name)
        channel.name = name
        if station is None or station == channel.station:
            return []
        channel.station = station
        return [Moved(channel.leg, at, self.source, station)]

    def _entered(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        bridge = message.get("BridgeUniqueid")[:_LONGEST]
        if channel is None or not bridge:
            return []
        channel.bridges.add(bridge)
        return [Joined(channel.leg, at, self.source, bridge)]

    def _left(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.get(message.get("Uniqueid"))
        bridge = message.get("BridgeUniqueid")[:_LONGEST]
        if channel is None or not bridge:
            return []
        channel.bridges.discard(bridge)
        return [Left(channel.leg, at, self.source, bridge)]

    def _local_bridge(self, message: AmiMessage, at: datetime) -> list[Fact]:
        """The two halves of a Local channel are one wire."""
        one = self._channels.get(message.get("LocalOneUniqueid"))
        two = self._channels.get(message.get("LocalTwoUniqueid"))
        if one is None or two is None:
            return []
        return [
            Paired(two.leg, at, self.source, one.leg, "halves of a Local channel", inferred=False)
        ]

    def _hangup(self, message: AmiMessage, at: datetime) -> list[Fact]:
        channel = self._channels.pop(message.get("Uniqueid"), None)
        if channel is None:
            return []
        cause = f"hangup {message.get('Cause')[:3]}".strip()
        return [HungUp(channel.leg, at, self.source, cause)]

    def _mixing(self, channel: _Channel, message: AmiMessage, at: datetime) -> list[Fact]:
        """Note that a channel's Linkedid changed: from now on the new one names two calls."""
        linkedid = message.get("Linkedid")[:_LONGEST]
        if not linkedid or linkedid == channel.linkedid:
            return []
        self._mixed |= {linkedid, channel.linkedid}
        if len(self._mixed) > MAX_CHANNELS:
            self._mixed = {each.linkedid for each in self._channels.values()}
        channel.linkedid = linkedid
        alias = Alias(AliasType.LINKEDID, linkedid)
        return [Aliased(channel.leg, at, self.source, alias, "Linkedid after a merge", binds=False)]

    def _variables(self, channel: _Channel, message: AmiMessage, at: datetime) -> list[Fact]:
        """Read the ids a channel that leads outside carries in its variables."""
        facts: list[Fact] = []
        for pair in message.all("ChanVariable") if channel.outside else ():
            name, _, value = pair.partition("=")
            if name == self._sip_call_id:
                facts += self._named(channel, AliasType.SIP_CALL_ID, value, at, name)
            elif name == self._emergency:
                calls, incidents = emergency_ids(split_list(value))
                for urn in calls:
                    facts += self._named(channel, AliasType.NENA_CALLID, urn, at, name)
                for urn in incidents:
                    facts += self._named(channel, AliasType.NENA_INCIDENTID, urn, at, name)
        return facts

    def _named(
        self, channel: _Channel, kind: AliasType, value: str, at: datetime, why: str
    ) -> list[Fact]:
        value = value.strip()[:_LONGEST]
        if not value or (kind, value) in channel.named:
            return []
        channel.named.add((kind, value))
        return [Aliased(channel.leg, at, self.source, Alias(kind, value), why)]

    def _station(self, name: str) -> str | None:
        """Read the extension out of a channel's name; some drivers add the device: `Skinny/1501@SEP00…-3`."""
        found = _ENDPOINT.fullmatch(name)
        if found is None or found["technology"] in _INNER:
            return None
        names = (found["name"], found["name"].partition("@")[0])
        if found["technology"] in _CIRCUITS:
            return next((each for each in names if each in self._stations), None)
        return next(filter(self._is_station, names), None)

    def _is_station(self, name: str) -> bool:
        return name in self._stations or (not self._stations and bool(_EXTENSION.fullmatch(name)))

    def _time(self, message: AmiMessage, arrived: datetime) -> datetime:
        """Date the event by the PBX; by ours when it does not say, or is more than an hour off."""
        try:
            at = datetime.fromtimestamp(float(message.get("Timestamp")), UTC)
        except (ValueError, OverflowError, OSError):
            return arrived
        self.skew = (arrived - at).total_seconds()
        if self._max_skew is not None and abs(arrived - at) > self._max_skew:
            self.rejected["clock_skew"] += 1
            return arrived
        return at


#: What is asked about a channel: its own SIP Call-ID, and the file of its recording.
CALL_ID: Final = "CHANNEL(pjsip,call-id)"
RECORDING: Final = "MIXMONITOR_FILENAME"


def _no_more(_message: AmiMessage, _at: datetime) -> list[Fact]:
    """Add nothing to what every event of a channel tells."""
    return []


def _known(text: str) -> str:
    """Return a number or extension, nothing where the PBX writes that it knows none."""
    return "" if text.strip().lower() in _UNKNOWN else text[:_LONGEST]


def _withheld(message: AmiMessage, prefix: str) -> bool:
    """Tell whether an event says that the caller's number is withheld; that it is not known yet is no such word."""
    pres = _PRESENTATION.match(message.get("CID-CallingPres"))
    if pres is not None and int(pres[0]) & _RESTRICTION == _PROHIBITED:
        return True
    return message.get(f"{prefix}CallerIDNum").strip().lower() in _WITHHELD


def _number_called(shown: str, dial_string: str) -> str:
    """Say whom an outgoing channel calls, from its caller ID and from what the line is told to dial.

    What is dialled may bear the line's prefix, which the caller ID then lacks. Where they differ the caller ID is that
    of the line's configuration or of a transfer, often our own: what was dialled is told, readable or not.
    """
    shown = _known(shown)
    parts = [each.partition("@")[0].removeprefix("sip:") for each in dial_string.split("/")]
    dialled = _known(
        next((each for each in reversed(parts) if re.search("[0-9]", each)), parts[-1])
    )
    if not dialled or (shown and dialled.endswith(shown[-_SAME_NUMBER:])):
        return shown
    return dialled


def _duration(text: str) -> timedelta:
    """Read `HH:MM:SS` or seconds; nothing when it is neither."""
    parts = text.split(":")
    if not all(part.isdecimal() and len(part) < 9 for part in parts):  # noqa: PLR2004 -- a sane count
        return timedelta()
    seconds = 0
    for part in parts:
        seconds = seconds * 60 + int(part)
    return timedelta(seconds=min(seconds, 7 * 86400))
