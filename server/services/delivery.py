"""Sends what is queued: rows first, sent after, retried with back-off, recorded (I3).

Receipts are folded in whatever their order.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from server.domain.audit import AuditEvent
from server.domain.messages import Delivery, Message, accepted, failed, postponed, receipt
from server.errors import CarrierRefused, CarrierUnavailable, Conflict, NotFound, Unavailable
from server.ports import (
    Actor,
    Clock,
    Mailer,
    OutgoingMail,
    OutgoingSms,
    Sms,
    Transactions,
    UnitOfWork,
)
from server.services.sessions import Sessions, call_of

BATCH: Final = 16
IDLE: Final = timedelta(seconds=5)
RECEIPTS: Final = {
    1: Delivery.DELIVERED,
    2: Delivery.FAILED,
    4: Delivery.BUFFERED,
    16: Delivery.FAILED,
}
HANDED_TO_SMSC: Final = 8
_log = structlog.get_logger("delivery")


class DeliveryService:
    """The one loop that talks to carriers."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        seal_open: Callable[[bytes], str],
        sms: Sms,
        mailer: Mailer,
        sessions: Sessions,
        receipt_url: Callable[[str], str],
        count: Callable[[str, str], None],
    ) -> None:
        """Keep what the loop needs; `count(channel, outcome)` feeds the metrics."""
        self._transactions = transactions
        self._clock = clock
        self._open = seal_open
        self._sms = sms
        self._mailer = mailer
        self._sessions = sessions
        self._receipt_url = receipt_url
        self._count = count
        self._awake = asyncio.Event()
        self.ready = False

    def wake(self) -> None:
        """Something was queued: look now."""
        self._awake.set()

    async def run(self) -> None:
        """Deliver until cancelled; a database that is away is waited for, never skipped."""
        while True:
            self._awake.clear()
            try:
                async with self._transactions(write=False) as uow:
                    due = await uow.messages.due(self._clock.now(), BATCH)
                    next_due = await uow.messages.next_due()
                self.ready = True
            except Unavailable:
                self.ready = False
                _log.warning("delivery.storage_unavailable")
                due, next_due = [], None
            if due:
                await asyncio.gather(*(self._deliver(message) for message in due))
            else:
                await self._rest(next_due)

    async def _rest(self, next_due: datetime | None) -> None:
        wait = IDLE if next_due is None else min(IDLE, next_due - self._clock.now())
        try:
            async with asyncio.timeout(max(wait.total_seconds(), 0.05)):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _deliver(self, message: Message) -> None:
        now = self._clock.now()
        if message.sealed is None or now >= message.expires:
            await self._record(message, lambda m: failed(m, "expired", now), "expired")
            return
        try:
            reference = await self._send(message, json.loads(self._open(message.sealed)))
        except CarrierRefused:
            await self._record(message, lambda m: failed(m, "carrier_refused", now), "refused")
        except CarrierUnavailable as fault:
            error = fault.detail or "carrier_unavailable"
            await self._record(message, lambda m: postponed(m, error, self._clock.now()), "retried")
        else:
            await self._record(
                message, lambda m: accepted(m, reference, self._clock.now()), "handed"
            )

    async def _send(self, message: Message, body: dict[str, str | None]) -> str | None:
        to, text = body["to"] or "", body["text"] or ""
        if message.channel == "sms":
            sms = OutgoingSms(
                to, text, body.get("sender") or "", self._receipt_url(message.receipt_ref)
            )
            return await self._sms.send(sms)
        await self._mailer.send(
            OutgoingMail(
                to, body.get("subject") or "", text, body.get("html"), body.get("reply_to")
            )
        )
        return None

    async def _record(
        self, message: Message, change: Callable[[Message], Message], outcome: str
    ) -> None:
        """Write the outcome; while the database is away, hold on to it rather than send twice."""
        self._count(message.channel, outcome)
        while True:
            try:
                await self._fold(message.id, change)
            except (Unavailable, Conflict):
                await asyncio.sleep(0.5)
            else:
                return

    async def _fold(self, id_: str, change: Callable[[Message], Message]) -> None:
        async with self._transactions() as uow:
            before = await uow.messages.get(id_)
            after = change(before)
            if after == before:
                return
            session = await self._save(uow, before, after, Actor("server", before.site))
            await uow.commit()
        if session:
            self._sessions.publish(await self._sessions.get(before.site, session))

    async def _save(
        self, uow: UnitOfWork, before: Message, after: Message, actor: Actor
    ) -> str | None:
        await uow.messages.save(after)
        session = None
        if after.invitation:
            session = (await uow.invitations.get(after.invitation)).session
        if after.state is not before.state or after.error != before.error:
            data = {"channel": after.channel, "attempts": after.attempts, "error": after.error}
            action = (
                f"message.{after.state.value}"
                if after.state is not before.state
                else "message.retried"
            )
            call = await call_of(uow, session) if session else None
            event = AuditEvent(action, f"message:{after.id}", session, call, data)
            await uow.audit.append(actor, event, self._clock.now())
        return session

    async def receipt(self, ref: str, status: int, address: str | None) -> None:
        """Fold a carrier's receipt in; an unknown reference is refused, a repeated one changes nothing."""
        async with self._transactions() as uow:
            before = await uow.messages.by_receipt(ref)
            if before is None:
                raise NotFound("receipt")
            if status not in RECEIPTS:
                return
            after = receipt(before, RECEIPTS[status], self._clock.now())
            if after == before:
                return
            session = await self._save(
                uow, before, after, Actor("gateway", before.site, None, address)
            )
            await uow.commit()
        if session:
            self._sessions.publish(await self._sessions.get(before.site, session))
