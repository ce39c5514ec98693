"""The health of a site's line 15, for an administrator: each feed in figures and words, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from server.core.clock import Clock
from server.line15.domain.feed_words import advice, level, remark, state_words, why_refused
from server.line15.domain.report import FeedReport
from server.line15.service.lines import Lines
from telephony import Call

CONTRADICTION: Final = "contradict each other"
LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """How many messages of a feed were dropped for one reason since the server started."""

    reason: str
    count: int
    words: str


@dataclass(frozen=True, slots=True)
class FeedPart:
    """One feed. `level` is ok, watch or bad; `lag` in seconds holds the difference of the two clocks too.

    `remark` says in words what is to be known of the switchboard's version, if anything.
    """

    name: str
    kind: str
    state: str
    words: str
    level: str
    since: datetime
    last_message: datetime | None
    received: int
    per_minute: int
    lag: float | None
    resynced: datetime | None
    restarts: int
    refused: Sequence[RefusedPart]
    sample: str
    advice: Sequence[str]
    switchboard: str = ""
    remark: str = ""
    dropped: int = 0
    overflow: int = 0


@dataclass(frozen=True, slots=True)
class ContradictionPart:
    """A call that two feeds tell otherwise, without its number."""

    call: str
    began: datetime
    why: str


@dataclass(frozen=True, slots=True)
class LineHealth:
    """A site's line 15 now."""

    at: datetime
    level: str
    feeds: Sequence[FeedPart]
    live: int
    uncertain: int
    contradictions: Sequence[ContradictionPart]
    queued: int
    overflow: int
    dropped: int
    failures: int
    advice: Sequence[str]


class LineHealthReader:
    """Reads a site's line 15; what it holds is in memory, no database is asked."""

    def __init__(self, lines: Lines, clock: Clock) -> None:
        """Take the parts."""
        self._lines = lines
        self._clock = clock

    def read(self, site: str) -> LineHealth:
        """Tell how this site's line 15 fares (I7: no other's)."""
        report = self._lines.report(site)
        feeds = [_feed(each) for each in report.feeds]
        live = [call for call in report.calls if call.live]
        uncertain = sum(not call.certain for call in live)
        disputed = _contradictions(report.calls)
        failures = report.failures + report.errors
        told = _line_advice(feeds, uncertain, len(disputed), report.overflow, report.queued)
        levels = [feed.level for feed in feeds] or ["watch"]
        worst = next((one for one in ("bad", "watch") if one in levels), "ok")
        return LineHealth(
            at=self._clock.now(),
            level="watch" if told and worst == "ok" else worst,
            feeds=feeds,
            live=len(live),
            uncertain=uncertain,
            contradictions=disputed[-LISTED:],
            queued=report.queued,
            overflow=report.overflow,
            dropped=sum(feed.dropped for feed in feeds),
            failures=failures,
            advice=told,
        )


def _feed(report: FeedReport) -> FeedPart:
    health = report.health
    refused = sorted(health.rejected.items(), key=lambda each: (-each[1], each[0]))
    return FeedPart(
        name=health.name,
        kind=report.kind,
        state=health.state.value,
        words=state_words(health.state.value),
        level=level(health.state.value, health.lag, lost=health.dropped + health.overflow),
        since=health.since,
        last_message=health.last_message,
        received=health.received,
        per_minute=health.recent,
        lag=health.lag,
        resynced=health.resynced,
        restarts=report.restarts,
        refused=[RefusedPart(reason, count, why_refused(reason)) for reason, count in refused],
        sample=health.sample,
        advice=advice(
            report.kind,
            health.state.value,
            health.lag,
            health.rejected,
            dropped=health.dropped,
            overflow=health.overflow,
        ),
        switchboard=health.switchboard,
        remark=remark(health.switchboard),
        dropped=health.dropped,
        overflow=health.overflow,
    )


def _contradictions(calls: Sequence[Call]) -> Sequence[ContradictionPart]:
    found = {}
    for call in calls:
        for why in (*call.evidence, *(each.why for each in call.related)):
            if CONTRADICTION in why:
                found[call.id, why] = ContradictionPart(call.id, call.started, why)
    return list(found.values())


def _line_advice(
    feeds: Sequence[FeedPart], uncertain: int, disputed: int, overflow: int, queued: int
) -> Sequence[str]:
    told = []
    if not feeds:
        told.append(
            "Aucune source n’est raccordée : les vidéos partent, leur appel se choisit à la main. "
            "Ajoutez une entrée [[feeds]] à la configuration, puis redémarrez Visio15."
        )
    if dropped := sum(feed.dropped for feed in feeds):
        told.append(
            f"Messages perdus avant d’être lus, depuis le démarrage : {dropped} (la source dit quoi faire). "
            "Les appels en cours à ce moment sont restés à confirmer."
        )
    if overflow:
        told.append(
            f"Messages perdus, file pleine, depuis le démarrage : {overflow}. Une source envoyait trop, ou la base de "
            "données ne suivait plus. Les appels en cours à ce moment sont restés à confirmer."
        )
    elif queued:
        told.append(
            "Des messages attendent d’être enregistrés. Si ce nombre ne retombe pas, vérifiez la base de données."
        )
    if uncertain:
        told.append(
            f"Appels non confirmés : {uncertain}. Une source a été coupée, ou deux lectures sont possibles ; "
            "un appel est de nouveau certain à son prochain message."
        )
    if disputed:
        told.append(
            "Deux sources se contredisent sur un même appel : comparez leurs horloges et ce que chacune "
            "transmet du numéro de l’appelant."
        )
    return told
