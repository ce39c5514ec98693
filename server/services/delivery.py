"""Sends what is queued: rows first, sent after, retried with back-off, recorded (I3).

Receipts are folded in whatever their order.
"""

import asyncio
import json
import traceback
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from server.domain.audit import AuditEvent
from server.domain.carriers import overdue, settled
from server.domain.messages import Delivery, Message, accepted, failed, postponed
from server.domain.session import State
from server.errors import (
    AppError,
    CarrierRefused,
    CarrierUnavailable,
    Conflict,
    NotFound,
    StorageUnavailable,
    Unavailable,
)
from server.ports import (
    Actor,
    Clock,
    Mailer,
    OutgoingMail,
    Receipt,
    Transactions,
    UnitOfWork,
)
from server.services.carriers import Carriers
from server.services.lane import Lane
from server.services.sessions import Sessions, call_of

CHANNELS: Final = ("sms", "email")
AWAY_SECONDS: Final = 0.5  # between two looks at a database that is away
_log = structlog.get_logger("delivery")


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
        sessions: Sessions,
        count: Callable[[str, str], None],
    ) -> None:
        """Keep what the loop needs; `count(channel, outcome)` feeds the metrics."""
        self._transactions = transactions
        self._clock = clock
        self._open = seal_open
        self._carriers = carriers
        self._mailer = mailer
        self._sessions = sessions
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
            await self._give_up(message)
            return
        body = json.loads(self._open(message.sealed))
        if message.channel == "sms":
            await self._text(message, body)
        else:
            await self._mail(message, body)

    async def _give_up(self, message: Message) -> None:
        """It is too late for what waits; what a carrier has is told by its receipts."""
        if message.state is Delivery.QUEUED:
            now = self._clock.now()
            await self._record(message, lambda m: failed(m, "expired", now), "expired")
        else:
            await self._record(message, settled, None)

    async def _text(self, message: Message, body: dict[str, str | None]) -> None:
        """Ask the next carrier; one that follows a silent one only if nobody opened the link meanwhile."""
        now = self._clock.now()
        site, opened = await self._about(message)
        if message.state is not Delivery.QUEUED and opened:
            await self._record(message, settled, None)
            return
        carrier = self._carriers.first(overdue(message, now), body["to"] or "")
        if carrier is None:
            await self._record(message, lambda m: _nobody(m, now), "refused")
            return
        outcome, change = await self._carriers.hand_over(carrier, message, body, site)
        await self._record(message, lambda m: change(overdue(m, now), self._clock.now()), outcome)

    async def _about(self, message: Message) -> tuple[str, bool]:
        """Return the site's key, and whether the link has done its work or may do none any more."""
        async with self._transactions(write=False) as uow:
            site = (await uow.sites.get(message.site)).key
            if message.invitation is None:
                return site, False
            invitation = await uow.invitations.get(message.invitation)
            over = (await uow.sessions.get(invitation.session)).state is State.ENDED
        return site, bool(over or invitation.opened or invitation.tapped or invitation.revoked)

    async def _mail(self, message: Message, body: dict[str, str | None]) -> None:
        mail = OutgoingMail(
            body["to"] or "",
            body.get("subject") or "",
            body["text"] or "",
            body.get("html"),
            body.get("reply_to"),
        )
        try:
            await self._mailer.send(mail)
        except CarrierRefused:
            now = self._clock.now()
            await self._record(message, lambda m: failed(m, "carrier_refused", now), "refused")
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
                await self._fold(message.id, change)
            except (Unavailable, Conflict):
                await asyncio.sleep(AWAY_SECONDS)
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
        if action := _told(before, after):
            call = await call_of(uow, session) if session else None
            event = AuditEvent(action, f"message:{after.id}", session, call, _data(before, after))
            await uow.audit.append(actor, event, self._clock.now())
        return session

    async def receipt(self, carrier: str | None, said: Receipt, address: str | None) -> None:
        """Fold a carrier's receipt in; an unknown reference is refused, a repeated one changes nothing."""
        async with self._transactions() as uow:
            before = await self._meant(uow, carrier, said)
            if said.state is None:
                return
            body = json.loads(self._open(before.sealed)) if before.sealed else {}
            after = self._carriers.fold(
                before, body.get("to"), carrier, said.state, self._clock.now()
            )
            if after == before:
                return
            session = await self._save(
                uow, before, after, Actor("gateway", before.site, None, address)
            )
            await uow.commit()
        if after.due is not None:
            self.wake()
        await self._publish(before.site, session)

    async def _meant(self, uow: UnitOfWork, carrier: str | None, said: Receipt) -> Message:
        found = None
        if said.ref:
            found = await uow.messages.by_receipt(said.ref)
        elif said.carrier_ref and carrier:
            found = await uow.messages.by_carrier(carrier, said.carrier_ref)
        if found is None:
            raise NotFound("receipt")
        return found


def _nobody(message: Message, now: datetime) -> Message:
    """Nobody is left to ask: no carrier for this number, or all have it already."""
    if message.state is Delivery.QUEUED:
        return failed(message, "no_carrier", now)
    return settled(overdue(message, now))


def _told(before: Message, after: Message) -> str | None:
    """Return the audit's word for a change; None for one that is only bookkeeping."""
    if after.state is not before.state:
        return f"message.{after.state.value}"
    if after.carrier != before.carrier and after.error is None:
        return "message.handed"
    if after.error != before.error or after.carrier != before.carrier:
        return "message.retried"
    return None


def _data(before: Message, after: Message) -> dict[str, object]:
    """Return what the audit says of a change: for an SMS also which carrier, and every try since."""
    data: dict[str, object] = {
        "channel": after.channel,
        "attempts": after.attempts,
        "error": after.error,
    }
    if after.channel == "sms":
        tries = after.history[len(before.history) :]
        data |= {"carrier": after.carrier, "tries": [f"{t.carrier}:{t.outcome}" for t in tries]}
    return data
