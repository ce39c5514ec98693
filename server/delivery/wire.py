"""Builds what sends messages: the SMS carriers and the mail relay of the settings, and what reads their receipts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from server.core.clock import Clock
from server.delivery.carriers.carrier import SHORTHAND, NamedCarrier
from server.delivery.carriers.http import NumberedReceipts
from server.delivery.carriers.registry import AnyCarrier, SmsSettings, in_order
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.outgoing import Mailer, OutgoingSms, ReceiptReader, SmsCarrier
from server.delivery.errors import CarrierUnavailable
from server.delivery.mail import SmtpMailer
from server.delivery.outbox import Outbox, OutboxMailer, OutboxSms
from server.delivery.service.delivery import DeliveryService, Needless, OnSettled
from server.delivery.service.failover import Carriers
from server.delivery.service.sms_counts import SmsCounts
from server.delivery.settings import SmsLimits, SmtpSettings
from server.storage.wire import Foundation
from server.web.metrics import Metrics


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


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryParts:
    """What others may use of the delivery."""

    service: DeliveryService
    limits: SmsCounts
    readers: Mapping[str, ReceiptReader]
    outbox: Outbox | None  # of a demonstration
    closers: Sequence[Callable[[], object]]


def wire_delivery(
    base: Foundation,
    *,
    sms: SmsSettings | None,
    carriers: Sequence[AnyCarrier],
    smtp: SmtpSettings | None,
    limits: SmsLimits,
    public_url: str,
    demo: bool,
    metrics: Metrics,
    on_settled: OnSettled,
    needless: Needless,
) -> DeliveryParts:
    """Build it; with `demo` an outbox stands in for what is not configured."""
    outbox = Outbox(base.clock, base.ids) if demo else None
    built = build_carriers(sms, carriers, public_url, base.clock, outbox)
    prices = costs(carriers)
    service = DeliveryService(
        transactions=base.transactions,
        clock=base.clock,
        seal_open=base.seal.open,
        carriers=built.carriers(lambda name, what: metrics.sms(name, what, prices.get(name, 0.0))),
        mailer=_mailer(smtp, outbox),
        on_settled=on_settled,
        needless=needless,
        bus=base.bus,
        count=metrics.message,
    )
    return DeliveryParts(
        service=service,
        limits=SmsCounts(base.seal, limits.site_hour, limits.number_hour),
        readers=built.readers,
        outbox=outbox,
        closers=tuple(built.closers),
    )


def _mailer(smtp: SmtpSettings | None, outbox: Outbox | None) -> Mailer:
    """Return the relay; the outbox stands in only in a demonstration, and only for what is not configured."""
    if smtp is None and outbox is not None:
        return OutboxMailer(outbox)
    return SmtpMailer(smtp or SmtpSettings())
