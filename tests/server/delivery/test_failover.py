"""Several SMS carriers in a whole server: failover, receipts from anywhere, limits, and what the audit says of it."""

from __future__ import annotations

import base64
import hmac
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import update

from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.core.words.for_doctor import for_doctor
from server.delivery.errors import CarrierRefused, CarrierUnavailable, TooManyMessages
from server.delivery.store import MessageStore
from server.invitations.service.invitations import InvitationRequest
from server.invitations.store.invitations import invitation
from tests.server.delivery.posting import house_with, invitations_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.delivery.domain.outgoing import OutgoingSms
    from tests.databases import Furnished
    from tests.server.house import House

KEY = "k" * 27
NUMBER = "06 12 34 56 78"
CARRIERS = [
    {"preset": "kannel", "name": "k", "username": "u", "password": "p", "receipt_timeout": 30},
    {"preset": "ovhcloud", "name": "o", "service": "s", "application_key": "a",
     "application_secret": "b", "consumer_key": "c", "receipt_key": KEY, "receipt_timeout": 30},
    {"preset": "twilio", "name": "t", "account": "AC", "token": "secret", "prefixes": ["+33"]},
]  # fmt: skip


@dataclass
class FakeSms:
    """Takes, refuses or stays away, as told."""

    ref: str | None
    fault: Exception | None = None
    sent: list[OutgoingSms] = field(default_factory=list)

    async def send(self, sms: OutgoingSms) -> str | None:
        self.sent.append(sms)
        if self.fault:
            raise self.fault
        return self.ref


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[House]:
    """A server with three carriers and low limits."""
    with house_with(
        io_loop,
        furnished_database,
        tmp_path,
        carriers=CARRIERS,
        sms_limits={"site_hour": 5, "number_hour": 3},
    ) as made:
        yield made


@pytest.fixture
def sms(house: House) -> dict[str, FakeSms]:
    """What stands for the three carriers."""
    fakes = {"k": FakeSms(None), "o": FakeSms("42"), "t": FakeSms("SM1")}
    house.server.delivery._carriers._sms = fakes
    return fakes


def actor(house: House) -> Actor:
    return Actor("desk", house.sites["rivage"].id, house.users["regulator"].id, "127.0.0.1")


async def invite(house: House, command: str = "c1", **contact: str) -> Any:
    wanted = contact or {"mobile": NUMBER}
    request = InvitationRequest(command, None, new_session=True, **wanted)
    return await invitations_of(house).invite(actor(house), request)


async def deliver(house: House) -> None:
    """One round of the delivery loop after another, until nothing is due."""
    while True:
        async with house.server.transactions(write=False) as uow:
            due = await MessageStore(uow).due_everywhere(house.clock.now(), 10)
        if not due:
            return
        for message in due:
            await house.server.delivery._deliver(message)


async def row(house: House) -> dict[str, Any]:
    [found] = await house.all_of("message")
    found["tries"] = [f"{h['carrier']}:{h['outcome']}" for h in json.loads(found["history"])]
    return found


async def told(house: House) -> list[tuple[str, Any, Any]]:
    async with house.server.transactions(write=False) as uow:
        rows = [r async for r in AuditStore(uow).chain(house.sites["rivage"].id)]
    return [
        (r.action, r.data["carrier"], r.data["tries"])
        for r in rows
        if r.action.startswith("message.")
    ]


async def test_the_next_carrier_follows_one_that_is_away(
    house: House, sms: dict[str, FakeSms]
) -> None:
    sms["k"].fault = CarrierUnavailable("http_503")
    sms["o"].fault = CarrierRefused("http_400")
    await invite(house)
    await deliver(house)
    found = await row(house)
    assert (found["state"], found["carrier"], found["carrier_ref"]) == ("handed", "t", "SM1")
    assert found["tries"] == ["k:unavailable", "o:refused", "t:handed"]
    texts = {fake.sent[0].text for fake in sms.values()}
    assert len(texts) == 1, "the same link"
    assert {fake.sent[0].site for fake in sms.values()} == {"rivage"}
    assert await told(house) == [
        ("message.retried", "k", ["k:unavailable"]),
        ("message.retried", "o", ["o:refused"]),
        ("message.handed", "t", ["t:handed"]),
    ]
    page = house.server.web.metrics.text().decode()
    assert 'visio15_sms_total{carrier="t",outcome="handed"} 1.0' in page


