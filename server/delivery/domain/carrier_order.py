"""Which SMS carrier sends next, decided in pure code: order, prefixes, refusals, silence after acceptance (F11).

A carrier that accepted and whose receipt does not come in time is followed by the next one: the same link twice is
fine, no link is not. Nobody is asked twice in a round after it took the message or refused it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from server.delivery.domain.messages import (
    FIRST_RETRY,
    HANDED,
    LONGEST_RETRY,
    NO_ANSWER,
    PATIENCE,
    REFUSED,
    UNAVAILABLE,
    DeliveryEvent,
    Message,
    MessageState,
    accepted,
    doubt,
    failed,
    landed,
    receipt,
    this_round,
)

NO_RECEIPT: Final = "no_receipt"
_TOOK: Final = frozenset({HANDED, NO_RECEIPT, "failed", "delivered"})
_FAULTS: Final = frozenset({HANDED, REFUSED, UNAVAILABLE, NO_ANSWER})
_AWAY: Final = frozenset({UNAVAILABLE, NO_ANSWER})
_OPEN: Final = frozenset({MessageState.QUEUED, MessageState.HANDED, MessageState.BUFFERED})


@dataclass(frozen=True, slots=True)
class Carrier:
    """One carrier of the configured order.

    No `prefixes` means: every number; no `receipt_timeout`: its receipt is not waited for. `receipts`: it reports
    under our own reference, so also on what it took when we did not hear its answer. `once`: it takes the same
    reference a single time.
    """

    name: str
    prefixes: tuple[str, ...] = ()
    receipt_timeout: timedelta | None = None
    receipts: bool = False
    once: bool = False

    @property
    def patience(self) -> timedelta:
        """How long a receipt is waited for before what a crash interrupted is sent again."""
        return PATIENCE if self.receipts and not self.once else timedelta(0)

    def reaches(self, number: str) -> bool:
        """Tell whether it may be asked for this E.164 number."""
        return not self.prefixes or number.startswith(self.prefixes)


def next_carrier(plan: Sequence[Carrier], number: str, message: Message) -> Carrier | None:
    """Return who is asked now, None when nobody is left: the one with the fewest faults, then in order."""
    over = _over(message)
    left = [c for c in plan if c.reaches(number) and c.name not in over]
    return min(left, key=lambda c: _faults(message.history, c.name), default=None)


def took(
    message: Message,
    plan: Sequence[Carrier],
    number: str,
    name: str,
    ref: str | None,
    now: datetime,
) -> Message:
    """The carrier accepted; if its receipt does not come in time and another carrier is left, that one follows."""
    message = landed(message)
    if message.state is MessageState.QUEUED:
        after = accepted(message, ref, now)
    else:
        after = replace(message, attempts=message.attempts + 1, carrier_ref=ref, error=None)
    if _last_of(message, name) == "failed":
        return replace(after, due=message.due)  # its failure overtook its answer
    after = replace(after, carrier=name, due=None, history=_with(message, name, HANDED, now, ref))
    if after.state not in {MessageState.HANDED, MessageState.BUFFERED}:
        return after  # its receipt overtook its answer
    timeout = next((c.receipt_timeout for c in plan if c.name == name), None)
    due = now + timeout if timeout else None
    other = next_carrier(plan, number, after)
    return replace(after, due=due if other and due and due < after.expires else None)


def overdue(message: Message, now: datetime) -> Message:
    """Write down that the carrier that took it stays silent; called once, when the wait is over."""
    last = message.history[-1] if message.history else None
    if last is None or last.outcome != HANDED or message.state is MessageState.QUEUED:
        return message
    silent = DeliveryEvent(last.carrier, NO_RECEIPT, now, last.ref)
    return replace(message, history=(*message.history, silent), error=NO_RECEIPT)


def declined(
    message: Message,
    plan: Sequence[Carrier],
    number: str,
    name: str,
    error: str,
    now: datetime,
    *,
    final: bool,
) -> Message:
    """The carrier did not take it: the next one at once.

    When all were asked, again after 1, 2, 4 … 30 s until it expires. `final`: this carrier refuses it for good.
    """
    message = landed(message)
    if message.state not in _OPEN or (
        message.state is not MessageState.QUEUED and message.due is None
    ):
        return message
    away = NO_ANSWER if error == NO_ANSWER else UNAVAILABLE
    history = _with(message, name, REFUSED if final else away, now)
    after = replace(message, carrier=name, history=history)
    following = next_carrier(plan, number, after)
    if following is None:
        return _given_up(after, error)
    tries = sum(h.carrier == following.name and h.outcome in _AWAY for h in this_round(after))
    wait = min(FIRST_RETRY * 2 ** min(tries - 1, 10), LONGEST_RETRY) if tries else timedelta(0)
    if now + wait >= after.expires:
        return _given_up(after, "expired")
    return replace(after, attempts=after.attempts + 1, due=now + wait, error=error[:64])


def _given_up(message: Message, error: str) -> Message:
    """Nobody is left: what waits has failed; what another carrier has is told by its receipts."""
    if message.state is MessageState.QUEUED:
        return failed(message, error)
    return replace(message, attempts=message.attempts + 1, due=None)


def answered(
    message: Message,
    plan: Sequence[Carrier],
    number: str | None,
    name: str,
    state: MessageState | None,
    now: datetime,
) -> Message:
    """Fold a receipt in; a carrier's failure is followed by the next carrier, and an older carrier's changes nothing.

    `number` None: erased, so nobody can follow. `state` None: no news but one, that the carrier has what we did not
    know it had taken.
    """
    if state in {None, MessageState.BUFFERED} and _proves(message, name):
        message = took(message, plan, number or "", name, None, now)
    if state is None:
        return message
    if state is MessageState.BUFFERED:
        return replace(receipt(message, state, now), due=message.due)
    if state is MessageState.FAILED:
        return _undelivered(message, plan, number, name, now)
    after = receipt(message, state, now)
    if after is message:
        return after
    return replace(after, carrier=name, history=_with(message, name, state.value, now))


def _proves(message: Message, name: str) -> bool:
    """Tell whether any word from this carrier ends a doubt; while it is asked, its answer is on its way."""
    open_ = doubt(message)
    return (
        message.asked is None
        and message.due is not None
        and open_ is not None
        and open_.carrier == name
    )


def _undelivered(
    message: Message, plan: Sequence[Carrier], number: str | None, name: str, now: datetime
) -> Message:
    if message.state in {MessageState.DELIVERED, MessageState.FAILED}:
        return message
    if _last_of(message, name) == "failed":
        return message
    noted = replace(message, history=_with(message, name, "failed", now))
    if message.carrier not in {None, name}:
        return noted
    other = next_carrier(plan, number, noted) if number and noted.expires > now else None
    if other is None:
        return receipt(noted, MessageState.FAILED, now)
    return replace(
        noted,
        state=MessageState.HANDED,
        handed=noted.handed or now,
        due=now,
        error="carrier_failed",
        carrier=name,
    )


def settled(message: Message) -> Message:
    """The link was opened, or needs nobody any more: no other carrier follows."""
    if message.state is MessageState.QUEUED or message.due is None:
        return message
    return replace(message, due=None)


def _over(message: Message) -> frozenset[str]:
    """Return who is not asked again in this round."""
    return frozenset(h.carrier for h in this_round(message) if h.outcome in _TOOK | {REFUSED})


def _faults(history: Sequence[DeliveryEvent], name: str) -> int:
    mine = [h.outcome for h in history if h.carrier == name]
    return 0 if "delivered" in mine else sum(o in _FAULTS for o in mine)


def _last_of(message: Message, name: str) -> str | None:
    return next((h.outcome for h in reversed(this_round(message)) if h.carrier == name), None)


def _with(
    message: Message, name: str, outcome: str, now: datetime, ref: str | None = None
) -> tuple[DeliveryEvent, ...]:
    return (*message.history, DeliveryEvent(name, outcome, now, ref))
