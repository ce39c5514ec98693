"""Dataclasses as what JSON knows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any


def plain(part: object) -> dict[str, Any]:
    """Turn a part into JSON's types, times as ISO 8601 UTC: for pages and for the API alike."""
    shown = _plain(asdict(part))  # type: ignore[call-overload]
    assert isinstance(shown, dict)  # noqa: S101 - tells the type checker what asdict returns
    return shown


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case str():
            return str(value)
        case Sequence():
            return [_plain(item) for item in value]
        case _:
            return value
