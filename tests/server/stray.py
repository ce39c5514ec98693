"""Rows that this release never writes: what an earlier or a later one wrote, or anything at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from server.core.journal.entries import Entry


@dataclass(frozen=True)
class _Verb:
    action: str


@dataclass(frozen=True)
class _Held:
    held: Mapping[str, Any]

    def data(self) -> Mapping[str, Any]:
        return self.held


@dataclass(frozen=True)
class _Stray:
    verb: _Verb
    subject: str
    session: str | None
    call: str | None
    payload: _Held
    personal: _Held


def stray(
    action: str,
    subject: str,
    session: str | None = None,
    call: str | None = None,
    data: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
) -> Entry:
    """What `Journal.append` takes for an entry, of a verb that need not be in the list."""
    row = _Stray(_Verb(action), subject, session, call, _Held(data or {}), _Held(personal or {}))
    return cast("Entry", row)
