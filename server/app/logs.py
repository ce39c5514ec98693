"""Structured logs: one JSON object a line on stderr; names and ids only (rule 9 of the house).

Here, in one place, everything from outside is kept out of them: libraries write the cookies, headers, paths and frames
they stumble over, and the message of any exception may hold the value that caused it.
"""

import errno
import logging
import ssl
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import ExcInfo

from server.core.errors import AppError

#: Loggers of the standard library whose words are ours; structlog's are ours anyway.
OURS: Final = ("telephony", "server")
LIBRARY: Final = "library.said"
#: What the interpreter says of a machine in trouble; constants, so that nothing from outside can be in them.
TROUBLE: Final = frozenset({"can't start new thread", "Event loop is closed"})


def configure(level: str) -> None:
    """Send structlog and the standard library's loggers through one JSON renderer."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(trace),
    ]
    # What the telephony, which logs by the standard library, says beside the event; nobody else's extras.
    ours = structlog.stdlib.ExtraAdder(("feed", "fact", "loop", "error", "failures", "delay"))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, ours, without_words],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("asyncio", "alembic", "aiosqlite", "tornado.access", "sqlalchemy.engine"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def without_words(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what a library says by the line of its code that says it: the words hold what came from outside."""
    record: logging.LogRecord = event["_record"]
    if record.name.partition(".")[0] not in OURS:
        event["event"] = LIBRARY
        event["where"] = f"{record.module}.{record.funcName}:{record.lineno}"
    return event


def trace(exc_info: ExcInfo) -> str:
    """Return where an exception comes from, and its kind, without its message; also of what led to it."""
    return "\n".join(_told(exc_info[1]))


def _told(fault: BaseException) -> Iterator[str]:
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    if before is not None:
        yield from _told(before)
        yield "which led to:"
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(fault.__traceback__)).rstrip("\n")
    yield _kind(fault)
    if isinstance(fault, BaseExceptionGroup):
        for each in fault.exceptions:
            yield from _told(each)


def _kind(fault: BaseException) -> str:
    """Name an exception; what is said beside it is from a list of ours, of the system or of the database."""
    name = f"{type(fault).__module__}.{type(fault).__qualname__}".removeprefix("builtins.")
    return f"{name}: {said}" if (said := _safe(fault)) else name


def _safe(fault: BaseException) -> str:
    if isinstance(fault, AppError):
        return f"{fault.code} {fault.detail}".rstrip()
    if isinstance(fault, ssl.SSLError):
        return fault.reason or ""
    if isinstance(fault, OSError):
        return errno.errorcode.get(fault.errno or 0, "")
    if str(fault) in TROUBLE:
        return str(fault)
    if remedy := getattr(type(fault), "remedy", ""):  # words of the class: nothing from outside
        return str(remedy)
    return str(getattr(fault, "sqlite_errorname", "") or getattr(fault, "sqlstate", "") or "")
