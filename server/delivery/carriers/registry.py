"""Every carrier that a configuration may name, one line each (docs/adr/0035-rooms.md).

The rest of the product knows no kind: it reads `AnyCarrier` and asks what `CarrierSettings` of carrier.py promises.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from server.delivery.carriers.kannel import KannelSettings
from server.delivery.carriers.ovh import OvhSettings
from server.delivery.carriers.raw import RawSettings, SmsSettings
from server.delivery.carriers.twilio import TwilioSettings

__all__ = ["AnyCarrier", "SmsSettings", "in_order"]

# fmt: off
AnyCarrier = Annotated[
    KannelSettings
    | OvhSettings
    | TwilioSettings
    | RawSettings,
    Field(discriminator="preset"),
]
# fmt: on


def in_order(
    sms: SmsSettings | None, carriers: Sequence[AnyCarrier]
) -> Sequence[SmsSettings | AnyCarrier]:
    """Return the carriers as they are tried: `sms` first, then `carriers`."""
    return (*([sms] if sms else []), *carriers)
