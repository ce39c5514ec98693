"""Call events that a call-centre software posts: authentic, fresh, once, and durable before they are answered (I3)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import AppError, NotFound
from server.core.journal import calls as journal
from server.core.journal.append import Journal
from server.core.limits.token_bucket import Bucket, take
from server.core.sites import Site, SiteStore
from server.line15.domain.signing import WINDOW, fresh, made_by, webhook_text
from server.line15.errors import (
    WebhookBodyConflict,
    WebhookExpired,
    WebhookFlood,
    WebhookKeyMalformed,
    WebhookReplayed,
    WebhookSignatureWrong,
    WebhookUnsigned,
)
from server.line15.service.lines import Lines
from server.line15.store.idempotency import OnceStore
from server.line15.store.secrets import SecretStore
from server.storage.transactions import Transactions
from telephony import CtiEvent, CtiOutcome

ANSWERS_KEPT: Final = timedelta(hours=24)
LONGEST_KEY: Final = 255
KIND: Final = "webhook"
MESSAGES_A_SECOND: Final = 20.0  # of a site, lasting; each holds up to 100 events
MESSAGES_AT_ONCE: Final = 200
_VERSION: Final = "v1="


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A message as it came; absent headers are empty."""

    site: str
    timestamp: str
    signature: str
    key: str
    body: bytes

    @property
    def claimed(self) -> list[str]:
        """The signatures it carries: several while a secret is being replaced."""
        parts = [part.strip() for part in self.signature.split(",")]
        return [part.removeprefix(_VERSION) for part in parts if part.startswith(_VERSION)]

    @property
    def once(self) -> str:
        """Name what was signed, whichever secret signed it."""
        return hashlib.sha256(webhook_text(self.timestamp, self.body)).hexdigest()

    @property
    def key_hash(self) -> str:
        """Name the idempotency key; empty when there is none."""
        return hashlib.sha256(self.key.encode()).hexdigest() if self.key else ""

    @property
    def body_hash(self) -> str:
        """Name the body."""
        return hashlib.sha256(self.body).hexdigest()


class Webhook:
    """Lets authentic events in, and answers what became of each."""

    def __init__(self, transactions: Transactions, clock: Clock, lines: Lines, bus: Bus) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._lines = lines
        self._bus = bus
        self._buckets: dict[str, Bucket] = {}  # a site that never signed has none

    async def authenticate(self, request: SignedRequest) -> Site:
        """Return the site that signed.

        Raises WebhookUnsigned, WebhookSignatureWrong, WebhookExpired, WebhookKeyMalformed or WebhookFlood.
        """
        if not (request.site and request.timestamp and request.signature):
            raise WebhookUnsigned
        site = None
        async with self._transactions(write=False) as uow:
            try:
                site = await SiteStore(uow).by_key(request.site)
            except NotFound:
                raise WebhookSignatureWrong("site") from None
            secrets = await SecretStore(uow).active(site.id)
        try:
            text = webhook_text(request.timestamp, request.body)
            if made_by(secrets, text, request.claimed) is None:
                raise WebhookSignatureWrong
            if not fresh(request.timestamp, self._clock.now()):
                raise WebhookExpired
            if not _printable(request.key):
                raise WebhookKeyMalformed
            self._count(site.id)
        except AppError as refusal:
            self._lines.refused(site.id, refusal.code)
            raise
        return site

    def _count(self, site: str) -> None:
        """Only who signed is counted: a stranger cannot use up a site's measure."""
        before, now = self._buckets.get(site), self._clock.now()
        bucket = take(before, now, a_second=MESSAGES_A_SECOND, burst=MESSAGES_AT_ONCE)
        if bucket is None:
            raise WebhookFlood
        self._buckets[site] = bucket

    def refused(self, site: Site, code: str) -> None:
        """Count an authentic message that could not be read."""
        self._lines.refused(site.id, code)

    async def known(self, site: Site, request: SignedRequest) -> Mapping[str, object] | None:
        """Return the answer given before under this key. Raises WebhookBodyConflict, WebhookReplayed."""
        now = self._clock.now()
        async with self._transactions(write=False) as uow:
            if request.key:
                before = await OnceStore(uow).answer(site.id, request.key_hash, now)
                if before is not None and before[0] == request.body_hash:
                    return before[1]
                if before is not None:
                    raise WebhookBodyConflict
            if await OnceStore(uow).owner(site.id, KIND, request.once, now) is not None:
                raise WebhookReplayed
        return None

    async def push(self, site: Site, events: Sequence[CtiEvent]) -> Sequence[CtiOutcome]:
        """Return what became of each event, once all are durable."""
        return await self._lines.push(site.id, events)

    async def settle(
        self, site: Site, request: SignedRequest, answer: Mapping[str, object]
    ) -> None:
        """Remember the message and its answer: last, so that a crash before it lets the sender try again."""
        now = self._clock.now()
        first = not self._lines.connected(site.id)
        async with self._transactions() as uow:
            owner = request.key_hash
            await OnceStore(uow).claim(site.id, KIND, request.once, owner, now, now + 2 * WINDOW)
            if request.key:
                await OnceStore(uow).keep_answer(
                    site.id, owner, request.body_hash, answer, now, now + ANSWERS_KEPT
                )
            if first:
                await self._note_connected(uow, site.id)
            await uow.commit()
        self._lines.connect(site.id)
        if first:  # every desk of the site shows that line 15 is connected
            self._bus.publish(SiteChanged(site.id, frozenset()))

    async def _note_connected(self, uow: UnitOfWork, site: str) -> None:
        """From its first message on, the site's line 15 counts as connected by events, also after a restart."""
        now = self._clock.now()
        known = await SiteStore(uow).get(site)
        if known.policy.webhook or known.unread:  # events come in whatever else is wrong
            return
        await SiteStore(uow).set_policy(known, known.policy.decide(webhook=True))
        await Journal(uow).append(Actor("feed", site), journal.webhook_connected(site), now)


def _printable(key: str) -> bool:
    return len(key) <= LONGEST_KEY and key.isascii() and (not key or key.isprintable())
