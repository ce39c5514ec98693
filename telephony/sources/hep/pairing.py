"""A B2BUA seen from outside gives one Call-ID a leg; this says which two are one call.

The rule, and nothing beyond it: same host, INVITE out within 1 s after INVITE in, the calling
number carried over, answers within 300 ms of each other, and no second candidate on either side.
Every verdict is *inferred*, with its evidence, and withdrawn when later messages contradict it.
Pure: times come from the wire.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final

from telephony.model.facts import Paired, Unpaired

INVITE_WINDOW: Final = timedelta(seconds=1)
ANSWER_WINDOW: Final = timedelta(milliseconds=300)
#: How long an ended leg is remembered: late messages still find it.
_AFTERLIFE: Final = timedelta(seconds=60)
_LIFETIME: Final = timedelta(hours=12)
_MAX_LEGS: Final = 20_000
_MAX_EARLY: Final = 1000
#: Legs of one number within one second, past which the rule is not worth its cost.
_CROWD: Final = 16
#: The newest legs of one number that a leg is compared with: an older one is not within a second of it.
_NEWEST: Final = 4 * _CROWD
_TICK: Final = timedelta(microseconds=1)

PairingFact = Paired | Unpaired


@dataclass(slots=True)
class _Leg:
    """What the rule looks at, for one leg."""

    name: str
    last: datetime
    numbers: set[str] = field(default_factory=set)
    carried: set[str] = field(default_factory=set)
    arrived: dict[str, datetime] = field(default_factory=dict)
    departed: dict[str, datetime] = field(default_factory=dict)
    answered: datetime | None = None
    ended: datetime | None = None


class Pairing:
    """Keeps the legs of one feed that are young enough to be paired."""

    def __init__(self, source: str) -> None:
        """Start empty; `source` is written in the verdicts."""
        self._source = source
        self._legs: OrderedDict[str, _Leg] = OrderedDict()
        #: Legs by number, the oldest first.
        self._by_number: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._said: dict[tuple[str, str], str] = {}
        self._partners: defaultdict[str, set[str]] = defaultdict(set)
        self._last_verdict: dict[tuple[str, str], datetime] = {}
        self._crowded: set[str] = set()
        #: Answers and ends that came before their INVITE, and the last message.
        self._early: OrderedDict[str, tuple[datetime | None, datetime, datetime | None]] = (
            OrderedDict()
        )

    def invited(
        self,
        leg: str,
        at: datetime,
        hosts: tuple[str, str],
        calling: set[str],
        carried: set[str],
        asked: datetime | None = None,
    ) -> list[PairingFact]:
        """Note an initial INVITE from one host to another, at each place it was captured.

        `calling` are the numbers of the caller (From, P-Asserted-Identity, Remote-Party-ID),
        `carried` those and the ones in Diversion or History-Info. `asked` dates its attempt, in
        which a copy of what was refused is no new one.
        """
        self._prune(at)
        mine = self._legs.setdefault(leg, _Leg(leg, at))
        mine.last = max(mine.last, at)
        self._catch_up(mine)
        if mine.ended and mine.ended < (asked or at):
            mine.ended = None  # what ended was an attempt; it is tried again
        mine.numbers |= calling
        mine.carried |= carried
        mine.departed[hosts[0]] = min(mine.departed.get(hosts[0], at), at)
        mine.arrived[hosts[1]] = min(mine.arrived.get(hosts[1], at), at)
        for number in calling | carried:
            self._by_number[number][leg] = None
        newest = (islice(reversed(self._by_number[each]), _NEWEST) for each in mine.carried)
        near = {*chain.from_iterable(newest)} - {leg}
        for other in near:
            if self._fits(mine, self._legs[other]) or self._fits(self._legs[other], mine):
                self._acquaint(leg, other)
        return self._judge(leg, at)

    def _acquaint(self, leg: str, other: str) -> None:
        """Note two possible partners; in a crowd nobody is paired and nobody more is noted."""
        if max(len(self._partners[leg]), len(self._partners[other])) < _CROWD:
            self._partners[leg].add(other)
            self._partners[other].add(leg)
        else:
            self._crowded |= {leg, other}

    def answered(self, leg: str, at: datetime) -> list[PairingFact]:
        """Note the answer of a leg."""
        mine = self._legs.get(leg)
        if mine is None:
            return self._too_early(leg, at, answered=at)
        mine.answered = min(mine.answered or at, at)
        return self._changed(mine, at)

    def ended(self, leg: str, at: datetime) -> list[PairingFact]:
        """Note the end of a leg."""
        mine = self._legs.get(leg)
        if mine is None:
            return self._too_early(leg, at, ended=at)
        mine.ended = max(mine.ended or at, at)
        return self._changed(mine, at)

    def seen(self, leg: str, at: datetime) -> list[PairingFact]:
        """Note any other message: going on unanswered, when the other leg was answered, contradicts a pairing."""
        mine = self._legs.get(leg)
        if mine is None:
            return []
        mine.last = max(mine.last, at)
        if mine.answered or leg not in self._partners:
            return []
        waits = any(self._legs[other].answered for other in self._partners[leg])
        return self._judge(leg, at) if waits else []

    def _changed(self, mine: _Leg, at: datetime) -> list[PairingFact]:
        mine.last = max(mine.last, at)
        return self._judge(mine.name, at) if mine.name in self._partners else []

    def _too_early(
        self,
        leg: str,
        at: datetime,
        *,
        answered: datetime | None = None,
        ended: datetime | None = None,
    ) -> list[PairingFact]:
        """Keep what came before its INVITE; without one it is nothing."""
        known, last, over = self._early.pop(leg, (None, at, None))
        times = [each for each in (known, answered) if each]
        ends = [each for each in (over, ended) if each]
        self._early[leg] = (min(times, default=None), max(last, at), max(ends, default=None))
        if len(self._early) > _MAX_EARLY:
            self._early.popitem(last=False)
        return []

    def _catch_up(self, mine: _Leg) -> None:
        answered, last, ended = self._early.pop(mine.name, (None, mine.last, None))
        times = [each for each in (mine.answered, answered) if each]
        mine.answered = min(times, default=None)
        mine.last = max(mine.last, last)
        mine.ended = mine.ended or ended

    def _judge(self, leg: str, at: datetime) -> list[PairingFact]:
        """Say again what holds around a leg; only what differs from what was said."""
        around = {leg, *self._partners.get(leg, ())}
        around |= {other for near in tuple(around) for other in self._partners.get(near, ())}
        outs = {name: self._outs(name) for name in around}
        ins: defaultdict[str, set[str]] = defaultdict(set)
        for name, found in outs.items():
            for out in found:
                ins[out].add(name)
        verdicts: list[PairingFact] = []
        pairs = {(a, b) for a in around for b in self._partners.get(a, ()) if b in around}
        for first, out in sorted(pairs):
            held = out in outs[first]
            alone = held and len(outs[first]) == len(ins[out]) == 1
            alone = alone and not {first, out} & self._crowded
            both = self._legs[first].answered and self._legs[out].answered
            agreed = "confirmed" if both else "paired"
            apart = not held and self._apart(self._legs[first], self._legs[out])
            now = agreed if alone else "doubtful" if held else "apart" if apart else "no"
            if now != self._said.get((first, out), "no"):
                self._said[first, out] = now
                verdicts.append(self._verdict(first, out, now, at))
        return verdicts

    def _verdict(self, first: str, out: str, now: str, at: datetime) -> PairingFact:
        at = max(at, self._last_verdict.get((first, out), at - _TICK) + _TICK)
        self._last_verdict[first, out] = at
        if now in {"paired", "confirmed"}:
            why = self._evidence(self._legs[first], self._legs[out])
            return Paired(out, at, self._source, first, why)
        if now == "doubtful":
            return Unpaired(out, at, self._source, first, "two candidates", doubtful=True)
        apart = now == "apart"  # a queue may have answered first: one call, perhaps
        return Unpaired(out, at, self._source, first, "the answers do not agree", doubtful=apart)

    def _outs(self, name: str) -> set[str]:
        mine = self._legs[name]
        others = (self._legs[other] for other in self._partners.get(name, ()))
        return {each.name for each in others if self._fits(mine, each) and _agree(mine, each)}

    def _fits(self, first: _Leg, out: _Leg) -> bool:
        return bool(first.numbers & out.carried) and _delay(first, out) is not None

    def _apart(self, first: _Leg, out: _Leg) -> bool:
        """Whether two legs may be one call though their answers do not agree: nobody refused or gave up."""
        over = any(leg.ended and leg.answered is None for leg in (first, out))
        return not over and self._fits(first, out)

    def _evidence(self, first: _Leg, out: _Leg) -> str:
        delay = _delay(first, out)
        after = "" if delay is None else f" {delay[1] / timedelta(milliseconds=1):.0f} ms"
        host = "" if delay is None else f" {delay[0]}"
        answers = ", not answered"
        if first.answered and out.answered:
            gap = abs(first.answered - out.answered) / timedelta(milliseconds=1)
            answers = f", answers {gap:.0f} ms apart"
        return f"same host{host}, INVITE out{after} after INVITE in, same calling number{answers}"

    def _prune(self, at: datetime) -> None:
        """Forget what can no longer be paired: bounded memory whatever is sent."""
        while self._legs:
            oldest = next(iter(self._legs.values()))
            age = at - oldest.last
            stale = age > (_AFTERLIFE if oldest.ended else _LIFETIME)
            if not stale and len(self._legs) < _MAX_LEGS:
                return
            self._forget(oldest)

    def _forget(self, leg: _Leg) -> None:
        del self._legs[leg.name]
        self._crowded.discard(leg.name)
        for number in leg.numbers | leg.carried:
            self._by_number[number].pop(leg.name, None)
            if not self._by_number[number]:
                del self._by_number[number]
        for other in self._partners.pop(leg.name, ()):
            self._partners[other].discard(leg.name)
            for ends in ((leg.name, other), (other, leg.name)):
                self._said.pop(ends, None)
                self._last_verdict.pop(ends, None)


def _delay(first: _Leg, out: _Leg) -> tuple[str, timedelta] | None:
    """Find the host where one came in and the other went out, and how long between."""
    for host, came in first.arrived.items():
        went = out.departed.get(host)
        if went is not None and timedelta() <= went - came <= INVITE_WINDOW:
            return host, went - came
    return None


def _agree(first: _Leg, out: _Leg) -> bool:
    """Whether the answers are compatible with one call, as far as is known."""
    if first.answered and out.answered:
        return abs(first.answered - out.answered) <= ANSWER_WINDOW
    answered = first.answered or out.answered
    if answered is None:
        return True
    silent = out if first.answered else first
    return not silent.ended and silent.last <= answered + ANSWER_WINDOW
