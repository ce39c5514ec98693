"""I2 afterwards: which call a video without one belonged to, from what became known later.

A link made here has nobody to correct it on the spot: it is made by itself only when it cannot be another call's,
and every doubt, however small, makes it an offer for a person. More candidates or less certainty never make it surer.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from server.line15.domain.call_links import Certainty, Evidence
from server.line15.domain.calls import CDR, CallHistory

#: Whoever else was at the station, or had the number, so near to the invitation may be the one that was meant.
MARGIN: Final = timedelta(seconds=30)
#: A call at the station is offered when it was there so near to the invitation.
NEAR: Final = timedelta(minutes=10)
#: A call of the number is offered when it lived so near to it: people call again, and are called back.
AROUND: Final = timedelta(hours=1)
OFFERED: Final = 5
#: Calls read for one video; so many mean that there may be more, and then none is sure.
READ: Final = 100
#: A person said that there is no call: nothing but a person changes that.
SETTLED: Final = frozenset({Evidence.DECLINED, Evidence.REVIEWED_NONE})
#: How legs that the switchboard itself ties became one call; other words are circumstances.
_TOLD: Final = ("same ", "in the same bridge", "dialled by it", "picked up", "halves of a Local")


class Clue(StrEnum):
    """One thing that speaks for a candidate, or against it; the audit keeps these words."""

    SAME_NUMBER = "same_number"
    TALKING_HERE = "talking_here"
    AT_STATION = "at_station"
    NEAR_STATION = "near_station"
    ONLY_ONE = "only_one"
    OTHER_NUMBER = "other_number"
    NUMBER_UNKNOWN = "number_unknown"
    ELSEWHERE = "elsewhere"
    NOT_THEN = "not_then"
    CALL_UNCERTAIN = "call_uncertain"
    TIMES_UNCERTAIN = "times_uncertain"
    NOT_ALONE = "not_alone"


CLUES: Final = {
    Clue.SAME_NUMBER: "même numéro que l’invitation",
    Clue.TALKING_HERE: "en conversation à ce poste au moment de l’invitation",
    Clue.AT_STATION: "présent à ce poste au moment de l’invitation",
    Clue.NEAR_STATION: "à ce poste dans les dix minutes",
    Clue.ONLY_ONE: "aucun autre appel possible",
    Clue.OTHER_NUMBER: "autre numéro que l’invitation",
    Clue.NUMBER_UNKNOWN: "numéro à comparer non connu",
    Clue.ELSEWHERE: "en ligne à ce moment, pas à ce poste",
    Clue.NOT_THEN: "pas en ligne au moment de l’invitation",
    Clue.CALL_UNCERTAIN: "appel non confirmé par la téléphonie",
    Clue.TIMES_UNCERTAIN: "heures déduites",
    Clue.NOT_ALONE: "un autre appel est possible",
}
#: Those that speak against a call.
AGAINST: Final = frozenset(
    {
        Clue.OTHER_NUMBER,
        Clue.NUMBER_UNKNOWN,
        Clue.ELSEWHERE,
        Clue.NOT_THEN,
        Clue.CALL_UNCERTAIN,
        Clue.TIMES_UNCERTAIN,
        Clue.NOT_ALONE,
    }
)


@dataclass(frozen=True, slots=True)
class Interval:
    """From when to when something was so; `end` None: still."""

    start: datetime
    end: datetime | None = None

    def touches(self, start: datetime, end: datetime) -> bool:
        """Whether it shares a moment with [start, end]."""
        return self.start <= end and (self.end is None or self.end >= start)


@dataclass(frozen=True, slots=True)
class UnlinkedVideo:
    """A video and what is known of its call; `link` is the evidence in force, `call` the call it has."""

    at: datetime
    station: str | None
    mobiles: frozenset[str] = frozenset()
    link: Evidence = Evidence.NO_CALL
    call: str | None = None

    @property
    def open(self) -> bool:
        """Whether it may be matched without a person: it has no call and nobody said there is none."""
        return self.call is None and self.link not in SETTLED


@dataclass(frozen=True, slots=True)
class CallCandidate:
    """What is known of one call; `talks` are stretches of conversation at a station that its CDR vouches for.

    `stations` are stretches in which a station had it: where it only rang, it cannot have been meant.
    """

    call: str
    number: str | None
    started: datetime
    answered: datetime | None
    ended: datetime | None
    certain: bool
    end_certain: bool
    told: bool = True
    stations: Sequence[tuple[str, Interval]] = ()
    holds: Sequence[Interval] = ()
    talks: Sequence[tuple[str, Interval]] = ()

    @property
    def life(self) -> Interval:
        """From its first ring to its end."""
        return Interval(self.started, self.ended)


@dataclass(frozen=True, slots=True)
class RankedCall:
    """A call with what speaks for it and against it."""

    call: str
    clues: tuple[Clue, ...]


@dataclass(frozen=True, slots=True)
class SureMatch:
    """It cannot be another."""

    call: str
    certainty: Certainty
    clues: tuple[Clue, ...]


@dataclass(frozen=True, slots=True)
class DoubtfulMatch:
    """A person must look; the likeliest first."""

    offers: tuple[RankedCall, ...] = field(default_factory=tuple)


def candidate(record: CallHistory) -> CallCandidate:
    """Read a stored call."""
    call = record.call

    def spans(kind: str) -> list[tuple[str, Interval]]:
        told = (s for s in record.spans if s.kind == kind and s.taken)
        return [(s.value, Interval(s.start, s.end)) for s in told]

    return CallCandidate(
        call=call.id,
        number=call.number,
        started=call.started,
        answered=call.answered,
        ended=call.ended,
        certain=call.certain,
        end_certain=call.ended is None or call.end_certain,
        told=all(word.startswith(_TOLD) for word in call.evidence),
        stations=spans("station"),
        holds=[stretch for _, stretch in spans("hold")],
        talks=spans(CDR),
    )


def decide(
    loose: UnlinkedVideo, candidates: Iterable[CallCandidate], *, complete: bool = True
) -> SureMatch | DoubtfulMatch | None:
    """Return the call when it cannot be another, else those that may be it, else nothing.

    `complete` False: there are more calls than were read, so that none is the only one.
    """
    found = sorted(candidates, key=lambda each: (each.started, each.call))
    found = [each for each in found if _possible(loose, each)]
    fitting = [each for each in found if _fits(loose, each)]
    if loose.open and complete and len(fitting) == 1:
        (one,) = fitting
        if not any(_rivals(loose, each) for each in found if each is not one):
            certainty = Certainty.CERTAIN if one.told else Certainty.INFERRED
            return SureMatch(
                one.call, certainty, (Clue.SAME_NUMBER, Clue.TALKING_HERE, Clue.ONLY_ONE)
            )
    if not found:
        return None
    alone = complete and len(found) == 1
    offers = [RankedCall(each.call, _clues(loose, each, alone=alone)) for each in found]
    ranked = sorted(offers, key=lambda offer: _weight(offer.clues), reverse=True)
    return DoubtfulMatch(tuple(ranked[:OFFERED]))


def _same_number(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    return one.number is not None and one.number in loose.mobiles


def _at_station(loose: UnlinkedVideo, one: CallCandidate, within: timedelta) -> bool:
    there = (*one.stations, *one.talks)
    start, end = loose.at - within, loose.at + within
    return any(name == loose.station and span.touches(start, end) for name, span in there)


def _possible(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    """Whether a person should see it at all."""
    if _same_number(loose, one):
        return one.life.touches(loose.at - AROUND, loose.at + AROUND)
    return _at_station(loose, one, NEAR)


def _rivals(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    """Whether it may have been the one that was meant instead."""
    if _at_station(loose, one, MARGIN):
        return True
    near = one.life.touches(loose.at - MARGIN, loose.at + MARGIN)
    return near and _same_number(loose, one)


def _fits(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    """Whether this number was, for certain, in conversation at this station at the moment of the invitation."""
    return len(loose.mobiles) == 1 and _same_number(loose, one) and _talked(loose, one)


def _talked(loose: UnlinkedVideo, one: CallCandidate) -> bool:
    at = loose.at
    if any(name == loose.station and _covers(span, at) for name, span in one.talks):
        return all(name == loose.station for name, span in one.talks if _covers(span, at))
    if not (one.certain and one.end_certain):
        return False
    if one.answered is None or not _covers(Interval(one.answered, one.ended), at):
        return False
    here = {name for name, span in one.stations if _covers(span, at)}
    return here == {loose.station} and not any(_covers(hold, at) for hold in one.holds)


def _covers(span: Interval, at: datetime) -> bool:
    return span.start <= at and (span.end is None or at < span.end)


def _clues(loose: UnlinkedVideo, one: CallCandidate, *, alone: bool) -> tuple[Clue, ...]:
    clues = [_number_clue(loose, one), _place_clue(loose, one)]
    if not one.certain:
        clues.append(Clue.CALL_UNCERTAIN)
    if not one.end_certain:
        clues.append(Clue.TIMES_UNCERTAIN)
    if not alone:
        clues.append(Clue.NOT_ALONE)
    return tuple(clues)


def _number_clue(loose: UnlinkedVideo, one: CallCandidate) -> Clue:
    if _same_number(loose, one):
        return Clue.SAME_NUMBER
    return Clue.OTHER_NUMBER if one.number and loose.mobiles else Clue.NUMBER_UNKNOWN


def _place_clue(loose: UnlinkedVideo, one: CallCandidate) -> Clue:
    if _talked(loose, one):
        return Clue.TALKING_HERE
    if _at_station(loose, one, timedelta()):
        return Clue.AT_STATION
    if _covers(one.life, loose.at):
        return Clue.ELSEWHERE
    return Clue.NEAR_STATION if _at_station(loose, one, NEAR) else Clue.NOT_THEN


_WEIGHTS: Final = {
    Clue.SAME_NUMBER: 8,
    Clue.TALKING_HERE: 7,
    Clue.AT_STATION: 5,
    Clue.ELSEWHERE: 3,
    Clue.NEAR_STATION: 2,
    Clue.OTHER_NUMBER: -2,
}


def _weight(clues: Iterable[Clue]) -> int:
    return sum(_WEIGHTS.get(clue, 0) for clue in clues)
