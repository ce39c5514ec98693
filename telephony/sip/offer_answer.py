"""Whether a call is on hold, from the offers and answers of its two sides.

RFC 3264 (offer, answer, hold), 3261 13 and 14 (INVITE, re-INVITE), 3262 (PRACK), 3311 (UPDATE), 6337 (how they go
together). Each side says in its own description whether it hears the other: a side that does not holds the call.
Pure; bounded; told from all that was agreed in the order of its dates, so messages may come in any order.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from telephony.sip.sdp import RECEIVES, SENDS, Audio

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Exchanges remembered one by one; of older ones only what they led to.
_KEPT: Final = 16
PAST: Final = datetime(1, 1, 1, tzinfo=UTC)

#: A transaction of a dialog: the tag of who began it, since each side counts its own CSeq, CSeq and method. Not its
#: branch: that is another one at each hop where the same request is captured.
Transaction = tuple[str, int, str]
#: A description and when it was sent.
DatedDescription = tuple[datetime, Audio | None]
_BOTH_WAYS: Final = frozenset({None, ("sendrecv",)})
_SILENCE: Final = ("recvonly", "inactive")
#: Held or not, from a date on.
HoldChange = tuple[datetime, bool]


class _Agreed(NamedTuple):
    """An offer that was accepted, in the order in which these are told."""

    at: datetime
    transaction: Transaction
    offerer: str
    answerer: str
    offer: Audio
    answer: Audio | None
    #: Whether the answer had been given before: this one repeats it, and is old when more was agreed since.
    again: bool = False


@dataclass(slots=True)
class _Exchange:
    """One INVITE, UPDATE or PRACK: what it and its answers describe. The earliest copy of a message counts."""

    transaction: Transaction
    answerer: str
    begun: datetime
    request: DatedDescription | None = None
    #: The first provisional response with a description, the final one if it accepts, the ACK or PRACK.
    early: DatedDescription | None = None
    final: DatedDescription | None = None
    reply: DatedDescription | None = None
    refused: bool = False

    def agreed(self) -> Iterator[_Agreed]:
        """Give what was agreed here, which is nothing while the request or the acceptance is not known."""
        if self.request is None or (self.refused and self.final is None):
            return
        name, asker, answerer = self.transaction, self.transaction[0], self.answerer
        offer = self.request[1]
        early = self.early[1] if self.early else None
        if offer is not None:
            if self.early:
                yield _Agreed(self.early[0], name, asker, answerer, offer, early)
            # What a PRACK describes is an offer only if it is answered.
            if self.final and (self.final[1] or name[2] != "PRACK"):
                answer = self.final[1] or early
                yield _Agreed(self.final[0], name, asker, answerer, offer, answer, bool(early))
        elif self.reply:  # the offer stands in a response
            at, answer = self.reply
            late = self.final[1] if self.final and self.final[0] <= at else None
            if offered := late or early:
                yield _Agreed(at, name, answerer, asker, offered, answer)


@dataclass(slots=True)
class OfferAnswerDialog:
    """Two sides that talk: who answered when, what they agreed, when one of them left."""

    answered: datetime | None = None
    #: Whether the caller took it: its ACK was seen, or a request inside it after the answer.
    taken: bool = False
    #: The caller's own branch in the responses: those who answer one INVITE share it (a fork), hops do not.
    root: str = ""
    ended: datetime | None = None
    station: str | None = None
    #: Whether anything but sound both ways was ever described: else nobody holds, and nothing is to be worked out.
    one_way: bool = False
    #: Up to when exchanges are no longer remembered one by one, and who held then.
    settled: datetime = PAST
    _holders: frozenset[str] = frozenset()
    _exchanges: dict[Transaction, _Exchange] = field(default_factory=dict)

    @property
    def talks(self) -> bool:
        """Whether it was answered and goes on."""
        return self.answered is not None and self.ended is None

    def requested(
        self, name: Transaction, answerer: str, at: datetime, audio: Audio | None
    ) -> bool:
        """Note what a request describes. Like the next four, tells whether more may be agreed now."""
        exchange = self._exchange(name, answerer, at)
        exchange.request = self._earliest(exchange.request, (at, audio))
        return exchange.final is not None or exchange.reply is not None

    def proceeded(self, name: Transaction, answerer: str, at: datetime, audio: Audio) -> bool:
        """Note the description in a provisional response; the first is the answer (RFC 3261, 13.2.1)."""
        exchange = self._exchange(name, answerer, at)
        exchange.early = self._earliest(exchange.early, (at, audio))
        return exchange.request is not None

    def accepted(self, name: Transaction, answerer: str, at: datetime, audio: Audio | None) -> bool:
        """Note a final response that accepts."""
        exchange = self._exchange(name, answerer, at)
        exchange.final = self._earliest(exchange.final, (at, audio))
        return exchange.request is not None

    def replied(self, name: Transaction, answerer: str, at: datetime, audio: Audio) -> bool:
        """Note the description in an ACK or a PRACK: it answers an offer that stood in a response."""
        exchange = self._exchange(name, answerer, at)
        exchange.reply = self._earliest(exchange.reply, (at, audio))
        return exchange.request is not None

    def refused(self, name: Transaction, answerer: str, at: datetime) -> None:
        """Note a final response that refuses: nothing changes."""
        self._exchange(name, answerer, at).refused = True

    def knows(self, name: Transaction) -> bool:
        """Whether this transaction is one of this dialog's, its request seen."""
        exchange = self._exchanges.get(name)
        return exchange is not None and exchange.request is not None

    def waits(self, name: Transaction) -> bool:
        """Whether an answer to this request was noted before the request."""
        exchange = self._exchanges.get(name)
        return exchange is not None and exchange.request is None

    def _exchange(self, name: Transaction, answerer: str, at: datetime) -> _Exchange:
        found = self._exchanges.get(name)
        if found is None:
            if len(self._exchanges) >= _KEPT:
                self._settle()
            found = self._exchanges[name] = _Exchange(name, answerer, at)
        found.begun = min(found.begun, at)
        return found

    def _earliest(self, known: DatedDescription | None, new: DatedDescription) -> DatedDescription:
        self.one_way |= new[1] not in _BOTH_WAYS
        return new if known is None or new[0] < known[0] else known

    def _settle(self) -> None:
        """Keep of the oldest exchange only what it led to: hours of session refreshes take no memory (RFC 4028)."""
        oldest = min(self._exchanges.values(), key=lambda each: each.begun)
        over = max((each.at for each in oldest.agreed()), default=PAST)
        for at, holders in list(self._walk()):
            if at <= over:
                self._holders, self.settled = holders, at
        del self._exchanges[oldest.transaction]

    def _walk(self) -> Iterator[tuple[datetime, frozenset[str]]]:
        """Go through what was agreed and is not settled, and tell who held after each."""
        found = [each for exchange in self._exchanges.values() for each in exchange.agreed()]
        holders, last = self._holders, None
        for each in sorted(found, key=lambda each: (each.at, each.transaction, each.again)):
            if each.at > self.settled:
                if not each.again or last == each.transaction:
                    holders = _holders(holders, each)
                last = each.transaction
                yield each.at, holders

    def holds(self) -> list[HoldChange]:
        """Tell from when to when it was held; what was agreed before the answer counts from the answer on."""
        changes = [] if self.settled is PAST else [(self.settled, bool(self._holders))]
        changes += [(at, bool(holders)) for at, holders in self._walk()]
        if self.answered is None:
            return changes
        before = [held for at, held in changes if at <= self.answered]
        after = [change for change in changes if change[0] > self.answered]
        return [(self.answered, before[-1] if before else False), *after]


