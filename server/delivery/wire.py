"""Builds the SMS carriers from the settings, and what reads their receipts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from server.core.clock import Clock
from server.delivery.carriers.carrier import SHORTHAND, NamedCarrier
from server.delivery.carriers.http import NumberedReceipts
from server.delivery.carriers.registry import AnyCarrier, SmsSettings, in_order
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.outgoing import OutgoingSms, ReceiptReader, SmsCarrier
from server.delivery.errors import CarrierUnavailable
from server.delivery.outbox import Outbox, OutboxSms
from server.delivery.service.failover import Carriers


class NoSms:
    """A server without a carrier says so at each try, and the desk shows it."""

    async def send(self, sms: OutgoingSms) -> str | None:
        """Refuse for now: the administrator may still configure one."""
        del sms
        raise CarrierUnavailable("no_carrier_configured")


@dataclass(slots=True)
class BuiltCarriers:
    """The carriers, and how each one's receipts are read."""

    plan: list[Carrier] = field(default_factory=list)
    sms: dict[str, SmsCarrier] = field(default_factory=dict)
    readers: dict[str, ReceiptReader] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    closers: list[Callable[[], object]] = field(default_factory=list)

    def receipt_url(self, carrier: str, ref: str) -> str | None:
        """Return where this carrier reports on the message `ref`; None for one with an address of its own."""
        template = self.receipts.get(carrier)
        return template.replace("{ref}", ref) if template else None

    def carriers(self, count: Callable[[str, str], None]) -> Carriers:
        """Return what the delivery asks."""
        return Carriers(self.plan, self.sms, self.receipt_url, count)


def build_carriers(
    sms: SmsSettings | None,
    carriers: Sequence[AnyCarrier],
    public_url: str,
    clock: Clock,
    outbox: Outbox | None,
) -> BuiltCarriers:
    """Wire `sms` first, then `carriers` in their order; the outbox only in a demonstration without any."""
    # Without `sms`, too: what it took before it was left out is still reported on.
    built = BuiltCarriers(readers={SHORTHAND: NumberedReceipts()})
    for each in in_order(sms, carriers):
        base = each.receipt_base or public_url
        carrier, client = each.planned(), each.client(base, clock)
        built.plan.append(carrier)
        built.sms[carrier.name] = built.readers[carrier.name] = client
        built.closers.append(client.close)
        if each.receipt_query is not None:
            address = f"{base}/receipts/{carrier.name}/{{ref}}{each.receipt_query}"
            built.receipts[carrier.name] = address
    if not built.plan:
        built.plan.append(Carrier("outbox" if outbox else "none"))
        built.sms[built.plan[0].name] = OutboxSms(outbox) if outbox else NoSms()
    return built


def costs(carriers: Sequence[NamedCarrier]) -> Mapping[str, float]:
    """Return what an SMS of each carrier costs, in euros."""
    return {each.name: each.cost for each in carriers}