async def test_a_missing_receipt_brings_the_next_carrier(
    house: House, sms: dict[str, FakeSms]
) -> None:
    await invite(house)
    await deliver(house)
    house.clock.pass_(seconds=29)
    await deliver(house)
    assert not sms["o"].sent
    house.clock.pass_(seconds=1)
    await deliver(house)
    found = await row(house)
    assert (found["carrier"], found["tries"]) == ("o", ["k:handed", "k:no_receipt", "o:handed"])
    assert (await told(house))[-1] == ("message.handed", "o", ["k:no_receipt", "o:handed"])


async def test_an_opened_link_brings_no_second_sms(house: House, sms: dict[str, FakeSms]) -> None:
    await invite(house)
    await deliver(house)
    async with house.server.engine.begin() as connection:
        opened = datetime(2026, 3, 1, 8, 0, 10, tzinfo=UTC)
        await connection.execute(update(invitation).values(opened=opened))
    house.clock.pass_(seconds=60)
    await deliver(house)
    assert not sms["o"].sent
    assert (await row(house))["due"] is None


async def test_receipts_come_in_each_carriers_form(
    house: House, sms: dict[str, FakeSms], browser: Any
) -> None:
    sms["k"].fault = CarrierUnavailable("gone")
    await invite(house)
    await deliver(house)
    ref = (await row(house))["receipt_ref"]
    assert (await browser.get(f"/receipts/o/{KEY}?id=41&description=1")).code == 404
    assert (await browser.get(f"/receipts/o/{'x' * 27}?id=42&description=1")).code == 403
    assert (await browser.get(f"/receipts/o/{KEY}?id=42&ptt=3&description=2")).code == 200
    await deliver(house)
    found = await row(house)
    assert (found["state"], found["carrier"], found["tries"][-2:]) == (
        "handed", "t", ["o:failed", "t:handed"],
    )  # fmt: skip
    form = {"MessageSid": "SM1", "MessageStatus": "delivered"}
    text = f"https://v.example/receipts/t/{ref}" + "".join(f"{k}{form[k]}" for k in sorted(form))
    right = base64.b64encode(hmac.new(b"secret", text.encode(), "sha1").digest()).decode()
    for signature, code in (("wrong", 403), (right, 200), (right, 200)):
        answer = await browser.fetch(
            f"/receipts/t/{ref}",
            method="POST",
            body=urlencode(form),
            headers={"X-Twilio-Signature": signature},
        )
        assert answer.code == code
    assert (await row(house))["state"] == "delivered"
    assert (await told(house))[-1] == ("message.delivered", "t", ["t:delivered"])


async def test_the_first_carriers_late_receipt_is_found_after_failover(
    house: House, sms: dict[str, FakeSms], browser: Any
) -> None:
    sms["k"].fault = CarrierUnavailable("gone")
    await invite(house)
    await deliver(house)
    house.clock.pass_(seconds=30)
    await deliver(house)
    assert (await row(house))["carrier"] == "t"
    assert (await browser.get(f"/receipts/o/{KEY}?id=42&description=1")).code == 200
    found = await row(house)
    assert (found["state"], found["carrier"]) == ("delivered", "o")


@pytest.mark.parametrize("path", ["/receipts/k/" + "x" * 27, "/receipts/sms/" + "x" * 27])
async def test_a_receipt_for_nothing_is_not_found(house: House, browser: Any, path: str) -> None:
    assert (await browser.get(path + "?status=1")).code == 404
    assert (await browser.get(path + "?status=x")).code == 400
    assert (await browser.get("/receipts/nobody/" + "x" * 27 + "?status=1")).code == 404


async def test_a_number_has_its_limit_and_says_what_else_to_do(
    house: House, sms: dict[str, FakeSms]
) -> None:
    for command in ("1", "2", "3"):
        await invite(house, command)
    await invite(house, "3")  # the same click again is not another SMS
    with pytest.raises(TooManyMessages, match="number") as refused:
        await invite(house, "4")
    assert "e-mail" in for_doctor(refused.value)
    await invite(house, "5", email="a@example.org")
    await invite(house, "6", mobile="06 99 99 99 99")
    await invite(house, "7", mobile="06 99 99 99 98")
    with pytest.raises(TooManyMessages, match="site"):
        await invite(house, "8", mobile="06 99 99 99 97")
    assert len(await house.all_of("session")) == 6, "nothing of what was refused is kept"
    house.clock.pass_(hours=1)
    await invite(house, "9")
    assert not sms["k"].sent
