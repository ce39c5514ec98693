"""Runs the telephony package: one correlator and its sources for each site (I7)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from server.core.clock import Clock, Ids
from server.core.errors import StorageUnavailable
from server.core.sites import Station
from server.line15.domain.report import FeedReport, LineReport
from server.line15.errors import WebhookNotReady
from server.line15.service.ingest import MEMORY, CallIngest
from server.line15.store.facts import FactStore
from server.storage.transactions import Transactions
from telephony import (
    Call,
    CallFeed,
    CallsChanged,
    CtiEvent,
    CtiOutcome,
    Fact,
    FeedHealth,
    FeedState,
    Rang,
)
from telephony.correlate.correlation import Correlator
from telephony.registry import Source
from telephony.runner import Runner
from telephony.sources.webhook.feed import WebhookFeed
from telephony.supervisor import Supervisor

DRAIN_SECONDS = 2.0
PUSH_SECONDS = 10.0
_ORDER = (FeedState.CONNECTED, FeedState.QUIET, FeedState.STARTING, FeedState.DOWN)
_log = structlog.get_logger("line15")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteTelephony:
    """One site's line 15."""

    site: str
    key: str
    correlator: Correlator
    runner: Runner
    feeds: tuple[CallFeed, ...]
    kinds: Mapping[str, str]
    webhook: WebhookFeed
    tell: Callable[[tuple[Call, ...]], Awaitable[None]]


