"""Sends what is queued: rows first, sent after, retried with back-off, recorded (I3).

Each request is marked in its row before it leaves. A mark that a dead process left waits for its receipt, 20 s at
most, and is then sent again (docs/adr/0019). Receipts are folded in whatever their order.
"""

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Conflict, NotFound, StorageUnavailable, Unavailable
from server.core.journal import messages as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.journal.messages import MessageChange
from server.core.sites import SiteStore
from server.delivery.domain.carrier_order import Carrier, overdue, settled
from server.delivery.domain.messages import (
    SENT_AGAIN,
    Message,
    MessageState,
    accepted,
    asking,
    failed,
    interrupted,
    left_by_another,
    maybe_twice,
    postponed,
    reference,
)
from server.delivery.domain.outgoing import Mailer, OutgoingMail, Receipt
from server.delivery.errors import CarrierRefused, CarrierUnavailable
from server.delivery.service.failover import Carriers
from server.delivery.service.lane import Lane
from server.delivery.store import MessageStore
from server.storage.transactions import Transactions

CHANNELS: Final = ("sms", "email")
RELAY: Final = "smtp"  # who is asked to take an e-mail
AWAY_SECONDS: Final = 0.5  # between two looks at a database that is away
_log = structlog.get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about: for the audit a session and the call it is linked to, and what the desks are told."""

    session: str | None = None
    call: str | None = None
    change: SiteChanged | None = None


#: Is told what became of a message, in the unit of work that stores it; says what the message is about.
OnSettled = Callable[[UnitOfWork, Message], Awaitable[Subject]]
#: Tells whether a message has done its work already, or may do none any more: no second carrier is asked for it.
Needless = Callable[[UnitOfWork, Message], Awaitable[bool]]


class DeliveryService:
    """The one place that talks to carriers, a lane a channel."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        seal_open: Callable[[bytes], str],
        carriers: Carriers,
        mailer: Mailer,
        bus: Bus,
        on_settled: OnSettled,
        needless: Needless,
        count: Callable[[str, str], None],
    ) -> None:
        """Keep what the loop needs.

        `on_settled` and `needless` come from who queues messages; `count(channel, outcome)` feeds the metrics.
        """
        self._transactions = transactions
        self._clock = clock
        self._begun = clock.now()
        self._open = seal_open
        self._carriers = carriers
        self._mailer = mailer
        self._bus = bus
        self._on_settled = on_settled
        self._needless = needless
        self._count = count
        self._lanes = tuple(Lane(c, transactions, clock, self._deliver) for c in CHANNELS)

    @property
    def ready(self) -> bool:
        """Whether every lane could read its queue."""
        return all(lane.ready for lane in self._lanes)

    def wake(self) -> None:
        """Something was queued: look now."""
        for lane in self._lanes:
            lane.wake()

    def close(self) -> None:
        """Start nothing more; each loop returns when what is on its way has landed."""
        for lane in self._lanes:
            lane.close()

    def loops(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return each lane's loop by its channel; each runs until closed."""
        return {lane.channel: lane.run for lane in self._lanes}

    async def _deliver(self, message: Message) -> None:
        """Send one message and record what came of it; our own mistake is a try that failed, not the end of all."""
        try:
            await self._attempt(message)
        except StorageUnavailable as away:
            # It went away between the queue and the message, of which nothing has left: it is still due.
            _log.warning(
                "delivery.storage_unavailable", channel=message.channel, detail=away.detail
            )
            await asyncio.sleep(AWAY_SECONDS)
        except Conflict:
            return  # a receipt or a hand was faster, and nothing has left: the lane looks again
        except Exception as ours:  # noqa: BLE001 - the message waits and is tried again, the others go on
            where = traceback.extract_tb(ours.__traceback__)[-1]
            _log.error(
                "delivery.failed",
                message=message.id,
                error=type(ours).__name__,  # without its text, which may name the recipient
                where=f"{where.name}:{where.lineno}",
            )
            await self._record(
                message, lambda m: postponed(m, "internal", self._clock.now()), "failed"
            )

    async def _attempt(self, message: Message) -> None:
        now = self._clock.now()
        if left_by_another(message, self._begun, now):
            await self._record(message, self._interrupted, "in_doubt")
            return
        if message.sealed is None or now >= message.expires:
            await self._give_up(message)
            return
        body = json.loads(self._open(message.sealed))
        if message.channel == "sms":
            await self._text(message, body)
        else:
            await self._mail(message, body)

    async def _give_up(self, message: Message) -> None:
        """It is too late for what waits; what a carrier has is told by its receipts."""
        if message.state is MessageState.QUEUED:
            await self._record(message, lambda m: failed(m, "expired"), "expired")
        else:
            await self._record(message, settled, None)

    def _interrupted(self, message: Message) -> Message:
        """A dead process was handing it over: nobody knows whether it left. A relay sends no receipts."""
        sms = message.channel == "sms"
        patience = self._carriers.patience(message.asked_of) if sms else timedelta(0)
        return interrupted(message, patience, self._clock.now())

    async def _text(self, message: Message, body: dict[str, str | None]) -> None:
        """Ask the next carrier; one that follows a silent one only if nobody opened the link meanwhile."""
        now, number = self._clock.now(), body["to"] or ""
        async with self._transactions() as uow:
            site = (await SiteStore(uow).get(message.site)).key
            done = await self._needless(uow, message)
            needless = done and message.state is not MessageState.QUEUED
            carrier = self._carriers.first(overdue(message, now), number)
            if carrier is not None and not needless:
                await self._mark(
                    uow, message, asking(message, carrier.name, now, once=carrier.once)
                )
        if needless:
            await self._record(message, settled, None)
        elif carrier is None:
            await self._record(message, lambda m: _nobody(m, now), "refused")
        else:
            await self._hand_over(carrier, message, body, site)

    async def _hand_over(
        self, carrier: Carrier, message: Message, body: dict[str, str | None], site: str
    ) -> None:
        now = self._clock.now()
        outcome, change = await self._carriers.hand_over(carrier, message, body, site)
        await self._record(message, lambda m: change(overdue(m, now), self._clock.now()), outcome)

    async def _mark(self, uow: UnitOfWork, before: Message, asked: Message) -> None:
        """Make it durable that the request is about to leave; Conflict if the message is another by now."""
        if maybe_twice(asked) and asked.history != before.history:
            await self._save(uow, before, asked, Actor("server", before.site))
        else:
            await MessageStore(uow).save(asked)
        await uow.commit()
        if asked.history != before.history:
            self._count(asked.channel, "sent_again")

    async def _mail(self, message: Message, body: dict[str, str | None]) -> None:
        mail = OutgoingMail(
            to=body["to"] or "",
            subject=body.get("subject") or "",
            text=body["text"] or "",
            html=body.get("html"),
            reply_to=body.get("reply_to"),
            reference=reference(message),
        )
        async with self._transactions() as uow:
            await self._mark(uow, message, asking(message, RELAY, self._clock.now()))
        try:
            await self._mailer.send(mail)
        except CarrierRefused:
            await self._record(message, lambda m: failed(m, "carrier_refused"), "refused")
        except CarrierUnavailable as fault:
            error = fault.detail or "carrier_unavailable"
            await self._record(message, lambda m: postponed(m, error, self._clock.now()), "retried")
        else:
            await self._record(message, lambda m: accepted(m, None, self._clock.now()), "handed")

    async def _record(
        self, message: Message, change: Callable[[Message], Message], outcome: str | None
    ) -> None:
        """Write the outcome; while the database is away, hold on to it rather than send twice."""
        if outcome:
            self._count(message.channel, outcome)
        while True:
            try:
                await self._fold(message, change)
            except (Unavailable, Conflict):
                await asyncio.sleep(AWAY_SECONDS)
            else:
                return

    async def _fold(self, seen: Message, change: Callable[[Message], Message]) -> None:
        async with self._transactions() as uow:
            before = await MessageStore(uow).get(seen.site, seen.id)
            after = change(before)
            if after == before:
                return
            told = await self._save(uow, before, after, Actor("server", before.site))
            await uow.commit()
        self._publish(told)

    def _publish(self, change: SiteChanged | None) -> None:
        """Tell the desks what was committed."""
        if change is not None:
            self._bus.publish(change)

    async def _save(
        self, uow: UnitOfWork, before: Message, after: Message, actor: Actor
    ) -> SiteChanged | None:
        """Store what became of a message; return what the desks are to be told."""
        await MessageStore(uow).save(after)
        subject = await self._on_settled(uow, after)
        if told := _told(before, after):
            entry = told(_change(before, after, subject))
            await Journal(uow).append(actor, entry, self._clock.now())
        return subject.change

    async def receipt(self, carrier: str, said: Receipt, address: str | None) -> None:
        """Fold a carrier's receipt in; an unknown reference is refused, a repeated one changes nothing."""
        async with self._transactions(write=False) as uow:
            await self._meant(uow, carrier, said)  # who guesses never waits for a writer's turn
        async with self._transactions() as uow:
            before = await self._meant(uow, carrier, said)
            body = json.loads(self._open(before.sealed)) if before.sealed else {}
            now = self._clock.now()
            dead = left_by_another(before, self._begun, now)
            known = self._interrupted(before) if dead else before
            after = self._carriers.fold(known, body.get("to"), carrier, said.state, now)
            if after == known:
                return
            told = await self._save(
                uow, before, after, Actor("gateway", before.site, None, address)
            )
            await uow.commit()
        if after.due is not None:
            self.wake()
        self._publish(told)

    async def _meant(self, uow: UnitOfWork, carrier: str, said: Receipt) -> Message:
        found = None
        if said.ref:
            found = await MessageStore(uow).by_receipt(said.ref)
        elif said.carrier_ref:
            found = await MessageStore(uow).by_carrier(carrier, said.carrier_ref)
        if found is None:
            raise NotFound("receipt")
        return found


def _nobody(message: Message, now: datetime) -> Message:
    """Nobody is left to ask: no carrier for this number, or all have it already."""
    if message.state is MessageState.QUEUED:
        return failed(message, "no_carrier")
    return settled(overdue(message, now))


_BECAME: Final[Mapping[MessageState, Callable[[MessageChange], Entry]]] = {
    MessageState.QUEUED: journal.message_queued,
    MessageState.HANDED: journal.message_handed,
    MessageState.BUFFERED: journal.message_buffered,
    MessageState.DELIVERED: journal.message_delivered,
    MessageState.FAILED: journal.message_failed,
}


def _told(before: Message, after: Message) -> Callable[[MessageChange], Entry] | None:
    """Return the audit's verb for a change; None for one that is only bookkeeping."""
    if after.state is not before.state:
        return _BECAME[after.state]
    if after.history != before.history and after.history[-1].outcome == SENT_AGAIN:
        return journal.message_sent_again
    if after.carrier != before.carrier and after.error is None:
        return journal.message_handed
    if after.error != before.error or after.carrier != before.carrier:
        return journal.message_retried
    return None


def _change(before: Message, after: Message, subject: Subject) -> MessageChange:
    """Return what the audit says of a change: for an SMS also which carrier, and every try since."""
    tries = after.history[len(before.history) :]
    return MessageChange(
        message=after.id,
        session=subject.session,
        call=subject.call,
        channel=after.channel,
        attempts=after.attempts,
        error=after.error,
        carrier=after.carrier,
        tries=[f"{t.carrier}:{t.outcome}" for t in tries] if after.channel == "sms" else None,
    )
