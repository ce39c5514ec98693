"""The SMS carriers as one: which is next for a message, handing it over, counting what each did."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from server.delivery.domain import carrier_order as rules
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.messages import Message, MessageState, reference
from server.delivery.domain.outgoing import OutgoingSms, SmsCarrier
from server.delivery.errors import CarrierRefused, CarrierUnavailable

#: Records an outcome in a message as it is by then.
RecordOutcome = Callable[[Message, datetime], Message]


class Carriers:
    """Several carriers in order; `receipt_url(carrier, ref)` is where each one reports."""

    def __init__(
        self,
        plan: Sequence[Carrier],
        sms: Mapping[str, SmsCarrier],
        receipt_url: Callable[[str, str], str | None],
        count: Callable[[str, str], None] = lambda _carrier, _outcome: None,
    ) -> None:
        """Keep the order, and who speaks to each; `count(carrier, outcome)` feeds the metrics."""
        self.plan = tuple(plan)
        self._sms = sms
        self._receipt_url = receipt_url
        self._count = count

    def first(self, message: Message, number: str) -> Carrier | None:
        """Return who is asked now, once the silence of the one before is written down."""
        return rules.next_carrier(self.plan, number, message)

    def patience(self, name: str | None) -> timedelta:
        """Return how long a receipt of this carrier is waited for before what a crash interrupted is sent again."""
        found = (carrier.patience for carrier in self.plan if carrier.name == name)
        return next(found, timedelta(0))

    async def hand_over(
        self, carrier: Carrier, message: Message, body: Mapping[str, str | None], site: str
    ) -> tuple[str, RecordOutcome]:
        """Ask one carrier; return the outcome, and the change of the message that records it."""
        number = body["to"] or ""
        sms = OutgoingSms(
            to=number,
            text=body["text"] or "",
            sender=body.get("sender") or "",
            receipt_url=self._receipt_url(carrier.name, message.receipt_ref),
            site=site,
            reference=reference(message),
        )
        try:
            ref = await self._sms[carrier.name].send(sms)
        except (CarrierRefused, CarrierUnavailable) as fault:
            final = isinstance(fault, CarrierRefused)
            error = "carrier_refused" if final else fault.detail or fault.code
            self._count(carrier.name, "refused" if final else "unavailable")
            return "refused" if final else "retried", lambda m, now: rules.declined(
                m, self.plan, number, carrier.name, error, now, final=final
            )
        self._count(carrier.name, "handed")
        return "handed", lambda m, now: rules.took(m, self.plan, number, carrier.name, ref, now)

    def fold(
        self,
        message: Message,
        number: str | None,
        name: str,
        state: MessageState | None,
        now: datetime,
    ) -> Message:
        """Fold a receipt in."""
        if state:
            self._count(name, state.value)
        return rules.answered(message, self.plan, number, name, state, now)
