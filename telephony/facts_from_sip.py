"""Turns SIP messages seen on the wire into facts, for every feed that sees SIP.

Pure: the wire gives the times. One observer watches one feed; it remembers dialogs (bounded) only
to tell an initial INVITE from a re-INVITE, a hold from its refusal, a proxy's branch from the
caller's. What it has forgotten after a restart it reports with less certainty, not wrongly.
RFC 3261; RFC 3264 8.4 and RFC 2543 (hold); RFC 3326 (Reason).
"""

from __future__ import annotations

import re
from bisect import insort
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from telephony.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Rang,
    Resumed,
    Seen,
)
from telephony.number import Number, parse_number
from telephony.pairing import Pairing
from telephony.sip import Address, SipMessage, address, uri_user
from telephony.transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

DEFAULT_HEADERS: Final = ("X-Line15-Call-ID",)
#: Who places notification calls (contrib/): they are about a call, they are none.
NOTIFIER: Final = "visio15-notify"
_CALL_METHODS: Final = frozenset(
    {"INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "REFER"}
)
_CAUSE: Final = re.compile(r"cause\s*=\s*([0-9]{1,3})")
_EXTENSION: Final = re.compile(r"[0-9]{2,6}")
_MAX_VALUE: Final = 256
_MAX_DIALOGS: Final = 20_000
_MAX_KEPT: Final = 64
_AUTHENTICATE: Final = (401, 407)
_TERMINATED: Final = 487
_OK, _REDIRECT, _FAILURE = 200, 300, 400
_TICK: Final = timedelta(microseconds=1)


@dataclass(slots=True)
class _Dialog:
    """What one Call-ID showed so far, only as far as later messages need it."""

    initial: set[int] = field(default_factory=set)
    vias: int = 0
    branches: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    rang: dict[tuple[str, str | None], None] = field(default_factory=dict)
    named: set[Alias] = field(default_factory=set)
    offers: dict[tuple[int, str], str | None] = field(default_factory=dict)
    #: Answers that came before their offer, by (CSeq, From-tag).
    early: dict[tuple[int, str], datetime] = field(default_factory=dict)
    #: What was agreed, when, by whose offer; and what was told of each moment.
    agreed: list[tuple[datetime, str, str]] = field(default_factory=list)
    told: dict[datetime, bool] = field(default_factory=dict)

    def upstream(self, branch: str) -> bool:
        """Whether this branch is the caller's own, not one a proxy forked."""
        known = self.branches.get(branch)
        return known is None or known[0] <= self.vias


class SipObserver:
    """One feed's eye on SIP. `stations` are the monitored extensions.

    `private_headers` is an ordered list: the first present names the call, the others are noted.
    """

    def __init__(
        self,
        source: str,
        stations: Collection[str],
        private_headers: Sequence[str] = DEFAULT_HEADERS,
    ) -> None:
        """Start knowing no dialog."""
        self._source = source
        self._stations = frozenset(stations)
        self._headers = tuple(private_headers)
        self._dialogs: OrderedDict[str, _Dialog] = OrderedDict()
        self._pairing = Pairing(source)
        self._transfers = Transfers(source)

    def observe(
        self, message: SipMessage, at: datetime, src: tuple[str, int], dst: tuple[str, int]
    ) -> list[Fact]:
        """Tell what one captured message means; a repeated one says the same or nothing new."""
        cseq = message.cseq
        call_id = message.call_id
        if cseq is None or not call_id or len(call_id) > _MAX_VALUE:
            return []
        if (message.method or cseq[1]) not in _CALL_METHODS:
            return []
        if message.first("x-line15-event") or NOTIFIER in {message.from_.user, message.to.user}:
            return []
        leg = f"sip:{call_id}"
        if message.method == "INVITE" and not message.to.tag:
            return self._invite(leg, message, cseq[0], at, (src[0], dst[0]))
        dialog = self._dialogs.get(leg)
        facts = (
            self._request(leg, dialog, message, at)
            if message.method
            else self._response(leg, dialog, message, at)
        )
        return [*facts, *self._judge(leg, facts, at)]

    def _dialog(self, leg: str) -> _Dialog:
        """Return what is kept of a Call-ID, from now on."""
        dialog = self._dialogs.setdefault(leg, _Dialog())
        self._dialogs.move_to_end(leg)
        if len(self._dialogs) > _MAX_DIALOGS:
            self._dialogs.popitem(last=False)
        return dialog

    def _judge(self, leg: str, facts: Sequence[Fact], at: datetime) -> list[Fact]:
        """Ask again which legs are one call, after this message."""
        if any(isinstance(fact, Answered) for fact in facts):
            return list(self._pairing.answered(leg, at))
        if any(isinstance(fact, HungUp) for fact in facts):
            return list(self._pairing.ended(leg, at))
        return list(self._pairing.seen(leg, at))

    def _invite(
        self, leg: str, message: SipMessage, cseq: int, at: datetime, hosts: tuple[str, str]
    ) -> list[Fact]:
        dialog = self._dialog(leg)
        rings = self._rings(leg, message, at)
        self._note(dialog, message, cseq, rings[0].station)
        facts: list[Fact] = list(self._names(leg, dialog, message, at))
        numbers = _numbers(message, "from", "p-asserted-identity", "remote-party-id")
        more = _numbers(message, "diversion", "history-info")
        facts += self._pairing.invited(leg, at, hosts, numbers, numbers | more)
        facts += self._transfers.invites(leg, message, rings[0].called or "", at)
        fresh = [ring for ring in rings if (ring.called or "", ring.station) not in dialog.rang]
        if len(dialog.rang) < _MAX_KEPT:
            dialog.rang |= {(ring.called or "", ring.station): None for ring in fresh}
        facts += fresh or [Seen(leg, at, self._source)]
        return facts

    def _rings(self, leg: str, message: SipMessage, at: datetime) -> list[Rang]:
        """Say who calls whom; an internal call has a station at each end, hence two facts."""
        called = uri_user(message.request_uri) or message.to.user
        target = next((user for user in (called, message.to.user) if user in self._stations), None)
        origin = message.from_.user if message.from_.user in self._stations else None
        if origin:
            direction = Direction.INTERNAL if target else Direction.OUTGOING
        else:
            direction = Direction.INCOMING if target else Direction.UNKNOWN
        caller = None if origin else _caller(message)
        ends = list(dict.fromkeys((target, origin) if target else (origin,)))
        called = called[:_MAX_VALUE]
        return [
            Rang(leg, at, self._source, caller, called, station, direction)
            for station in ends
            if station or len(ends) == 1
        ]

    def _note(self, dialog: _Dialog, message: SipMessage, cseq: int, station: str | None) -> None:
        """Remember the transaction: fewest Vias means nearest to the caller."""
        branches = message.branches
        dialog.vias = min(dialog.vias or len(branches), len(branches))
        if len(dialog.initial) < _MAX_KEPT:
            dialog.initial.add(cseq)
        if branches and len(dialog.branches) < _MAX_KEPT:
            dialog.branches.setdefault(branches[0], (len(branches), station))

    def _names(self, leg: str, dialog: _Dialog, message: SipMessage, at: datetime) -> list[Aliased]:
        found = [(AliasType.SIP_CALL_ID, message.call_id, "Call-ID")]
        calls, incidents = message.nena_ids
        found += [(AliasType.NENA_CALLID, value, "Call-Info") for value in calls]
        found += [(AliasType.NENA_INCIDENTID, value, "Call-Info") for value in incidents]
        if len(message.session_ids) > 1:
            found.append((AliasType.SESSION_ID, ";".join(message.session_ids), "Session-ID"))
        private = AliasType.PRIVATE_HEADER
        for header in self._headers:
            if value := message.first(header.lower()):
                found.append((private, value, header))
                private = AliasType.OTHER_HEADER
        return self._aliased(leg, dialog, found, at)

    def _aliased(
        self,
        leg: str,
        dialog: _Dialog,
        found: Sequence[tuple[AliasType, str, str]],
        at: datetime,
    ) -> list[Aliased]:
        facts = []
        for kind, value, why in found:
            alias = Alias(kind, value)
            if len(value) <= _MAX_VALUE and alias not in dialog.named:
                if len(dialog.named) < _MAX_KEPT:
                    dialog.named.add(alias)
                facts.append(Aliased(leg, at, self._source, alias, why))
        return facts

    def _request(
        self, leg: str, dialog: _Dialog | None, message: SipMessage, at: datetime
    ) -> list[Fact]:
        key = ((message.cseq or (0, ""))[0], message.from_.tag)
        facts: Sequence[Fact] = ()
        match message.method:
            case "BYE":
                cause = _CAUSE.search(message.first("reason"))
                facts = [self._hung_up(leg, at, f"bye {cause.group(1)}" if cause else "bye")]
            case "CANCEL" if not dialog or dialog.upstream((message.branches or ("",))[0]):
                facts = [self._hung_up(leg, at, "cancelled", certain=False)]
            case "INVITE" | "UPDATE" if dialog and len(dialog.offers) < _MAX_KEPT:
                dialog.offers[key] = message.direction
                if key in dialog.early and message.direction is not None:
                    facts = self._agreed(leg, dialog, key, dialog.early.pop(key))
            case "ACK" if dialog and dialog.offers.get(key, "") is None:
                dialog.offers[key] = message.direction
                facts = self._agreed(leg, dialog, key, at)
            case "REFER":
                facts = self._transfers.refers(leg, message, at)
        return [*facts] or [Seen(leg, at, self._source)]

    def _response(
        self, leg: str, dialog: _Dialog | None, message: SipMessage, at: datetime
    ) -> list[Fact]:
        number, method = message.cseq or (0, "")
        status = message.status or 0
        if method in {"BYE", "CANCEL"}:
            return []
        known = dialog is not None and bool(dialog.initial)
        if dialog and (
            method == "UPDATE" or (method == "INVITE" and known and number not in dialog.initial)
        ):
            if _OK <= status < _REDIRECT:
                return self._agreed(leg, dialog, (number, message.from_.tag), at)
            if status >= _FAILURE:
                dialog.offers.pop((number, message.from_.tag), None)
        elif method == "INVITE" and _OK <= status < _REDIRECT:
            if dialog is None or not dialog.initial:  # whose answer it is, its request will tell
                dialog = self._dialog(leg)
                if len(dialog.early) < _MAX_KEPT:
                    dialog.early[number, message.from_.tag] = at
            return [Answered(leg, at, self._source, self._forked_to(dialog, message))]
        elif method == "INVITE" and status >= _FAILURE:
            return self._refused(leg, dialog, message, at)
        return [Seen(leg, at, self._source)]

    def _refused(
        self, leg: str, dialog: _Dialog | None, message: SipMessage, at: datetime
    ) -> list[Fact]:
        """End the leg when the caller's own INVITE failed, not a branch of a proxy."""
        status = message.status or 0
        if dialog and not dialog.upstream((message.branches or ("",))[0]):
            return [Seen(leg, at, self._source)]
        cause = "cancelled 487" if status == _TERMINATED else f"rejected {status}"
        certain = dialog is not None and bool(dialog.initial) and status not in _AUTHENTICATE
        return [self._hung_up(leg, at, cause, certain=certain)]

    def _forked_to(self, dialog: _Dialog | None, message: SipMessage) -> str | None:
        """Tell which of several stations that rang is the one that answered."""
        stations = {station for _, station in dialog.branches.values()} if dialog else set()
        if dialog is None or len(stations - {None}) < 2:  # noqa: PLR2004 -- one rings alone
            return None
        return dialog.branches.get((message.branches or ("",))[0], (0, None))[1]

    def _agreed(self, leg: str, dialog: _Dialog, key: tuple[int, str], at: datetime) -> list[Fact]:
        """Apply an offer that was accepted: the call is held while one side holds it.

        Told from all that was agreed, in the order of its dates: messages may come late.
        """
        direction = dialog.offers.get(key)
        if direction is None:
            if key not in dialog.offers and len(dialog.early) < _MAX_KEPT:
                dialog.early[key] = at
            return [Seen(leg, at, self._source)]
        del dialog.offers[key]
        if len(dialog.agreed) < _MAX_KEPT:
            insort(dialog.agreed, (at, key[1], direction))
        facts: list[Fact] = []
        holders: set[str] = set()
        for when, tag, way in dialog.agreed:
            before = bool(holders)
            if way in {"sendonly", "inactive"}:
                holders.add(tag)
            elif way == "sendrecv":
                holders.discard(tag)
            held = bool(holders)
            known = dialog.told.get(when)
            if known is held or (known is None and held is before):
                continue
            dialog.told[when] = held
            # A late message corrects what was told of this very moment.
            shift = timedelta() if known is None else _TICK
            facts.append((Held if held else Resumed)(leg, when + shift, self._source))
        return facts or [Seen(leg, at, self._source)]

    def _hung_up(self, leg: str, at: datetime, cause: str, *, certain: bool = True) -> HungUp:
        return HungUp(leg, at, self._source, cause, certain=certain)


def _caller(message: SipMessage) -> Number | None:
    """Read the caller's number, the network's word before the phone's."""
    others = [address(each) for each in message.items("remote-party-id")]
    found = (parse_number(_dialled(each)) for each in (*message.identities, *others, message.from_))
    return next((number for number in found if number), None)


def _dialled(who: Address) -> str:
    return who.user or who.uri


def _numbers(message: SipMessage, *headers: str) -> set[str]:
    """Collect the numbers in these headers, E.164 or extension, in one spelling."""
    users = {_dialled(address(each)) for name in headers for each in message.items(name)}
    numbers = {number.e164 for number in map(parse_number, users) if number}
    return numbers | {user for user in users if _EXTENSION.fullmatch(user)}
