"""The server dies between the carrier's acceptance and its record: it waits for the receipt, then repeats the link."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from server.audit.store.audit import AuditStore
from server.core.audit_entries import Actor
from server.delivery.errors import CarrierUnavailable
from server.delivery.store import MessageStore
from server.desk.service.view import _invitation
from server.invitations.service.invitations import InvitationRequest
from server.invitations.store.invitations import InvitationStore
from server.video.store.sessions import SessionStore
from tests.fakes import FakeMailer
from tests.server.delivery.posting import house_with, invitations_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from server.delivery.domain.outgoing import OutgoingMail, OutgoingSms
    from tests.databases import Furnished
    from tests.server.house import House

NUMBER = "06 12 34 56 78"
KANNEL = {"preset": "kannel", "name": "k", "username": "u", "password": "p", "receipt_timeout": 0}
OVH = {"preset": "ovhcloud", "name": "o", "service": "s", "application_key": "a",
       "application_secret": "b", "consumer_key": "c", "receipt_timeout": 0}  # fmt: skip
ONCE = {"preset": "raw", "name": "x", "url": "http://127.0.0.1:9/?r={reference}&d={receipt_url}",
        "idempotent": True, "receipt_timeout": 0}  # fmt: skip


@dataclass
class DyingSms:
    """Takes every message; while `dying`, nobody hears that it did."""

    sent: list[OutgoingSms] = field(default_factory=list)
    dying: BaseException | None = None

    async def send(self, sms: OutgoingSms) -> str | None:
        self.sent.append(sms)
        if self.dying is not None:
            raise self.dying
        return "ref"


class DyingMailer(FakeMailer):
    dying = False

    async def send(self, mail: OutgoingMail) -> None:
        await super().send(mail)
        if self.dying:
            raise asyncio.CancelledError


@dataclass
class Post:
    """The house, and its one carrier and relay."""

    house: House
    sms: DyingSms
    mailer: DyingMailer

    @property
    def delivery(self) -> Any:
        return self.house.server.delivery

    async def invite(self, **contact: str) -> None:
        user = self.house.users["regulator"].id
        actor = Actor("desk", self.house.sites["rivage"].id, user, "127.0.0.1")
        await invitations_of(self.house).invite(
            actor, InvitationRequest("command-1", None, **contact)
        )

    async def deliver(self) -> None:
        """What the lanes do, until nothing is due."""
        while True:
            async with self.house.server.transactions(write=False) as uow:
                due = await MessageStore(uow).due_everywhere(self.house.clock.now(), 10)
            if not due:
                return
            for message in due:
                await self.delivery._deliver(message)

    async def killed(self) -> None:
        """The process dies while it hands the message over; another one starts two seconds later."""
        self.sms.dying, self.mailer.dying = asyncio.CancelledError(), True
        with pytest.raises(asyncio.CancelledError):
            await self.deliver()
        self.sms.dying, self.mailer.dying = None, False
        self.pass_(2)
        self.delivery._begun = self.house.clock.now()

    def pass_(self, seconds: float) -> None:
        self.house.clock.pass_(seconds=seconds)

    async def row(self) -> dict[str, Any]:
        [found] = await self.house.all_of("message")
        found["steps"] = [f"{h['carrier']}:{h['outcome']}" for h in json.loads(found["history"])]
        return found

    async def receipt(self, browser: Any, status: int) -> int:
        ref = (await self.row())["receipt_ref"]
        answer = await browser.get(f"/receipts/k/{ref}?status={status}")
        return int(answer.code)

    async def label(self) -> str:
        """What the desk reads beside the link."""
        async with self.house.server.transactions(write=False) as uow:
            site = self.house.sites["rivage"].id
            message = await MessageStore(uow).get(site, (await self.row())["id"])
            invitation = await InvitationStore(uow).get(site, message.invitation or "")
            session = await SessionStore(uow).get(site, invitation.session)
        return str(_invitation(invitation, [message], NUMBER, session)["label"])

    async def told(self) -> list[str]:
        async with self.house.server.transactions(write=False) as uow:
            rows = [r async for r in AuditStore(uow).chain(self.house.sites["rivage"].id)]
        return [r.action for r in rows if r.action.startswith("message.")]

    def counted(self, outcome: str, channel: str = "sms") -> bool:
        web = self.house.server.web
        page = web.metrics.text().decode()
        found = f'visio15_messages_total{{channel="{channel}",outcome="{outcome}"}} 1.0'
        return found in page


@pytest.fixture
def carrier() -> dict[str, Any]:
    """Kannel, unless a test says otherwise."""
    return KANNEL


@pytest.fixture
def house(
    io_loop: Any, furnished_database: Furnished, tmp_path: Path, carrier: dict[str, Any]
) -> Iterator[House]:
    """A server with one carrier."""
    with house_with(io_loop, furnished_database, tmp_path, carriers=[carrier]) as made:
        yield made


@pytest.fixture
def post(house: House, carrier: dict[str, Any]) -> Post:
    """The house, what stands for its carrier, and for its relay."""
    made = Post(house, DyingSms(), DyingMailer())
    house.server.delivery._carriers._sms = {carrier["name"]: made.sms}
    house.server.delivery._mailer = made.mailer
    return made


async def test_the_row_says_who_is_asked_before_the_request_leaves(post: Post) -> None:
    await post.invite(mobile=NUMBER)
    post.sms.dying = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await post.deliver()
    found = await post.row()
    assert (found["state"], found["asked_of"]) == ("queued", "k")
    assert found["asked"] is not None


@pytest.mark.parametrize(
    ("status", "state"), [(8, "handed"), (4, "buffered"), (1, "delivered"), (0, "handed")]
)
async def test_a_receipt_that_comes_in_time_makes_it_one_sms(
    post: Post, browser: Any, status: int, state: str
) -> None:
    await post.invite(mobile=NUMBER)
    await post.killed()
    await post.deliver()
    assert (await post.row())["steps"] == ["k:in_doubt"]
    post.pass_(3)
    assert await post.receipt(browser, status) == 200
    post.pass_(60)
    await post.deliver()
    assert len(post.sms.sent) == 1
    assert (await post.row())["state"] == state
    assert post.counted("in_doubt")
    assert not post.counted("sent_again")
    assert "deux fois" not in await post.label()


async def test_a_receipt_before_the_new_process_has_looked_counts_too(
    post: Post, browser: Any
) -> None:
    await post.invite(mobile=NUMBER)
    await post.killed()
    assert await post.receipt(browser, 8) == 200
    post.pass_(60)
    await post.deliver()
    assert len(post.sms.sent) == 1
    assert (await post.row())["state"] == "handed"


async def test_without_a_receipt_the_same_link_leaves_after_twenty_seconds_and_that_is_told(
    post: Post,
) -> None:
    await post.invite(mobile=NUMBER)
    await post.killed()
    await post.deliver()
    post.pass_(17)
    await post.deliver()
    assert len(post.sms.sent) == 1, "19 s after it was asked"
    post.pass_(1)
    await post.deliver()
    first, second = post.sms.sent
    assert (first.to, first.text, first.reference) == (second.to, second.text, second.reference)
    found = await post.row()
    assert (found["state"], found["asked"]) == ("handed", None)
    assert found["steps"] == ["k:in_doubt", "k:sent_again", "k:handed"]
    assert await post.told() == ["message.retried", "message.sent_again", "message.handed"]
    assert post.counted("in_doubt")
    assert post.counted("sent_again")
    assert await post.label() == "remis à l'opérateur · peut-être envoyé deux fois"


@pytest.mark.parametrize("carrier", [OVH, ONCE])
async def test_where_no_receipt_can_come_or_is_needed_it_leaves_at_once(
    post: Post, carrier: dict[str, Any]
) -> None:
    await post.invite(mobile=NUMBER)
    await post.killed()
    await post.deliver()
    first, second = post.sms.sent
    assert (first.text, first.reference) == (second.text, second.reference)
    assert ("deux fois" in await post.label()) is (carrier is OVH)


async def test_a_mail_is_sent_again_at_once_under_the_same_name(post: Post) -> None:
    await post.invite(email="jeanne@example.fr")
    await post.killed()
    await post.deliver()
    first, second = post.mailer.sent
    assert first == second
    assert first.reference
    assert post.counted("sent_again", "email")


async def test_what_was_withdrawn_between_the_queue_and_the_request_does_not_leave(
    post: Post,
) -> None:
    """The row changed since the lane read it: nobody is asked."""
    await post.invite(mobile=NUMBER)
    async with post.house.server.transactions() as uow:
        [stale] = await MessageStore(uow).due_everywhere(post.house.clock.now(), 10)
        await MessageStore(uow).save(stale)  # somebody else was faster
        await uow.commit()
    await post.delivery._deliver(stale)
    assert not post.sms.sent
    await post.deliver()
    assert len(post.sms.sent) == 1


async def test_a_gateway_that_does_not_answer_and_then_reports_gets_no_second_sms(
    post: Post, browser: Any
) -> None:
    await post.invite(mobile=NUMBER)
    post.sms.dying = CarrierUnavailable("no_answer")
    async with post.house.server.transactions(write=False) as uow:
        [message] = await MessageStore(uow).due_everywhere(post.house.clock.now(), 10)
    await post.delivery._deliver(message)
    post.sms.dying = None
    assert await post.receipt(browser, 8) == 200
    post.pass_(60)
    await post.deliver()
    assert len(post.sms.sent) == 1
