"""Each preset asks as its carrier documents, and whatever comes back is acceptance, refusal, or another try."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha1
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from server.core.clock import SystemClock
from server.core.errors import Forbidden, Invalid
from server.delivery.carriers.http import NumberedReceipts
from server.delivery.carriers.kannel import KannelSettings, KannelSms
from server.delivery.carriers.ovh import OvhSettings, OvhSms
from server.delivery.carriers.raw import HttpSms, RawSettings
from server.delivery.carriers.twilio import TwilioSettings, TwilioSms
from server.delivery.domain.messages import MessageState
from server.delivery.domain.outgoing import CarrierCallback, OutgoingSms
from server.delivery.errors import CarrierRefused, CarrierUnavailable
from tests.lab.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SMS = OutgoingSms(
    "+33612345678",
    "SAMU 37 : été, https://v.example/v/a&b",
    "SAMU37",
    "https://v.example/r/x",
    "s37",
)


@dataclass
class Seen:
    method: str = ""
    target: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def query(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {k: v[0] for k, v in parse_qs(self.body).items()}


@dataclass
class Server:
    url: str
    status: int = 200
    answer: str = ""
    delay: float = 0
    seen: list[Seen] = field(default_factory=list)


class Talk(RequestHandler):
    """Keeps what was asked, and answers what it is told to."""

    def initialize(self, server: Server) -> None:
        self.server = server

    async def get(self) -> None:
        request = self.request
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.server.seen.append(
            Seen(request.method or "", request.uri or "", headers, request.body.decode())
        )
        await asyncio.sleep(self.server.delay)
        self.set_status(self.server.status, "Said")
        self.finish(self.server.answer)

    post = get


@asynccontextmanager
async def carrier() -> AsyncIterator[Server]:
    port = free_port()
    made = Server(f"http://127.0.0.1:{port}")
    listening = HTTPServer(Application([(".*", Talk, {"server": made})]))
    listening.listen(port, "127.0.0.1")
    try:
        yield made
    finally:
        listening.stop()
        await listening.close_all_connections()


def kannel(url: str, **more: Any) -> KannelSms:
    return KannelSms(
        KannelSettings(
            preset="kannel", name="k", url=f"{url}/sendsms", username="u", password="p&=", **more
        )
    )


def ovh(url: str, **more: Any) -> OvhSms:
    settings = OvhSettings(
        preset="ovhcloud",
        name="o",
        url=f"{url}/1.0",
        service="sms-ab1-1",
        application_key="AK",
        application_secret="AS",
        consumer_key="CK",
        receipt_key="k" * 27,
        **more,
    )
    return OvhSms(settings, SystemClock())


def twilio(url: str, **more: Any) -> TwilioSms:
    settings = TwilioSettings(
        preset="twilio", name="t", url=url, account="AC1", token="secret", **more
    )
    return TwilioSms(settings, "https://v.example")


def raw(url: str, **more: Any) -> HttpSms:
    settings = RawSettings(
        preset="raw",
        name="r",
        url=f"{url}/send",
        method="POST",
        body='{"to": "{to}", "from": "{sender}", "text": "{text}", "cb": "{receipt_url}"}',
        content_type="application/json",
        accepted='"id": "([^"]+)"',
        **more,
    )
    return HttpSms(settings)


GOOD = {
    kannel: (202, "0: Accepted for delivery"),
    ovh: (200, '{"ids": [42], "validReceivers": ["+33612345678"], "invalidReceivers": []}'),
    twilio: (201, '{"sid": "SM1", "status": "queued", "error_code": null}'),
    raw: (200, '{"id": "77"}'),
}
REFS = {kannel: None, ovh: "42", twilio: "SM1", raw: "77"}
PRESETS = pytest.mark.parametrize("preset", list(GOOD), ids=lambda p: p.__name__)


async def sent(preset: Any, server: Server, **more: Any) -> str | None:
    client = preset(server.url, **more)
    try:
        return await client.send(SMS)  # type: ignore[no-any-return]
    finally:
        client.close()


# --- the documented request ------------------------------------------------------------------------
async def test_kannel_is_asked_by_get() -> None:
    async with carrier() as server:
        server.status, server.answer = GOOD[kannel]
        assert await sent(kannel, server, smsc="main", senders={"s37": "15-37"}) is None
        [seen] = server.seen
        assert (seen.method, urlsplit(seen.target).path) == ("GET", "/sendsms")
        assert seen.query == {
            "username": "u",
            "password": "p&=",
            "to": SMS.to,
            "from": "15-37",
            "text": SMS.text,
            "charset": "UTF-8",
            "coding": "0",
            "dlr-mask": "31",
            "dlr-url": "https://v.example/r/x?status=%d",
            "smsc": "main",
        }


async def test_ovh_is_asked_with_a_signature() -> None:
    async with carrier() as server:
        server.status, server.answer = GOOD[ovh]
        assert await sent(ovh, server) == "42"
        [seen] = server.seen
        assert (seen.method, seen.target) == ("POST", "/1.0/sms/sms-ab1-1/jobs")
        stamp = seen.headers["x-ovh-timestamp"]
        text = f"AS+CK+POST+{server.url}{seen.target}+{seen.body}+{stamp}"
        assert seen.headers["x-ovh-signature"] == f"$1${sha1(text.encode()).hexdigest()}"  # noqa: S324 - their rule
        assert (seen.headers["x-ovh-application"], seen.headers["x-ovh-consumer"]) == ("AK", "CK")
        assert seen.headers["content-type"].startswith("application/json")
        job = json.loads(seen.body)
        assert (job["receivers"], job["message"], job["sender"]) == ([SMS.to], SMS.text, "SAMU37")
        assert (job["noStopClause"], job["priority"], job["validityPeriod"]) == (True, "high", 15)


async def test_twilio_is_asked_with_a_form() -> None:
    async with carrier() as server:
        server.status, server.answer = GOOD[twilio]
        assert await sent(twilio, server, sender="+33700000000") == "SM1"
        assert await sent(twilio, server, from_service="MG1", key="SK1", key_secret="ks") == "SM1"
        first, second = server.seen
        assert (first.method, first.target) == ("POST", "/2010-04-01/Accounts/AC1/Messages.json")
        assert first.form == {
            "To": SMS.to,
            "From": "+33700000000",
            "Body": SMS.text,
            "StatusCallback": "https://v.example/r/x",
            "ValidityPeriod": "900",
        }
        assert base64.b64decode(first.headers["authorization"].split()[1]) == b"AC1:secret"
        assert second.form["MessagingServiceSid"] == "MG1"
        assert "From" not in second.form
        assert base64.b64decode(second.headers["authorization"].split()[1]) == b"SK1:ks"


async def test_a_template_is_filled() -> None:
    async with carrier() as server:
        server.status, server.answer = GOOD[raw]
        assert await sent(raw, server, sender="ALL") == "77"
        assert json.loads(server.seen[0].body) == {
            "to": SMS.to,
            "from": "ALL",
            "text": SMS.text,
            "cb": SMS.receipt_url,
        }


# --- what comes back -------------------------------------------------------------------------------
ERRORS = [
    (200, '{"errorCode": "INVALID_CREDENTIAL", "message": "no"}'),
    (200, '{"sid": null, "status": "failed", "error_code": 30007}'),
    (200, '{"sid": "SM1", "status": "failed", "error_code": 30007}'),
    (200, '{"ids": [], "validReceivers": []}'),
    (200, "<html>portail captif</html>"),
    (200, "[" * 9000),
    (200, ""),
    (200, "[1]"),
    (200, "Authorization failed for sendsms"),
    (500, '{"id": "1"}'),
    (503, "0: Accepted for delivery"),
    (429, "slow down"),
    (599, ""),
]


@PRESETS
@pytest.mark.parametrize(("status", "answer"), ERRORS)
async def test_an_error_is_tried_again_whatever_its_status(
    preset: Any, status: int, answer: str
) -> None:
    async with carrier() as server:
        server.status, server.answer = status, answer
        with pytest.raises(CarrierUnavailable):
            await sent(preset, server)


@PRESETS
async def test_a_bad_request_is_refused_for_good(preset: Any) -> None:
    async with carrier() as server:
        server.status, server.answer = 400, '{"code": 21211}'
        with pytest.raises(CarrierRefused):
            await sent(preset, server)


async def test_an_invalid_receiver_is_refused_for_good() -> None:
    async with carrier() as server:
        server.answer = '{"ids": [], "validReceivers": [], "invalidReceivers": ["+33612345678"]}'
        with pytest.raises(CarrierRefused):
            await sent(ovh, server)


@PRESETS
@pytest.mark.parametrize("status", [401, 402, 403])
async def test_wrong_keys_are_not_the_callers_fault(preset: Any, status: int) -> None:
    if preset is raw:
        return  # a template's 4xx is final: documented
    async with carrier() as server:
        server.status, server.answer = status, "{}"
        with pytest.raises(CarrierUnavailable):
            await sent(preset, server)


@PRESETS
async def test_a_slow_or_absent_carrier_is_left(preset: Any) -> None:
    async with carrier() as server:
        server.status, server.answer = GOOD[preset]
        server.delay = 0.6
        with pytest.raises(CarrierUnavailable):
            await sent(preset, server, timeout=0.2)
    with pytest.raises(CarrierUnavailable):
        await sent(preset, server)


# --- receipts --------------------------------------------------------------------------------------
def call(secret: str = "ref", signature: str | None = None, **more: Any) -> CarrierCallback:
    headers = {"X-Twilio-Signature": signature} if signature is not None else {}
    given = {"path": "/receipts/t/ref", "query": {}, "form": {}, **more}
    return CarrierCallback(secret, **given, headers=headers)


@pytest.mark.parametrize(
    ("number", "state"),
    [("1", MessageState.DELIVERED), ("2", MessageState.FAILED), ("4", MessageState.BUFFERED),
     ("8", None), ("16", MessageState.FAILED), ("99", None)],
)  # fmt: skip
def test_numbered_receipts(number: str, state: MessageState | None) -> None:
    assert NumberedReceipts().read(call(query={"status": number})).state is state
    said = ovh("http://x.example").read(call("k" * 27, query={"id": "42", "description": number}))
    assert (said.state, said.carrier_ref, said.ref) == (state, "42", None)


@pytest.mark.parametrize("text", ["", "x", "1000", "-1", "²"])
def test_a_receipt_without_a_number_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        NumberedReceipts().read(call(query={"status": text}))


def test_ovh_receipts_need_the_key() -> None:
    with pytest.raises(Forbidden):
        ovh("http://x.example").read(call("j" * 27, query={"id": "42", "description": "1"}))


def signed(form: dict[str, str], token: str = "secret", base: str = "https://v.example") -> str:
    text = f"{base}/receipts/t/ref" + "".join(f"{k}{form[k]}" for k in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()


def test_twilio_receipts_need_the_signature() -> None:
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": SMS.to}
    reader = twilio("http://x.example")
    assert reader.read(call(form=form, signature=signed(form))).state is MessageState.DELIVERED
    sent_ = {**form, "MessageStatus": "sent"}
    assert reader.read(call(form=sent_, signature=signed(sent_))).state is None
    for wrong in (None, "", "é", signed(form, "other"), signed(sent_)):
        with pytest.raises(Forbidden):
            reader.read(call(form=form, signature=wrong))


@pytest.mark.parametrize(
    ("base", "signs"),
    [
        ("https://v.example", "https://v.example"),
        ("https://v.example", "https://v.example:443"),
        ("https://v.example:443", "https://v.example"),
        ("https://v.example:8443", "https://v.example:8443"),
        ("https://v.example:8443", "https://v.example"),
        ("http://v.example", "http://v.example:80"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ("https://v.example/samu", "https://v.example:443/samu"),
    ],
)
def test_twilio_signs_with_or_without_the_port(base: str, signs: str) -> None:
    """Reported as github.com/twilio/twilio-python/issues/392 and 402; its own libraries try both."""
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": SMS.to}
    settings = TwilioSettings(preset="twilio", name="t", account="AC1", token="secret")  # type: ignore[arg-type]
    reader = TwilioSms(settings, base)
    receipt = reader.read(call(form=form, signature=signed(form, base=signs)))
    assert receipt.state is MessageState.DELIVERED
    for other in ("https://w.example", "https://v.example:444", "https://v.example:80"):
        with pytest.raises(Forbidden):
            reader.read(call(form=form, signature=signed(form, base=other)))
