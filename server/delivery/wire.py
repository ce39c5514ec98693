"""Builds the SMS carriers from the settings: the one place that knows every preset."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from server.core.clock import Clock
from server.delivery.carriers.client import NumberedReceipts
from server.delivery.carriers.http import HttpSms
from server.delivery.carriers.kannel import KannelSms
from server.delivery.carriers.ovh import OvhSms
from server.delivery.carriers.twilio import TwilioSms
from server.delivery.domain.carrier_order import Carrier
from server.delivery.domain.outgoing import OutgoingSms, ReceiptReader, SmsCarrier
from server.delivery.errors import CarrierUnavailable
from server.delivery.outbox import Outbox, OutboxSms
from server.delivery.service.failover import Carriers
from server.delivery.settings import (
    SHORTHAND,
    CarrierSettings,
    KannelSettings,
    OvhSettings,
    RawSettings,
    SmsSettings,
    TwilioSettings,
)


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
    carriers: Sequence[CarrierSettings],
    public_url: str,
    clock: Clock,
    outbox: Outbox | None,
) -> BuiltCarriers:
    """Wire `sms` first, then `carriers` in their order; the outbox only in a demonstration without any."""
    built = BuiltCarriers(readers={SHORTHAND: NumberedReceipts()})
    if sms is not None:
        single = HttpSms(sms)
        base = sms.receipt_base or public_url
        built.receipts[SHORTHAND] = f"{base}/receipts/{SHORTHAND}/{{ref}}?status=%d"
        built.plan.append(Carrier(SHORTHAND, receipts=_reports(sms), once=_once(sms)))
        built.sms[SHORTHAND] = single
        built.closers.append(single.close)
    for each in carriers:
        _add(built, each, public_url, clock)
    if not built.plan:
        built.plan.append(Carrier("outbox" if outbox else "none"))
        built.sms[built.plan[0].name] = OutboxSms(outbox) if outbox else NoSms()
    return built


def _add(built: BuiltCarriers, each: CarrierSettings, public_url: str, clock: Clock) -> None:
    base = each.receipt_base or public_url
    sms = _client(each, base, clock)
    wait = timedelta(seconds=each.receipt_timeout) if each.receipt_timeout else None
    built.plan.append(Carrier(each.name, each.prefixes, wait, _reports(each), _once(each)))
    built.sms[each.name] = sms
    built.closers.append(sms.close)
    built.readers[each.name] = NumberedReceipts() if isinstance(sms, HttpSms) else sms
    if not isinstance(each, OvhSettings):
        number = "?status=%d" if isinstance(each, RawSettings) else ""
        built.receipts[each.name] = f"{base}/receipts/{each.name}/{{ref}}{number}"


def _reports(each: CarrierSettings | SmsSettings) -> bool:
    """OVHcloud reports under its own id, which stood in the answer that nobody heard."""
    if isinstance(each, SmsSettings):
        return each.mentions("{receipt_url}")
    return not isinstance(each, OvhSettings)


def _once(each: CarrierSettings | SmsSettings) -> bool:
    """None of the presets drops what it was already given: only a gateway of which that is said."""
    return isinstance(each, SmsSettings) and each.idempotent


def _client(
    each: CarrierSettings, base: str, clock: Clock
) -> HttpSms | KannelSms | OvhSms | TwilioSms:
    match each:
        case KannelSettings():
            return KannelSms(each)
        case OvhSettings():
            return OvhSms(each, clock)
        case TwilioSettings():
            return TwilioSms(each, base)
        case RawSettings():
            return HttpSms(each)


def costs(carriers: Sequence[CarrierSettings]) -> Mapping[str, float]:
    """Return what an SMS of each carrier costs, in euros."""
    return {each.name: each.cost for each in carriers}
