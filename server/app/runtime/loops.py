"""Runs loops: each under the supervisor, by turns if it has any."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import structlog

from server.core.errors import StorageUnavailable
from server.core.loops import Loop
from telephony.supervisor import RestartPolicy, Supervisor

_log = structlog.get_logger("server")


def start(supervisor: Supervisor, loop: Loop) -> "asyncio.Task[None]":
    """Start a loop and keep it running."""
    return supervisor.start(loop.name, lambda: _run(loop), pace=pace(loop), vital=loop.vital)


def pace(loop: Loop) -> RestartPolicy:
    """Return how the loop is restarted: a run proves itself only once it has survived a turn."""
    survived = 2 * (loop.every or 0)
    return replace(loop.pace, steady=max(loop.pace.steady, survived))


async def _run(loop: Loop) -> None:
    if loop.every is None:
        await _done(loop.work)
        return
    if loop.at_once:
        await _turn(loop)
    while True:
        await asyncio.sleep(loop.every)
        await _turn(loop)


async def _turn(loop: Loop) -> None:
    """Do one turn; while the database is away, which readiness says by itself, leave it for the next."""
    try:
        await _done(loop.work)
    except StorageUnavailable as away:
        _log.warning(loop.postponed, code=away.code)


async def _done(work: Callable[[], object]) -> None:
    made = work()
    if isinstance(made, Awaitable):
        await made