def _holders(holders: frozenset[str], agreed: _Agreed) -> frozenset[str]:
    """Tell who holds once this was agreed: who does not hear the other by its own words.

    Who answers is bound by the offer: where it is offered no sound, that it hears none says nothing, unless it sends
    none either. A line refused by either carries nothing.
    """
    offer, answer = agreed.offer, agreed.answer
    lines = [(mine, "") for mine in offer if mine]
    if answer is not None:
        both = [pair for pair in zip(offer, answer, strict=False) if all(pair)]
        if any(theirs in RECEIVES for _, theirs in both):
            holders -= {agreed.answerer}
        elif any(mine in SENDS or (mine, theirs) == _SILENCE for mine, theirs in both or lines):
            holders |= {agreed.answerer}
        lines = both or lines
    hears = any(mine in RECEIVES for mine, _ in lines)
    return holders - {agreed.offerer} if hears else holders | {agreed.offerer}


def held(families: Iterable[Iterable[OfferAnswerDialog]]) -> list[HoldChange]:
    """Tell when a call was held. A family is one caller's INVITE with all who answered it (a fork).

    Its dialogs hold it only together: one that is not held is a conversation. Several families are one call
    captured at hops that write other tags: each of them may tell of a hold.
    """
    told = [[(dialog.holds(), dialog.ended) for dialog in family] for family in families]
    moments = {at for family in told for changes, _ in family for at, _ in changes}
    moments |= {ended for family in told for _, ended in family if ended}
    return [(at, any(_held(family, at) for family in told)) for at in sorted(moments)]


def _held(family: list[tuple[list[HoldChange], datetime | None]], moment: datetime) -> bool:
    """Whether those of a family who talk at a moment all are held then."""
    states = [
        changes[bisect_right(changes, moment, key=lambda change: change[0]) - 1][1]
        for changes, ended in family
        if changes and changes[0][0] <= moment and (ended is None or moment < ended)
    ]
    return bool(states) and all(states)
