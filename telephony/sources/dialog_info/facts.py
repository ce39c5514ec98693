"""What dialog-info documents mean for line 15: a SIP dialog is a leg, whoever of its ends tells of it.

Each station tells of its own dialogs; two stations on one call tell of one dialog, under one Call-ID,
and so does capture. Documents of one subscription are counted: one that repeats is no news, a gap means
that the whole state must be asked again. What a full state no longer lists has ended. What a document means is
told by dialects.py. No clock, no I/O.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
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
    Paired,
    Rang,
    Resumed,
    Seen,
    Unpaired,
)
from telephony.model.number import Number, called_as, parse_number
from telephony.sip.message import uri_user
from telephony.sources.dialog_info.codec import Dialog, DialogInfo, DialogState
from telephony.sources.dialog_info.dialects import Dialect, Key, another, meaning, recognise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

#: Ended legs remembered, so that a late document does not bring one back, and a transfer finds them.
_REMEMBERED: Final = 2000
#: A version told before: the document is dropped. One that skips some: the state is to be asked for.
OLD: Final = "version_old"
GAP: Final = "version_gap"
#: A document about another station, dropped. One that contradicts itself or those before it.
ENTITY: Final = "entity"
CONTRADICTED: Final = "contradiction"
#: A call transferred lost its old leg at most so long ago.
_TRANSFER: Final = timedelta(seconds=10)
#: A dialog that says it lasted longer is not believed.
_LONGEST_CALL: Final = 86_400
#: The same INVITE comes again with a password.
_AUTHENTICATE: Final = (401, 407)
_BYE: Final = {
    "local-bye": "bye",
    "remote-bye": "bye",
    "timeout": "timeout",
    "replaced": "replaced",
}


@dataclass(frozen=True, slots=True)
class _View:
    """One dialog as one station tells it."""

    leg: str
    station: str
    dialog: Dialog

    @property
    def confirmed(self) -> bool:
        return self.dialog.state is DialogState.CONFIRMED


@dataclass(slots=True)
class _Leg:
    """What was told of one leg so far, by all its stations."""

    views: dict[tuple[str, Key], _View] = field(default_factory=dict)
    #: Every station that had it, the transfer's key when the views are gone.
    stations: dict[str, None] = field(default_factory=dict)
    others: dict[str, None] = field(default_factory=dict)
    rang: set[tuple[str, str, Number | None]] = field(default_factory=set)
    named: set[Alias] = field(default_factory=set)
    paired: set[str] = field(default_factory=set)
    answered: bool = False
    #: Stations first told of after the answer: each of them says when it is in conversation, too.
    late: set[str] = field(default_factory=set)
    #: None while it is not known: it may have been held before we listened.
    held: bool | None = None
    ended: datetime | None = None
    #: Its station was unheard for a while, and a state that names nobody does not prove that it is the same call.
    unproven: bool = False


class DialogFactReader:
    """Turns documents into facts. One a feed; it survives reconnections."""

    def __init__(self, source: str, stations: Collection[str]) -> None:
        """Watch these stations; who is not among them is outside."""
        self.source = source
        self._stations = frozenset(stations)
        self._versions: dict[str, int] = {}
        self._stale: set[str] = set(stations)
        self._legs: dict[str, _Leg] = {}
        self._over: OrderedDict[str, _Leg] = OrderedDict()
        #: Legs that ended unheard: when they are told again they live.
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._told: dict[str, dict[Key, _View]] = {}
        self._dialects: dict[str, Dialect] = {}
        self._unsure: set[str] = set()
        self._numbers = itertools.count(1)
        #: The dialect of documents that do not show theirs, where it is known.
        self.presumed: Dialect | None = None

    @property
    def legs(self) -> set[str]:
        """The legs that live."""
        return set(self._legs)

    @property
    def stale(self) -> frozenset[str]:
        """The stations that have not told their whole state since their subscription began."""
        return frozenset(self._stale)

    @property
    def dialect(self) -> Dialect | None:
        """How the switchboard uses the documents, as they showed last."""
        return next(reversed(self._dialects.values()), None)

    @property
    def unsure(self) -> frozenset[str]:
        """The stations where one dialog was told while others live, which are to be asked about."""
        return frozenset(self._unsure)

    def begin(self, station: str) -> None:
        """Start counting anew: another subscription, whose first document is a full one."""
        self._versions.pop(station, None)
        self._stale.add(station)
        if self._dialects.get(station) is Dialect.EXTENSION:
            for view in self._told.get(station, {}).values():
                self._legs[view.leg].unproven = True

    def observe(
        self, station: str, info: DialogInfo, at: datetime, *, answers: bool = False
    ) -> tuple[list[Fact], str]:
        """Tell what a document means, and what is wrong with it: OLD, GAP, ENTITY, CONTRADICTED or nothing.

        `answers`: it is the first since our last subscription was accepted.
        """
        entity = uri_user(info.entity)
        if entity != station and entity in self._stations:
            return [], ENTITY
        last = self._versions.get(station)
        if last is not None and info.version <= last:
            return [], OLD
        skipped = last is not None and info.version > last + 1
        if not info.full and (station in self._stale or last is None or skipped):
            self._stale.add(station)
            return [], GAP
        self._versions[station] = info.version
        facts, contradicted = self._document(station, info, at, answers=answers, skipped=skipped)
        if skipped and station in self._stale:
            return facts, GAP
        return facts, CONTRADICTED if contradicted else ""

    def _document(
        self, station: str, info: DialogInfo, at: datetime, *, answers: bool, skipped: bool
    ) -> tuple[list[Fact], bool]:
        """Tell what a document means whose version is right, and whether it contradicts anything."""
        dialect = self._recognised(station, info)
        before = dict(self._told.get(station, {}))
        known = {key: view.dialog for key, view in before.items()}
        missed = skipped or station in self._stale
        meant = meaning(info, station, known, dialect, answers=answers, missed=missed)
        facts: list[Fact] = []
        for dialog in meant.dialogs:
            facts += self._dialog(station, dialog, at)
        if dialect is Dialect.EXTENSION:
            facts += self._doubts(station, {view.leg for view in before.values()}, at)
        if meant.whole:
            listed = meant.mute | {each.key for each in meant.dialogs}
            facts += self._unlisted(station, listed, at)
        elif skipped:
            self._stale.add(station)
        elif answers:
            self._unsure.discard(station)  # asking again would be answered the same
        elif dialect is Dialect.EVENTS and len(self._told.get(station, {})) > 1:
            self._unsure.add(station)
        return facts, meant.contradicted

    def _recognised(self, station: str, info: DialogInfo) -> Dialect:
        """Tell the dialect of a document by itself, by those before it, or by who writes it."""
        dialect = recognise(info, station) or self._dialects.get(station) or self.presumed
        if dialect is None:
            return Dialect.CALLS
        if info.dialogs:
            self._dialects.pop(station, None)  # the last one told is the last one listed
            self._dialects[station] = dialect
        return dialect

    def _doubts(self, station: str, before: Collection[str], at: datetime) -> Iterable[Fact]:
        """Doubt who is on the phone where one state stands for two calls."""
        for view in self._told.get(station, {}).values():
            for other in sorted(before) if view.leg not in before else ():
                why = "one state of the extension for both"
                yield Unpaired(view.leg, at, self.source, other, why, doubtful=True)

    def nothing(self, station: str, at: datetime) -> list[Fact]:
        """Take the whole state of a station that has none: a notification without a document."""
        return self._unlisted(station, (), at)

    def absent(self, believed: Collection[str], at: datetime) -> list[Fact]:
        """End, uncertainly, the legs believed alive that no station knows."""
        gone = sorted(set(believed) - self._legs.keys() - self._over.keys())
        return [HungUp(leg, at, self.source, "gone while unheard", certain=False) for leg in gone]

    def _unlisted(self, station: str, listed: Collection[Key], at: datetime) -> list[Fact]:
        """End what the whole state of a station does not list."""
        self._stale.discard(station)
        self._unsure.discard(station)
        facts: list[Fact] = []
        for name, view in list(self._told.get(station, {}).items()):
            if name not in listed:
                facts += self._lost(view, at)
        return facts

    def _lost(self, view: _View, at: datetime) -> list[Fact]:
        leg = self._forget(view)
        if leg is None or leg.views:
            return []
        del self._legs[view.leg]
        self._gone[view.leg] = None
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)
        return [HungUp(view.leg, at, self.source, "gone while unheard", certain=False)]

    def _forget(self, view: _View) -> _Leg | None:
        self._told.get(view.station, {}).pop(view.dialog.key, None)
        leg = self._legs.get(view.leg)
        if leg is not None:
            leg.views.pop((view.station, view.dialog.key), None)
        return leg

    def _dialog(self, station: str, dialog: Dialog, at: datetime) -> list[Fact]:
        known = self._told.get(station, {}).get(dialog.key)
        facts: list[Fact] = []
        if known is not None and another(known.dialog, dialog):
            facts += self._lost(known, at)
            known = None
        if dialog.state is DialogState.TERMINATED:
            return facts + self._terminated(station, dialog, known, at)
        name = known.leg if known else self._name(station, dialog)
        if not name:  # its id may come again later, for another call
            nth = next(self._numbers)  # two may begin at one time
            name = f"{self.source}:{station}:{dialog.id}:{at.timestamp():.3f}:{nth}"
        if name in self._over:
            return facts  # told late: it is over
        return facts + self._living(_View(name, station, dialog), at)

    def _name(self, station: str, dialog: Dialog) -> str:
        """Name the leg as capture does, or by what is its own for ever; empty when nothing is."""
        if self._dialects.get(station) is Dialect.EVENTS:
            return f"{self.source}:{station}:{dialog.id}"
        return f"sip:{dialog.call_id}" if dialog.call_id else ""

    def _living(self, view: _View, at: datetime) -> list[Fact]:
        new = view.leg not in self._legs
        leg = self._legs.setdefault(view.leg, _Leg())
        if new and view.station not in self._stale:
            leg.held = False
        leg.views[view.station, view.dialog.key] = view
        if leg.answered and view.station not in leg.stations:
            leg.late.add(view.station)
        leg.stations[view.station] = None
        leg.others[_other(view.dialog)] = None
        self._told.setdefault(view.station, {})[view.dialog.key] = view
        facts: list[Fact] = [*self._names(leg, view, at), *self._rings(leg, view, at)]
        if view.leg in self._gone:
            del self._gone[view.leg]
            facts.append(Seen(view.leg, at, self.source))
        facts += self._replaces(leg, view, at)
        if view.confirmed and (not leg.answered or view.station in leg.late):
            leg.answered = True
            leg.late.discard(view.station)
            facts.append(Answered(view.leg, at, self.source, _answering(leg, view)))
        held = any(each.dialog.held for each in leg.views.values())
        if leg.answered and held != leg.held:
            leg.held = held
            facts.append((Held if held else Resumed)(view.leg, at, self.source))
        return facts or ([] if leg.unproven else [Seen(view.leg, at, self.source)])

    def _names(self, leg: _Leg, view: _View, at: datetime) -> Iterable[Fact]:
        """Give its names; the id is the station's own count and ties nothing."""
        found = [(AliasType.SIP_CALL_ID, view.dialog.call_id, True)] if view.dialog.call_id else []
        for kind, value, binds in (*found, (AliasType.DIALOG_ID, view.dialog.id, False)):
            alias = Alias(kind, value)
            if alias not in leg.named:
                leg.named.add(alias)
                yield Aliased(view.leg, at, self.source, alias, "dialog-info", binds=binds)

    def _rings(self, leg: _Leg, view: _View, at: datetime) -> Iterable[Fact]:
        """Say who calls whom, as seen from this end."""
        dialog, station = view.dialog, view.station
        other = uri_user(dialog.remote.uri)
        inside = other in self._stations
        caller: Number | None = None
        if dialog.initiator:
            called = called_as(other, dialog.remote.uri)
            way = Direction.INTERNAL if inside else Direction.OUTGOING
        else:
            called = called_as(uri_user(dialog.local.uri), dialog.local.uri) or station
            caller = None if inside else _number(dialog)
            way = Direction.INTERNAL if inside else Direction.INCOMING
        if dialog.initiator is None or not other:
            way = Direction.UNKNOWN
        told = (station, called, caller)
        if told not in leg.rang:
            leg.rang.add(told)
            lasted = timedelta(seconds=min(dialog.duration or 0, _LONGEST_CALL))
            ring = at if leg.answered else at - lasted
            yield Rang(view.leg, ring, self.source, caller, called or None, station, way)

    def _replaces(self, leg: _Leg, view: _View, at: datetime) -> Iterable[Fact]:
        """Tie a transferred call: to the consultation for certain, to the caller's first leg by deduction."""
        replaced = view.dialog.replaces
        if replaced is None or (old := f"sip:{replaced.call_id}") in leg.paired or old == view.leg:
            return
        leg.paired.add(old)
        yield Paired(view.leg, at, self.source, old, "replaces it: transfer", inferred=False)
        first = self._first(view, old, at)
        if first is not None and first not in leg.paired:
            leg.paired.add(first)
            why = "transferred: same person, same station as the replaced leg"
            yield Paired(view.leg, at, self.source, first, why, inferred=True)

    def _first(self, view: _View, old: str, at: datetime) -> str | None:
        """Find the leg the transferred person was on before: at a station of the replaced one."""
        person = _other(view.dialog)
        consultation = self._legs.get(old) or self._over.get(old)
        if consultation is None or not person:
            return None
        stations = set(consultation.stations) | {uri_user(view.dialog.referred_by)}
        stations |= consultation.others.keys() & self._stations
        found = [
            name
            for name, each in (*self._legs.items(), *self._over.items())
            if name not in {old, view.leg}
            and person in each.others
            and stations & each.stations.keys()
            and (each.ended is None or at - each.ended <= _TRANSFER)
        ]
        return found[0] if len(found) == 1 else None

    def _terminated(
        self, station: str, dialog: Dialog, known: _View | None, at: datetime
    ) -> list[Fact]:
        if known is None:
            return self._ended_unheard(self._name(station, dialog), dialog, at)
        leg = self._forget(known)
        # One branch of several may fail alone; the end of who called, or of who answered, is the end.
        if leg is None or (leg.views and not _decides(known, leg)):
            return []
        for view in list(leg.views.values()):
            self._forget(view)
        self._legs.pop(known.leg, None)
        return [self._ended(known.leg, leg, dialog, at)]

    def _ended_unheard(self, name: str, dialog: Dialog, at: datetime) -> list[Fact]:
        """End a leg of before our own restart; of one never heard of, there is nothing to end."""
        if not name or name in self._over or name in self._legs:
            return []
        return [self._ended(name, _Leg(), dialog, at)]

    def _ended(self, name: str, leg: _Leg, dialog: Dialog, at: datetime) -> HungUp:
        """End a leg for good, unless only a password was missing."""
        certain = dialog.code not in _AUTHENTICATE
        if certain:
            leg.ended = at
            self._over[name] = leg
            if len(self._over) > _REMEMBERED:
                self._over.popitem(last=False)
        cause = _cause(dialog, answered=leg.answered)
        return HungUp(name, at, self.source, cause, certain=certain)


def _answering(leg: _Leg, view: _View) -> str | None:
    """Tell which of several stations that rang is the one that answered."""
    called = {each.station for each in leg.views.values() if each.dialog.initiator is False}
    return view.station if len(called) > 1 and view.station in called else None


def _decides(view: _View, leg: _Leg) -> bool:
    """Whether the end of this dialog is that of the leg: its station has no other branch of it."""
    if any(station == view.station for station, _ in leg.views):
        return False
    return view.confirmed or view.dialog.initiator is True


def _number(dialog: Dialog) -> Number | None:
    return parse_number(dialog.remote.identity) or parse_number(dialog.remote.target)


def _other(dialog: Dialog) -> str:
    """Who is at the other end, in one spelling."""
    number = _number(dialog)
    return number.e164 if number else uri_user(dialog.remote.uri)


def _cause(dialog: Dialog, *, answered: bool) -> str:
    """Say why it ended, in the words of the other feeds; a bare end after an answer is a hang-up."""
    if dialog.event in {"cancelled", "rejected"} and not answered:
        return f"{dialog.event} {dialog.code}" if dialog.code else dialog.event
    return _BYE.get(dialog.event, "bye" if answered else "ended")