class Lines:
    """Every site's line: starts and stops its runner, says how it fares, takes pushed events."""

    def __init__(
        self, transactions: Transactions, clock: Clock, ids: Ids, supervisor: Supervisor
    ) -> None:
        """Start without any line; `supervisor` keeps every runner's parts going."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._lines: dict[str, SiteTelephony] = {}
        self._supervisor = supervisor
        self._told_by_events: set[str] = set()

    def add(
        self,
        site: str,
        key: str,
        stations: Sequence[Station],
        feeds: Sequence[Source],
        line15: CallIngest,
    ) -> None:
        """Build one site's correlator and feeds; the runner starts later."""
        extensions = [s.extension for s in stations]
        correlator = Correlator(extensions, self._ids.new)
        built = tuple(each.feed(extensions, correlator.live_legs) for each in feeds)

        async def ticked(calls: tuple[Call, ...]) -> None:
            if calls:
                await line15.receive([CallsChanged(calls)])

        webhook = WebhookFeed("webhook", correlator.find, clock=self._clock.now)
        runner = Runner(
            feeds=(*built, webhook),
            correlator=correlator,
            on_changes=line15.receive,
            clock=self._clock.now,
            on_tick=ticked,
        )
        kinds = {each.name: each.kind for each in feeds}
        self._lines[site] = SiteTelephony(
            site=site,
            key=key,
            correlator=correlator,
            runner=runner,
            feeds=built,
            kinds=kinds,
            webhook=webhook,
            tell=ticked,
        )

    async def start(self) -> None:
        """Bring back the calls that were live before a restart, then listen."""
        since = self._clock.now() - MEMORY
        for line in self._lines.values():
            await self._restore(line, since)
            line.runner.start(self._supervisor, f"line15.{line.key}")

    async def _restore(self, line: SiteTelephony, since: datetime) -> None:
        async with self._transactions(write=False) as uow:
            facts = await FactStore(uow).of_live(line.site, since)
        by_call: dict[str, list[Fact]] = {}
        for call, fact in facts:
            by_call.setdefault(call, []).append(fact)
        for call, several in by_call.items():
            line.correlator.restore(call, several)
        # Nobody told what happened meanwhile: each call is unconfirmed until its next word. All are stored again:
        # this release may read the same facts otherwise than the one that stored them.
        line.correlator.restarted(self._clock.now())
        await line.tell(line.correlator.calls())
        if by_call:
            _log.info("line15.restored", site=line.key, calls=len(by_call))

    async def drain(self) -> None:
        """Wait a moment until what the feeds told is stored."""
        for line in self._lines.values():
            with suppress(
                TimeoutError
            ):  # the next message tells again what a silent database holds up
                await asyncio.wait_for(line.runner.drained(), DRAIN_SECONDS)

    def state(self, site: str) -> str:
        """Return the best state among a site's feeds: one that works is enough."""
        healths = self._healths(site)
        if not healths:
            return "none"
        states = {health.state for health in healths}
        best = next((state for state in _ORDER if state in states), FeedState.DOWN)
        return "down" if best is FeedState.STARTING else best.value

    def _healths(self, site: str) -> Sequence[FeedHealth]:
        """Every site can be told by events; the feed counts once it has been."""
        line = self._lines.get(site)
        if line is None:
            return ()
        counted = {feed.name for feed in line.feeds}
        counted |= {line.webhook.name} if self.connected(site) else set()
        return tuple(health for health in line.runner.health() if health.name in counted)

    def states(self) -> Mapping[str, str]:
        """Return the state of every site's line 15."""
        return {site: self.state(site) for site in self._lines}

    def healths(self) -> Mapping[str, Sequence[FeedHealth]]:
        """Return every feed's health by site key, for the metrics."""
        return {line.key: self._healths(site) for site, line in self._lines.items()}

    def report(self, site: str) -> LineReport:
        """Tell an administrator everything of a site's line 15; one added since the start has none."""
        line = self._lines.get(site)
        if line is None:
            return LineReport(feeds=(), calls=(), queued=0, overflow=0, failures=0, errors=0)
        stats = line.runner.stats
        return LineReport(
            feeds=tuple(
                FeedReport(line.kinds.get(each.name, "webhook"), each, stats.restarts[each.name])
                for each in self._healths(site)
            ),
            calls=line.correlator.calls(),
            queued=stats.queued,
            overflow=stats.overflow,
            failures=stats.subscriber_failures,
            errors=stats.errors,
        )

    # --- events pushed by the web server
    def connected(self, site: str) -> bool:
        """Whether this site's line 15 is known to be told by events."""
        return site in self._told_by_events

    def connect(self, site: str) -> None:
        """From now on, this site's line 15 is told by events too."""
        self._told_by_events.add(site)

    def refused(self, site: str, code: str) -> None:
        """Count a message that was not taken."""
        if line := self._lines.get(site):
            line.webhook.refuse(code)

    async def push(self, site: str, events: Sequence[CtiEvent]) -> Sequence[CtiOutcome]:
        """Take events in; return when line 15 has stored what they changed.

        The delivery goes on when this gives up: sent again, the same events wait for it, and are known.
        """
        line = self._lines.get(site)
        if line is None or not line.webhook.listening:
            raise WebhookNotReady
        read = line.webhook.read(events)
        facts = [fact for _, several in read for fact in several]
        # What makes a call goes first: names told before it in the same message are not made to wait.
        facts.sort(key=lambda fact: not isinstance(fact, Rang))
        reasons = await self._delivered(line, facts) if facts else {}
        return [_outcome(line, leg, [reasons[fact] for fact in several]) for leg, several in read]

    async def _delivered(self, line: SiteTelephony, facts: Sequence[Fact]) -> Mapping[Fact, str]:
        try:
            async with asyncio.timeout(PUSH_SECONDS):
                told = await line.runner.submit(facts)
        except asyncio.QueueFull:
            line.webhook.refuse("webhook_queue_full")
            raise WebhookNotReady("queue_full") from None
        except TimeoutError:
            raise StorageUnavailable("line15") from None
        reasons: dict[Fact, str] = {}
        for fact, reason in zip(facts, told, strict=True):
            reasons.setdefault(fact, reason)
        return reasons

    def feed(self, kind: type[CallFeed]) -> CallFeed | None:
        """Return the first feed of a kind (tests read the port it bound)."""
        feeds = (feed for line in self._lines.values() for feed in line.feeds)
        return next((feed for feed in feeds if isinstance(feed, kind)), None)


def _outcome(line: SiteTelephony, leg: str, reasons: Sequence[str]) -> CtiOutcome:
    """Say what became of an event from why each of its facts was ignored; a leg without a call is only in memory."""
    call = line.correlator.call_of(leg)
    if call is None:
        return CtiOutcome("waiting", None)
    if "" in reasons:
        return CtiOutcome("accepted", call.id)
    known = all(reason == "repeated" for reason in reasons)
    return CtiOutcome("repeated" if known else "refused", call.id)
