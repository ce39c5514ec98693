"""The background loops of all features; the listener adds its own."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial

import structlog

from server.core.errors import StorageUnavailable
from server.core.loops import Loop
from server.delivery.service.delivery import DeliveryService
from server.identity.service.sign_ins import SignIns
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.lines import Lines
from server.line15.service.states import LineStates
from server.reconcile.service.reconciler import Reconciler
from server.recordings.service import RecordingCatalogue
from server.video.service.sessions import Sessions
from telephony import FoundRecording
from telephony.sources.recordings.feed import RecordingsFeed

SWEEP_SECONDS = 5.0
SIGN_INS_SECONDS = 30.0
RECONCILE_SECONDS = 1.0
LINES_SECONDS = 1.0
RECORDINGS_SECONDS = 60.0
Folders = Sequence[tuple[str, RecordingsFeed]]
_log = structlog.get_logger("server")


def delivery_loops(delivery: DeliveryService) -> list[Loop]:
    """A lane a channel; each returns once what is on its way has landed."""
    return [
        Loop(name=f"delivery.{channel}", work=run, close=delivery.close)
        for channel, run in delivery.loops().items()
    ]


def housekeeping_loops(
    *, sessions: Sessions, grace: timedelta, spoken: SpokenCodes, sign_ins: SignIns
) -> list[Loop]:
    """What ends by time: sessions, spoken codes, sign-ins."""
    late = "sweep.postponed"
    return [
        Loop(
            name="sweep",
            work=lambda: sessions.sweep(grace),
            every=SWEEP_SECONDS,
            postponed=late,
        ),
        Loop(name="spoken", work=spoken.sweep, every=SWEEP_SECONDS, postponed=late),
        Loop(name="sign_ins", work=sign_ins.sweep, every=SIGN_INS_SECONDS, postponed=late),
    ]


def line15_loops(*, lines: Lines, states: LineStates, reconciler: Reconciler) -> list[Loop]:
    """What follows from what line 15 tells; the runners of the sites start their own parts."""
    return [
        Loop(
            name="reconcile",
            work=lambda: reconciler.due(list(lines.states())),
            every=RECONCILE_SECONDS,
            postponed="reconcile.postponed",
        ),
        Loop(
            name="line15.states",
            work=states.tell,
            every=LINES_SECONDS,
            postponed="line15.postponed",
        ),
    ]


def recordings_loops(catalogue: RecordingCatalogue, folders: Folders) -> list[Loop]:
    """Look whether the files are there (some each minute, each once an hour), and what comes into each folder."""
    check = Loop(
        name="recordings",
        work=catalogue.check,
        every=RECORDINGS_SECONDS,
        at_once=True,
        postponed="recordings.postponed",
    )
    watched = [
        Loop(
            name=f"recordings.{site}.{feed.name}",
            work=partial(_watch_folder, catalogue, site, feed),
        )
        for site, feed in folders
    ]
    return [check, *watched]


async def _watch_folder(catalogue: RecordingCatalogue, site: str, feed: RecordingsFeed) -> None:
    """Hand what comes into a folder to the catalogue; what it could not take comes again."""

    async def take(found: Sequence[FoundRecording]) -> Collection[str]:
        try:
            return await catalogue.take(site, feed.name, found)
        except StorageUnavailable as away:
            _log.warning("recordings.postponed", site=site, code=away.code)
            return ()

    await feed.run(take)
