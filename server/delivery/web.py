"""What an SMS carrier reports of a message it took."""

from collections.abc import Mapping

from tornado.routing import URLSpec

from server.core.errors import NotFound
from server.delivery.domain.outgoing import CarrierCallback, ReceiptReader
from server.delivery.service.delivery import DeliveryService
from server.web.base import BaseHandler, Web
from server.web.routing import Asked, path

CARRIER = r"([a-z][a-z0-9-]{0,31})"
_SECRET = r"([A-Za-z0-9_-]{20,64})"  # noqa: S105 - a pattern


class SmsReceipt(BaseHandler):
    """GET or POST /receipts/CARRIER/SECRET: a carrier's delivery report, in the form of its preset.

    `sms` is the carrier of the shorthand. SECRET is the message's reference, or a key of the carrier.
    """

    wants_json = True

    def __init__(
        self,
        *asked: *Asked,
        web: Web,
        delivery: DeliveryService,
        readers: Mapping[str, ReceiptReader],
    ) -> None:
        super().__init__(*asked, web=web)
        self.delivery = delivery
        self.readers = readers

    async def prepare(self) -> None:
        """Need nobody signed in: the secret, and the preset's signature, say who speaks."""

    def check_xsrf_cookie(self) -> None:
        """A gateway has no page of ours."""

    async def get(self, carrier: str, secret: str) -> None:
        """Fold the receipt in."""
        reader = self.readers.get(carrier)
        if reader is None:
            raise NotFound("carrier")
        callback = CarrierCallback(
            secret=secret,
            path=self.request.path,
            query={
                k: v[-1].decode("utf-8", "replace") for k, v in self.request.query_arguments.items()
            },
            form={
                k: v[-1].decode("utf-8", "replace") for k, v in self.request.body_arguments.items()
            },
            headers=self.request.headers,
        )
        await self.delivery.receipt(carrier, reader.read(callback), self.request.remote_ip)
        self.json({})

    async def post(self, carrier: str, secret: str) -> None:
        """Do the same for gateways that POST."""
        await self.get(carrier, secret)


def routes(
    web: Web, *, delivery: DeliveryService, readers: Mapping[str, ReceiptReader]
) -> list[URLSpec]:
    """List the path of the receipts."""
    where = rf"/receipts/{CARRIER}/{_SECRET}"
    return [path(where, SmsReceipt, web=web, delivery=delivery, readers=readers)]
