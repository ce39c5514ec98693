"""The one place where background tasks start: named, referenced, failures logged."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

Work = Callable[[], Awaitable[None]]
#: Queues work of a page behind what the page asked for before; a refusal of it answers the frame that caused it.
Later = Callable[[Work], None]
_running: set[asyncio.Task[Any]] = set()
_log = structlog.get_logger("tasks")


def create_task(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Start `work`; it is kept alive until done and its failure is never silent."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _running.add(task)
    task.add_done_callback(_finished)
    return task


def _finished(task: asyncio.Task[Any]) -> None:
    _running.discard(task)
    if not task.cancelled() and (error := task.exception()):
        _log.error("task.failed", task=task.get_name(), error=type(error).__name__, exc_info=error)


async def cancel_and_wait(*tasks: asyncio.Task[Any] | None) -> None:
    """Stop `tasks` and wait until they are gone."""
    alive = [task for task in tasks if task is not None]
    for task in alive:
        task.cancel()
    await asyncio.gather(*alive, return_exceptions=True)
