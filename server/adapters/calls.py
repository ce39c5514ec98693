"""The telephony package behind the server's ports: one correlator and its feeds for each site (I7)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from server.config import FeedSettings, HepFeedSettings, PyVoipFeedSettings, ReplayFeedSettings
from server.ports import Clock, Ids, Station, Transactions
from server.services.line15 import MEMORY, Line15
from server.tasks import cancel_and_wait, create_task
from telephony import Call, CallFeed, Changed, FeedHealth, FeedState
from telephony.correlation import Correlator
from telephony.feed_hep import HepFeed
from telephony.feed_pyvoip import PyVoipAccount, PyVoipFeed
from telephony.feed_replay import ReplayFeed
from telephony.runner import Runner

_log = structlog.get_logger("line15")
DRAIN_SECONDS = 2.0
_ORDER = (FeedState.CONNECTED, FeedState.QUIET, FeedState.STARTING, FeedState.DOWN)


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site's line 15."""

    site: str
    key: str
    correlator: Correlator
    runner: Runner
    feeds: tuple[CallFeed, ...]
    tell: Callable[[tuple[Call, ...]], Awaitable[None]]


class TelephonyCalls:
    """The Calls port, and the life of every runner."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids) -> None:
        """Start without any line."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._lines: dict[str, SiteLine] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(
        self,
        site: str,
        key: str,
        stations: Sequence[Station],
        feeds: Sequence[FeedSettings],
        line15: Line15,
    ) -> None:
        """Build one site's correlator and feeds; the runner starts later."""
        extensions = [s.extension for s in stations]
        built = tuple(_build(settings, extensions) for settings in feeds)
        correlator = Correlator(extensions, self._ids.new)

        async def ticked(calls: tuple[Call, ...]) -> None:
            if calls:
                await line15.receive([Changed(calls)])

        runner = Runner(built, correlator, line15.receive, self._clock.now, ticked)
        self._lines[site] = SiteLine(site, key, correlator, runner, built, ticked)

    async def start(self) -> None:
        """Bring back the calls that were live before a restart, then listen."""
        since = self._clock.now() - MEMORY
        for line in self._lines.values():
            await self._restore(line, since)
            self._tasks.append(create_task(line.runner.run(), f"line15.{line.key}"))

    async def _restore(self, line: SiteLine, since: datetime) -> None:
        async with self._transactions(write=False) as uow:
            facts = await uow.calls.facts_of_live(line.site, since)
        by_call: dict[str, list[object]] = {}
        for call, fact in facts:
            by_call.setdefault(call, []).append(fact)
        for call, several in by_call.items():
            line.correlator.restore(call, several)  # type: ignore[arg-type]
        # Nobody told what happened meanwhile: each call is uncertain until its next word.
        now = self._clock.now()
        for source in {fact.source for _, fact in facts}:
            await line.tell(line.correlator.feed_lost(source, now))
        if by_call:
            _log.info("line15.restored", site=line.key, calls=len(by_call))

    async def stop(self) -> None:
        """Stop every feed."""
        for line in self._lines.values():
            with suppress(
                TimeoutError
            ):  # what a silent database holds up is told again by the next message
                await asyncio.wait_for(line.runner.drained(), DRAIN_SECONDS)
        await cancel_and_wait(*self._tasks)
        self._tasks.clear()

    def state(self, site: str) -> str:
        """Return the best state among a site's feeds: one that works is enough."""
        line = self._lines.get(site)
        if line is None or not line.feeds:
            return "none"
        states = {health.state for health in line.runner.health()}
        best = next((state for state in _ORDER if state in states), FeedState.DOWN)
        return "down" if best is FeedState.STARTING else best.value

    def states(self) -> Mapping[str, str]:
        """Return the state of every site's line 15."""
        return {site: self.state(site) for site in self._lines}

    def healths(self) -> Mapping[str, Sequence[FeedHealth]]:
        """Return every feed's health by site key, for the metrics."""
        return {line.key: line.runner.health() for line in self._lines.values()}

    def feed(self, kind: type[CallFeed]) -> CallFeed | None:
        """Return the first feed of a kind (tests read the port it bound)."""
        feeds = (feed for line in self._lines.values() for feed in line.feeds)
        return next((feed for feed in feeds if isinstance(feed, kind)), None)


def _build(settings: FeedSettings, stations: Sequence[str]) -> CallFeed:
    match settings:
        case HepFeedSettings():
            return _hep(settings, stations)
        case PyVoipFeedSettings():
            return _pyvoip(settings, stations)
        case ReplayFeedSettings():
            return ReplayFeed(
                settings.name, speed=settings.speed, talk=settings.talk, stations=stations
            )


def _hep(settings: HepFeedSettings, stations: Sequence[str]) -> CallFeed:
    key = settings.auth_key.get_secret_value() if settings.auth_key else None
    return HepFeed(
        settings.name,
        settings.host,
        settings.port,
        auth_key=key,
        allow=settings.allow,
        private_headers=settings.private_headers,
        stations=stations,
        quiet_after=settings.quiet_after,
    )


def _pyvoip(settings: PyVoipFeedSettings, stations: Sequence[str]) -> CallFeed:
    account = PyVoipAccount(
        server=settings.server,
        username=settings.extension,
        password=settings.password.get_secret_value(),
        port=settings.port,
        my_ip=settings.bind,
        sip_port=settings.bind_port,
        rtp_low=settings.rtp_low,
        rtp_high=settings.rtp_high,
        allow=settings.allow,
    )
    return PyVoipFeed(settings.name, account, stations=stations)
