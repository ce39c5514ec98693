"""One contract for every carrier, the fakes of the tests included: taken once, "try again", or "never"."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from server.core.clock import Ids, SystemClock
from server.delivery.carriers.raw import HttpSms, SmsSettings
from server.delivery.domain.outgoing import Mailer, OutgoingMail, OutgoingSms, SmsCarrier
from server.delivery.errors import CarrierRefused, CarrierUnavailable
from server.delivery.mail import SmtpMailer
from server.delivery.outbox import Outbox, OutboxMailer, OutboxSms
from server.delivery.settings import SmtpSettings
from tests.fakes import FakeMailer, FakeSms, Gateway, gateway, rude_server
from tests.lab.ports import free_port
from tests.lab.smtp import Smtp, smtp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

TEXT = (
    "SAMU 37: touchez ce lien pour que le médecin vous voie: https://v.example/v/a_b-c & {to} % €"
)
MESSAGE = OutgoingSms("+33612345678", TEXT, "SAMU37", "https://v.example/receipts/sms/r?status=%d")
MAIL = OutgoingMail(
    "jeanne@example.fr", "SAMU 37 : lien", "Touchez é", "<p>Touchez é</p>", "r@example.fr"
)


# --- SMS -------------------------------------------------------------------------------------------
@asynccontextmanager
async def by_fake() -> AsyncIterator[tuple[SmsCarrier, Callable[[], list[tuple[str, str]]], Any]]:
    fake = FakeSms()
    yield fake, lambda: [(s.to, s.text) for s in fake.sent], fake


@asynccontextmanager
async def by_outbox() -> AsyncIterator[tuple[SmsCarrier, Callable[[], list[tuple[str, str]]], Any]]:
    outbox = Outbox(SystemClock(), Ids())
    yield OutboxSms(outbox), lambda: [(k.to, k.text) for k in outbox.messages()], None


@asynccontextmanager
async def by_http() -> AsyncIterator[tuple[SmsCarrier, Callable[[], list[tuple[str, str]]], Any]]:
    async with gateway() as there:
        sms = HttpSms(SmsSettings.model_validate(there.settings))
        yield sms, lambda: [(a["to"], a["text"]) for a in there.accepted], there
        sms.close()


@pytest.mark.parametrize("carrier", [by_fake, by_outbox, by_http])
async def test_a_message_is_taken_whole_and_once(carrier: Any) -> None:
    async with carrier() as (sms, taken, _):
        reference = await sms.send(MESSAGE)
        assert reference
        assert taken() == [(MESSAGE.to, MESSAGE.text)]


@pytest.mark.parametrize("carrier", [by_fake, by_http])
@pytest.mark.parametrize(
    ("status", "raised"),
    [
        (503, CarrierUnavailable),
        (429, CarrierUnavailable),
        (400, CarrierRefused),
        (403, CarrierRefused),
    ],
)
async def test_trouble_is_for_now_or_for_good(carrier: Any, status: int, raised: type) -> None:
    async with carrier() as (sms, taken, there):
        if isinstance(there, Gateway):
            there.status = status
        else:
            there.trouble = raised()
        with pytest.raises(raised):
            await sms.send(MESSAGE)
        assert taken() == []


@pytest.mark.parametrize("body", ["", "1: Error", "Accepted", "<html>0: Accepted</html>", "\x00"])
async def test_a_good_status_with_a_bad_answer_is_tried_again(body: str) -> None:
    async with by_http() as (sms, _, there):
        there.body = body
        with pytest.raises(CarrierUnavailable):
            await sms.send(MESSAGE)


async def test_an_answer_without_a_reference_is_an_answer() -> None:
    async with by_http() as (sms, _, there):
        there.body = "0: Accepted"
        assert await sms.send(MESSAGE) is None
        there.body = "0: Accepted id=" + "x" * 500
        assert len(await sms.send(MESSAGE) or "") == 128


async def test_a_gateway_that_hangs_is_left() -> None:
    async with by_http() as (sms, _, there):
        there.answering.clear()
        with pytest.raises(CarrierUnavailable):
            await sms.send(MESSAGE)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 999 \r\n\r\n",
        b"\x00" * 100_000,
    ],
)
async def test_a_gateway_that_talks_nonsense_is_tried_again(answer: bytes) -> None:
    async with rude_server(answer) as port:
        settings = SmsSettings.model_validate({"url": f"http://127.0.0.1:{port}/?t={{text}}"})
        sms = HttpSms(settings)
        with pytest.raises(CarrierUnavailable):
            await sms.send(MESSAGE)
        sms.close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{free}/", "nonsense", "ftp://127.0.0.1/", "http://"]
)
async def test_a_gateway_that_is_not_there_is_tried_again(url: str) -> None:
    sms = HttpSms(SmsSettings.model_validate({"url": url.replace("{free}", str(free_port()))}))
    with pytest.raises(CarrierUnavailable):
        await sms.send(MESSAGE)
    sms.close()


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        (
            "application/json",
            '{"to": "{to}", "text": "{text}", "n": {"x": 1}}',
            '"text": "a \\"b\\" \\n {to} \\u00e9"',
        ),
        (
            "application/x-www-form-urlencoded",
            "to={to}&text={text}",
            "text=a%20%22b%22%20%0A%20%7Bto%7D%20%C3%A9",
        ),
    ],
)
async def test_a_body_is_quoted_for_where_it_stands(kind: str, body: str, expected: str) -> None:
    async with gateway() as there:
        given = {"url": there.url, "method": "POST", "body": body, "content_type": kind}
        sms = HttpSms(SmsSettings.model_validate(given))
        await sms.send(OutgoingSms("+33612345678", 'a "b" \n {to} é', "SAMU", None))
        assert expected in there.asked[0]["body"]
        sms.close()


async def test_a_reference_is_put_where_the_gateway_wants_it() -> None:
    async with gateway() as there:
        url = f"{there.url}?to={{to}}&text={{reference}}"
        given = {"url": url, "headers": {"Idempotency-Key": "v15-{reference}"}, "idempotent": True}
        sms = HttpSms(SmsSettings.model_validate(given))
        await sms.send(OutgoingSms("+33612345678", "t", "SAMU", None, "s", "m-1"))
        assert there.accepted[0]["text"] == "m-1"
        assert there.headers[0]["Idempotency-Key"] == "v15-m-1"
        sms.close()


async def test_only_a_request_that_may_have_been_read_has_no_answer() -> None:
    """Whoever was never reached did not take the message; whoever hangs, or hangs up, may have."""
    async with gateway() as there:
        there.answering.clear()
        hung = HttpSms(SmsSettings.model_validate({**there.settings, "timeout": 0.3}))
        with pytest.raises(CarrierUnavailable, match="no_answer"):
            await hung.send(MESSAGE)
        hung.close()
    async with rude_server(b"") as port:
        rude = HttpSms(SmsSettings.model_validate({"url": f"http://127.0.0.1:{port}/?t={{text}}"}))
        with pytest.raises(CarrierUnavailable, match="no_answer"):
            await rude.send(MESSAGE)
        rude.close()
    away = HttpSms(SmsSettings.model_validate({"url": f"http://127.0.0.1:{free_port()}/"}))
    with pytest.raises(CarrierUnavailable, match="refused"):
        await away.send(MESSAGE)
    away.close()


# --- mail ------------------------------------------------------------------------------------------
@asynccontextmanager
async def mail_by_fake() -> AsyncIterator[tuple[Mailer, Callable[[], int], Any]]:
    fake = FakeMailer()
    yield fake, lambda: len(fake.sent), fake


@asynccontextmanager
async def mail_by_outbox() -> AsyncIterator[tuple[Mailer, Callable[[], int], Any]]:
    outbox = Outbox(SystemClock(), Ids())
    yield OutboxMailer(outbox), lambda: len(outbox.messages()), None


@asynccontextmanager
async def mail_by_smtp() -> AsyncIterator[tuple[Mailer, Callable[[], int], Any]]:
    async with smtp() as there:
        settings = SmtpSettings(
            host=there.host, port=there.port, sender="visio15@chu.example", timeout=2
        )
        yield SmtpMailer(settings), lambda: len(there.mails), there


@pytest.mark.parametrize("carrier", [mail_by_fake, mail_by_outbox, mail_by_smtp])
async def test_a_mail_is_taken_once(carrier: Any) -> None:
    async with carrier() as (mailer, taken, there):
        await mailer.send(MAIL)
        assert taken() == 1
        if isinstance(there, Smtp):
            [mail] = there.mails
            assert (mail.to, mail.subject) == ((MAIL.to,), MAIL.subject)
            assert (mail.text.strip(), mail.html.strip()) == (MAIL.text, MAIL.html)
            assert mail.message["Reply-To"] == MAIL.reply_to


@pytest.mark.parametrize("carrier", [mail_by_fake, mail_by_smtp])
@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        ("451 try later", CarrierUnavailable),
        ("421 closing", CarrierUnavailable),
        ("550 no such box", CarrierRefused),
        ("554 spam", CarrierRefused),
    ],
)
async def test_a_relay_refuses_for_now_or_for_good(carrier: Any, answer: str, raised: type) -> None:
    async with carrier() as (mailer, taken, there):
        if isinstance(there, Smtp):
            there.answer = answer
        else:
            there.trouble = raised()
        with pytest.raises(raised):
            await mailer.send(MAIL)
        assert taken() == 0


async def test_a_relay_that_hangs_or_is_not_there_is_tried_again() -> None:
    async with smtp() as there:
        there.delay = 5
        settings = SmtpSettings(host=there.host, port=there.port, timeout=0.3)
        with pytest.raises(CarrierUnavailable):
            await SmtpMailer(settings).send(MAIL)
    with pytest.raises(CarrierUnavailable):
        await SmtpMailer(SmtpSettings(host="127.0.0.1", port=free_port())).send(MAIL)


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\xff" * 5_000, b"220"]
)
async def test_a_relay_that_talks_nonsense_is_tried_again(answer: bytes) -> None:
    async with rude_server(answer, greets=True) as port:
        with pytest.raises(CarrierUnavailable):
            await SmtpMailer(SmtpSettings(host="127.0.0.1", port=port, timeout=2)).send(MAIL)


async def test_a_repeated_mail_keeps_its_name_and_another_has_another() -> None:
    async with mail_by_smtp() as (mailer, _, there):
        for name in ("m-1", "m-1", "m-2", ""):
            await mailer.send(OutgoingMail("a@example.fr", "x", "t", None, None, name))
        names = [mail.message["Message-ID"] for mail in there.mails]
        assert names[:3] == ["<m-1@chu.example>", "<m-1@chu.example>", "<m-2@chu.example>"]
        assert names[3].endswith("@chu.example>")


async def test_a_subject_cannot_add_a_header() -> None:
    async with mail_by_smtp() as (mailer, _, there):
        await mailer.send(OutgoingMail("a@example.fr", "x\r\nBcc: all@example.fr", "t", None))
        [mail] = there.mails
        assert mail.to == ("a@example.fr",)
        assert mail.message["Bcc"] is None
