"""Sends what is queued: rows first, sent after, retried with back-off, recorded (I3).

Receipts are folded in whatever their order.
"""

import asyncio
import json
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from server.domain.audit import AuditEvent
from server.domain.messages import Delivery, Message, accepted, failed, postponed, receipt
from server.errors import (
    AppError,
    CarrierRefused,
    CarrierUnavailable,
    Conflict,
    NotFound,
    Unavailable,
)
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
from server.services.lane import Lane
from server.services.sessions import Sessions, call_of

CHANNELS: Final = ("sms", "email")
RECEIPTS: Final = {
    1: Delivery.DELIVERED,
    2: Delivery.FAILED,
    4: Delivery.BUFFERED,
    16: Delivery.FAILED,
}
HANDED_TO_SMSC: Final = 8
_log = structlog.get_logger("delivery")


class DeliveryService:
    """The one place that talks to carriers, a lane a channel."""

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
        """Start nothing more; `run` returns when what is on its way has landed."""
        for lane in self._lanes:
            lane.close()

    async def run(self) -> None:
        """Deliver until closed."""
        await asyncio.gather(*(lane.run() for lane in self._lanes))

    async def _deliver(self, message: Message) -> None:
        """Send one message and record what came of it; our own mistake is a try that failed, not the end of all."""
        try:
            await self._attempt(message)
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
        await self._publish(before.site, session)

    async def _publish(self, site: str, session: str | None) -> None:
        """Tell the desks; what cannot be read now they load with their next view."""
        if session:
            with suppress(AppError):
                self._sessions.publish(await self._sessions.get(site, session))

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
        await self._publish(before.site, session)
