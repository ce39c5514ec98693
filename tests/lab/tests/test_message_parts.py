"""The SMS carrier and the mail server: what is handed over arrives, and is acknowledged or refused."""

from __future__ import annotations

from email.message import EmailMessage
from urllib.parse import urlencode

import aiosmtplib
import pytest
import tornado.httpserver
import tornado.web
from tornado.httpclient import AsyncHTTPClient

from tests.lab.kannel import kannel
from tests.lab.ports import free_port
from tests.lab.process import PartFailedError, until
from tests.lab.smtp import smtp

pytestmark = pytest.mark.lab


class Receipt(tornado.web.RequestHandler):
    def initialize(self, seen: list[str]) -> None:
        self.seen = seen

    def get(self) -> None:
        self.seen.append(self.get_argument("status"))


async def test_an_sms_reaches_the_carrier_and_its_receipt_comes_back() -> None:
    seen: list[str] = []
    port = free_port()
    receipts = tornado.httpserver.HTTPServer(
        tornado.web.Application([("/dlr", Receipt, {"seen": seen})])
    )
    receipts.listen(port, "127.0.0.1")
    try:
        async with kannel() as carrier:
            texts = ("SAMU 37 : ouvrez https://visio.example/v/abc_DEF-1@", "Été à Nîmes: 5 € [ok]")
            for text in texts:
                query = {
                    "username": carrier.username,
                    "password": carrier.password,
                    "to": "+33612345678",
                    "from": "SAMU37",
                    "text": text,
                    "charset": "UTF-8",
                    "coding": 0,
                    "dlr-mask": 31,
                    "dlr-url": f"http://127.0.0.1:{port}/dlr?status=%d",
                }
                answer = await AsyncHTTPClient().fetch(f"{carrier.sendsms}?{urlencode(query)}")
                assert (answer.code, answer.body) == (202, b"0: Accepted for delivery")
            got = [await carrier.messages.next(to="+33612345678") for _ in texts]
            # GSM-7 has no î: a text that must arrive whole keeps to its alphabet.
            assert {sms.text for sms in got} == {text.replace("î", "?") for text in texts}
            assert {sms.sender for sms in got} == {"SAMU37"}
            await until(
                lambda: seen.count("1") == 2, "two delivery receipts", explain=lambda: str(seen)
            )
            with pytest.raises(PartFailedError, match="an SMS to"):
                await carrier.messages.next(timeout=0.1)
    finally:
        receipts.stop()
        await receipts.close_all_connections()


def letter(to: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "samu@lab.example", to, "Votre lien vidéo"
    mail.set_content("https://visio.example/v/é")
    mail.add_alternative("<a href='https://visio.example/v/é'>Ouvrir</a>", subtype="html")
    return mail


async def test_a_mail_arrives_in_text_and_html() -> None:
    async with smtp() as box:
        await aiosmtplib.send(
            letter("anna@lab.example"), hostname=box.host, port=box.port, start_tls=False
        )
        mail = await box.next(to="anna@lab.example")
        assert mail.subject == "Votre lien vidéo"
        assert "https://visio.example/v/é" in mail.text
        assert "Ouvrir" in mail.html


async def test_the_mail_server_fails_on_demand() -> None:
    async with smtp() as box:
        box.answer = "451 4.3.0 later"
        with pytest.raises(aiosmtplib.SMTPDataError, match="later"):
            await aiosmtplib.send(
                letter("a@lab.example"), hostname=box.host, port=box.port, start_tls=False
            )
        assert (box.attempts, box.mails) == (1, [])
        box.answer, box.delay = None, 2
        with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
            await aiosmtplib.send(
                letter("a@lab.example"),
                hostname=box.host,
                port=box.port,
                start_tls=False,
                timeout=0.3,
            )
