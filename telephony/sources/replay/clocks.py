"""Whether captures of the same calls agree on the time: two agents whose clocks differ tell one call as nonsense.

Pure. The same message seen twice, or a request and its response, were at the same time, whatever the clocks say.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from telephony.model.facts import Aliased, AliasType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from telephony.model.facts import Fact
    from telephony.sip.message import SipMessage

    #: When each message was seen first: by Call-ID, CSeq, and what it is.
    Stamps = Mapping["SipMessageKey", datetime]

#: More than a network, a queue or a retransmission takes between two agents.
APART: Final = timedelta(seconds=10)
#: A telephone rings for so long before it is answered, at most.
ANSWERED_WITHIN: Final = timedelta(minutes=10)
#: Two accounts of one call do not lie farther apart.
SILENT: Final = timedelta(hours=12)


class SipMessageKey(NamedTuple):
    """One message of one call; `status` is None for the request."""

    call: str
    number: int
    method: str
    status: int | None = None


class ClockGap(NamedTuple):
    """The clock of `source` is ahead of the other's."""

    source: str
    other: str
    ahead: timedelta


def key_of(message: SipMessage) -> SipMessageKey | None:
    """Name a message; None for one without CSeq."""
    cseq = message.cseq
    return SipMessageKey(message.call_id, *cseq, message.status) if cseq else None


def gaps(captures: Mapping[str, Stamps]) -> list[ClockGap]:
    """List the captures whose clock is not that of an earlier one that saw the same calls."""
    found: list[ClockGap] = []
    for place, (source, stamps) in enumerate(captures.items()):
        for other in list(captures)[:place]:
            ahead = _ahead(captures[other], stamps)
            if ahead is not None:
                found.append(ClockGap(source, other, ahead))
                break
    return found


def _ahead(one: Stamps, other: Stamps) -> timedelta | None:
    """Say by how much the other clock is ahead, where both saw the same calls and it is not the same."""
    both = [other[key] - at for key, at in one.items() if key in other]
    if both:
        ahead = _middle(both)
        return ahead if abs(ahead) > APART else None
    for asked, answered, sign in ((one, other, 1), (other, one, -1)):
        delays = [
            at - asked[request]
            for key, at in answered.items()
            if (request := key._replace(status=None)) in asked
        ]
        if delays and not -APART <= _middle(delays) <= ANSWERED_WITHIN:
            return sign * _middle(delays)
    return None


def _middle(spans: list[timedelta]) -> timedelta:
    return sorted(spans)[len(spans) // 2]


def without_far(
    accounts: Sequence[tuple[str, Sequence[Fact]]],
) -> tuple[list[ClockGap], list[Fact]]:
    """Leave out what an account tells of a call that an earlier one tells of another day; say which."""
    found: list[ClockGap] = []
    kept: list[Fact] = []
    known: dict[str, tuple[str, datetime, datetime]] = {}
    for source, facts in accounts:
        legs: dict[str, set[str]] = {}
        times: dict[str, list[datetime]] = {}
        for fact in facts:
            times.setdefault(fact.leg, []).append(fact.at)
            if isinstance(fact, Aliased) and fact.alias.type is AliasType.SIP_CALL_ID:
                legs.setdefault(fact.alias.value, set()).add(fact.leg)
        far: set[str] = set()
        for call, named in legs.items():
            seen = [at for leg in named for at in times[leg]]
            start, end = min(seen), max(seen)
            other, first, last = known.setdefault(call, (source, start, end))
            if max(start - last, first - end) > SILENT:
                found.append(ClockGap(source, other, start - first))
                far |= named
        kept += [fact for fact in facts if fact.leg not in far]
    return list({(gap.source, gap.other): gap for gap in found}.values()), kept
