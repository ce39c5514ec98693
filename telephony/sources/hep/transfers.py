"""A call that is transferred goes on in another dialog; its messages say which.

REFER asks one party to call somebody (RFC 3515); with Replaces the new INVITE takes over a dialog that was set
up before (RFC 3891, RFC 5589). Pure; bounded; messages may come in any order.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import unquote

from telephony.model.facts import Paired
from telephony.model.number import called_as
from telephony.sip.message import address

if TYPE_CHECKING:
    from datetime import datetime

    from telephony.sip.message import SipMessage

#: Between a REFER without Replaces and the INVITE it asks for.
WINDOW: Final = timedelta(seconds=10)
_KEPT: Final = 1000
_LONGEST: Final = 256
_K = TypeVar("_K")
_V = TypeVar("_V")


class Transfers:
    """Ties the dialog a transfer makes to the one it came from."""

    def __init__(self, source: str) -> None:
        """Start empty; `source` is written in the verdicts."""
        self._source = source
        #: Replaced dialog → the dialog in which somebody was told to replace it; → the one that did.
        self._told: OrderedDict[str, str] = OrderedDict()
        self._took: OrderedDict[str, str] = OrderedDict()
        #: Called user → dialogs in which somebody was told to call it, lately.
        self._blind: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def refers(self, leg: str, message: SipMessage, at: datetime) -> list[Paired]:
        """Note a REFER in the dialog `leg`."""
        target = address(message.first("refer-to"))
        replaced = _replaced(dict(_headers(target.uri)).get("replaces", ""))
        if not replaced:
            if target.user:
                called = called_as(target.user, target.uri)
                _keep(self._blind, (called[:_LONGEST], leg), at)
            return []
        _keep(self._told, replaced, leg)
        took = self._took.get(replaced)
        return [] if took is None else [self._transferred(took, leg, at)]

    def invites(self, leg: str, message: SipMessage, called: str, at: datetime) -> list[Paired]:
        """Note an initial INVITE that opens the dialog `leg`."""
        replaced = _replaced(message.first("replaces"))
        if replaced:
            _keep(self._took, replaced, leg)
            over = f"sip:{replaced}"
            why = "takes its dialog over (Replaces)"
            facts = [Paired(leg, at, self._source, over, why, inferred=False)]
            told = self._told.get(replaced)
            return facts if told is None else [*facts, self._transferred(leg, told, at)]
        if not message.first("referred-by"):
            return []
        near = [
            other
            for (user, other), when in self._blind.items()
            if user == called and other != leg and timedelta() <= at - when <= WINDOW
        ]
        if len(near) != 1:
            return []
        why = "called at its request (REFER, Referred-By)"
        return [Paired(leg, at, self._source, near[0], why)]

    def _transferred(self, leg: str, former: str, at: datetime) -> Paired:
        return Paired(
            leg, at, self._source, former, "transferred (REFER, Replaces)", inferred=False
        )


def _headers(uri: str) -> list[tuple[str, str]]:
    """List the headers a URI asks for (RFC 3261, 19.1.1), unescaped."""
    parts = uri.partition("?")[2].split("&")
    return [(unquote(k).lower(), unquote(v)) for k, _, v in (part.partition("=") for part in parts)]


def _replaced(value: str) -> str:
    """Read the Call-ID out of a Replaces header."""
    call_id = value.partition(";")[0].strip()
    return call_id if len(call_id) <= _LONGEST else ""


def _keep(into: OrderedDict[_K, _V], key: _K, value: _V) -> None:
    into[key] = value
    into.move_to_end(key)
    if len(into) > _KEPT:
        into.popitem(last=False)
