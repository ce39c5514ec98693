"""Turns SIP messages seen on the wire into facts, for every feed that sees SIP.

Pure: the wire gives the times. One observer watches one feed; it remembers dialogs (bounded) only
to tell an initial INVITE from a re-INVITE, a hold from its refusal, a proxy's branch from the
caller's, one who answered from another. What it has forgotten after a restart it reports with less
certainty, not wrongly. RFC 3261; RFC 3264, in offer_answer.py (hold); RFC 3326 (Reason).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from telephony.model.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Moved,
    Rang,
    Resumed,
    Seen,
)
from telephony.model.number import Number, called_as, parse_number
from telephony.sip.message import SipMessage, address, uri_user
from telephony.sip.offer_answer import PAST, OfferAnswerDialog, Transaction, held
from telephony.sources.hep.pairing import Pairing
from telephony.sources.hep.transfers import Transfers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from telephony.sip.sdp import Audio

DEFAULT_HEADERS: Final = ("X-Line15-Call-ID",)
#: Who places notification calls (contrib/): they are about a call, they are none.
NOTIFIER: Final = "visio15-notify"
_CALL_METHODS: Final = frozenset(
    {"INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK", "INFO", "REFER"}
)
_CAUSE: Final = re.compile(r"cause\s*=\s*([0-9]{1,3})")
_EXTENSION: Final = re.compile(r"[0-9]{2,6}")
_RACK: Final = re.compile(r"[0-9]{1,10}\s+([0-9]{1,10})\s+INVITE", re.IGNORECASE)
_MAX_VALUE: Final = 256
_MAX_CALLS: Final = 20_000
_MAX_KEPT: Final = 64
_MAX_DIALOGS: Final = 8
_AUTHENTICATE: Final = (401, 407)
#: Answers inside a dialog that say it is no more (RFC 3261, 12.2.1.2).
_UNKNOWN: Final = 481
_GONE: Final = (408, _UNKNOWN)
_TERMINATED: Final = 487
_OK, _REDIRECT = 200, 300
_TICK: Final = timedelta(microseconds=1)
#: How long after the first answer its caller still chooses among several: 64 T1 (RFC 3261, 13.2.2.4).
_CHOICE: Final = timedelta(seconds=32)
#: One branch of an INVITE: From-tag, CSeq, and the branch that a hop wrote.
_Attempt = tuple[str, int, str]
_K = TypeVar("_K")
_V = TypeVar("_V")


class _Wire(NamedTuple):
    """One message as it was captured, what every decision looks at read once."""

    leg: str
    message: SipMessage
    at: datetime
    number: int
    method: str
    #: Tags of who sent the request and of who got it, in the request and in its response alike.
    from_: str
    to: str

    @property
    def transaction(self) -> Transaction:
        """Name the transaction; an ACK belongs to that of its INVITE."""
        method = "INVITE" if self.method == "ACK" else self.method
        return (self.from_, self.number, method)

    @property
    def branch(self) -> str:
        """The branch of the nearest hop."""
        return (self.message.branches or ("",))[0]

    @property
    def root(self) -> str:
        """The branch of who began the transaction, as far as no hop hides it."""
        return (self.message.branches or ("",))[-1]

    @property
    def attempts(self) -> list[_Attempt]:
        """Name the transactions that this INVITE, or response to one, belongs to: one at each hop that it passed."""
        return [(self.from_, self.number, each) for each in self.message.branches or ("",)]


@dataclass(slots=True)
class _Call:
    """What one Call-ID showed so far, only as far as later messages need it."""

    #: The INVITEs that asked for the call, by From-tag and CSeq: when, and what they describe.
    initial: dict[tuple[str, int], tuple[datetime, Audio | None]] = field(default_factory=dict)
    #: Up to when each attempt was told to live, and when those that failed did: clocks of two hops differ.
    lives: dict[_Attempt, datetime] = field(default_factory=dict)
    refused: dict[_Attempt, datetime] = field(default_factory=dict)
    vias: int = 0
    branches: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    rang: dict[tuple[str, str | None], None] = field(default_factory=dict)
    named: set[Alias] = field(default_factory=set)
    dialogs: dict[tuple[str, str], OfferAnswerDialog] = field(default_factory=dict)
    #: What was told of a hold at each moment, and how often it was corrected.
    told: dict[datetime, tuple[bool, int]] = field(default_factory=dict)
    #: Whether it is the copy for a recorder (SIPREC): one-way sound is no hold there.
    recorder: bool = False

    def upstream(self, branch: str) -> bool:
        """Whether this branch is the caller's own, not one a proxy forked."""
        known = self.branches.get(branch)
        return known is None or known[0] <= self.vias

    def inside(self, seen: _Wire) -> bool:
        """Whether a response is to a request inside a dialog; unknown, it may be to the INVITE that asked for it."""
        if seen.method != "INVITE":
            return True
        if (seen.from_, seen.number) in self.initial:
            return False
        known = self.dialogs.get(_pair(seen))
        return bool(self.initial) or (known is not None and known.knows(seen.transaction))

    def dialog(self, seen: _Wire) -> OfferAnswerDialog:
        """Return the dialog of a message; of too many, one that ended or was never answered is forgotten."""
        pair = _pair(seen)
        if pair not in self.dialogs and len(self.dialogs) >= _MAX_DIALOGS:
            least = min(self.dialogs, key=lambda each: self.dialogs[each].talks)
            del self.dialogs[least]
        return self.dialogs.setdefault(pair, OfferAnswerDialog())

    def failed(self, seen: _Wire) -> bool:
        """Whether the INVITE of this number was refused, or found the dialog gone: its ACK is no sign of life."""
        return any(name[:2] == (seen.from_, seen.number) for name in self.refused)

    def lived(self, seen: _Wire) -> datetime:
        """Note that an INVITE was alive, and say when: before its refusal, and after that of the attempt before.

        What rings after a refusal is tried again (leg.py): this must not follow from two clocks that differ.
        """
        over = [self.refused[name] for name in seen.attempts if name in self.refused]
        before = (
            at + _TICK
            for (tag, number, _), at in self.refused.items()
            if tag == seen.from_ and number < seen.number
        )
        at = max([min([seen.at, *over]), *before])
        for name in seen.attempts:
            _latest(self.lives, name, at)
        return at

    def family(self, pair: tuple[str, str]) -> str:
        """Name the caller's side of a dialog; those who answered one caller's INVITE share it."""
        callers = {tag for tag, _ in self.initial}
        return next((tag for tag in pair if tag in callers), "")

    def others(self, seen: _Wire) -> list[OfferAnswerDialog]:
        """List the other dialogs of the same caller: one INVITE may be answered by several (a fork)."""
        mine = _pair(seen)
        if self.dialogs.keys() <= {mine}:
            return []
        family = self.family(mine)
        return [
            dialog
            for pair, dialog in self.dialogs.items()
            if family and pair != mine and self.family(pair) == family
        ]

    def left(self, seen: _Wire) -> tuple[OfferAnswerDialog | None, bool]:
        """Tell with whom the call goes on when this dialog is over; if nobody, whether that is certain.

        The caller takes every answer and soon leaves those it does not keep. So another goes on if it was taken too
        and this one ends while the caller chooses; of these two signs one leaves a doubt, none says that the other
        answer was ignored.
        """
        own, certain = self.dialogs.get(_pair(seen)), True
        for other in self.others(seen):
            if other.ended:
                continue
            if other.answered is None:
                # Who called may end one that rings; who was called has answered.
                rings = own is not None and own.answered is None and not own.taken
                certain &= not rings or seen.from_ != self.family(_pair(seen))
            elif own is None:
                certain = False
            else:
                first = min(other.answered, own.answered or other.answered)
                forked = not own.root or not other.root or own.root == other.root
                chooses = forked and seen.at - first <= _CHOICE
                if other.taken and chooses:
                    return other, True
                certain &= not other.taken and not chooses
        return None, certain

    def holds(self) -> list[tuple[datetime, bool]]:
        """Tell what follows for the call from what its dialogs agreed, as far as they were answered."""
        families: dict[object, list[OfferAnswerDialog]] = {}
        for pair, dialog in self.dialogs.items():
            family = self.family(pair)
            if dialog.answered or not family:
                key = (family, dialog.root) if family else pair
                families.setdefault(key, []).append(dialog)
        return held(families.values())

    @property
    def settled(self) -> datetime:
        """Up to when what was told of holds is not looked at again."""
        return max((dialog.settled for dialog in self.dialogs.values()), default=PAST)


def _pair(seen: _Wire) -> tuple[str, str]:
    """Name a dialog by its two tags, whichever side speaks."""
    return (seen.from_, seen.to) if seen.from_ < seen.to else (seen.to, seen.from_)


def _latest(into: dict[_Attempt, datetime], key: _Attempt, at: datetime) -> None:
    """Keep the latest date, as `_remember`."""
    _remember(into, key, at)
    into[key] = max(into[key], at)


def _other(pair: tuple[str, str], tag: str) -> str:
    return pair[1] if pair[0] == tag else pair[0]


def _remember(into: dict[_K, _V], key: _K, value: _V) -> None:
    """Keep the first value, of the last ones only: what goes on for hours must neither grow nor stop being seen."""
    into.setdefault(key, value)
    if len(into) > _MAX_KEPT:
        del into[next(iter(into))]


class SipFactReader:
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
        self._calls: OrderedDict[str, _Call] = OrderedDict()
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
        from_, to = message.from_, message.to
        if message.first("x-line15-event") or NOTIFIER in {from_.user, to.user}:
            return []
        leg = f"sip:{call_id}"
        seen = _Wire(leg, message, at, *cseq, from_.tag[:_MAX_VALUE], to.tag[:_MAX_VALUE])
        if message.method == "INVITE" and not to.tag:
            return self._invite(seen, (src[0], dst[0]))
        call = self._calls.get(leg)
        facts = self._request(seen, call) if message.method else self._response(seen, call)
        return [*facts, *self._judge(leg, facts, at)]

    def _call(self, leg: str) -> _Call:
        """Return what is kept of a Call-ID, from now on."""
        call = self._calls.setdefault(leg, _Call())
        self._calls.move_to_end(leg)
        if len(self._calls) > _MAX_CALLS:
            self._calls.popitem(last=False)
        return call

    def _judge(self, leg: str, facts: Sequence[Fact], at: datetime) -> list[Fact]:
        """Ask again which legs are one call, after this message."""
        for fact in facts:
            if isinstance(fact, Answered):
                return list(self._pairing.answered(leg, at))
            if isinstance(fact, HungUp):
                return list(self._pairing.ended(leg, fact.at))
        return list(self._pairing.seen(leg, at))

    def _invite(self, seen: _Wire, hosts: tuple[str, str]) -> list[Fact]:
        leg, message = seen.leg, seen.message
        call = self._call(leg)
        at = call.lived(seen)
        rings = self._rings(leg, message, at)
        if call.refused and (seen.from_, seen.number) not in call.initial and not call.failed(seen):
            call.rang.clear()  # it is tried again: it rings again
        self._note(call, seen, rings[0].station)
        facts: list[Fact] = list(self._names(leg, call, message, at))
        numbers = _numbers(message, "from", "p-asserted-identity", "remote-party-id")
        more = _numbers(message, "diversion", "history-info")
        facts += self._pairing.invited(leg, seen.at, hosts, numbers, numbers | more, at)
        facts += self._transfers.invites(leg, message, rings[0].called or "", at)
        fresh = [ring for ring in rings if (ring.called or "", ring.station) not in call.rang]
        for ring in fresh:
            _remember(call.rang, (ring.called or "", ring.station), None)
        facts += fresh or [Seen(leg, at, self._source)]
        facts += self._answered_before(seen, call)
        return facts

    def _rings(self, leg: str, message: SipMessage, at: datetime) -> list[Rang]:
        """Say who calls whom; an internal call has a station at each end, hence two facts."""
        from_, to = message.from_.user, message.to.user
        called = uri_user(message.request_uri) or to
        target = next((user for user in (called, to) if user in self._stations), None)
        origin = from_ if from_ in self._stations else None
        if origin:
            direction = Direction.INTERNAL if target else Direction.OUTGOING
        else:
            direction = Direction.INCOMING if target else Direction.UNKNOWN
        caller = None if origin else _caller(message)
        ends = list(dict.fromkeys((target, origin) if target else (origin,)))
        wanted = message.request_uri if uri_user(message.request_uri) else message.to.uri
        called = called_as(called, wanted)[:_MAX_VALUE]
        return [
            Rang(leg, at, self._source, caller, called, station, direction)
            for station in ends
            if station or len(ends) == 1
        ]

    def _note(self, call: _Call, seen: _Wire, station: str | None) -> None:
        """Remember the transaction: fewest Vias means nearest to the caller."""
        branches = seen.message.branches
        call.vias = min(call.vias or len(branches), len(branches))
        call.recorder |= "siprec" in seen.message.first("require").lower()
        _remember(call.initial, (seen.from_, seen.number), (seen.at, seen.message.audio))
        if branches:
            _remember(call.branches, branches[0], (len(branches), station))

    def _answered_before(self, seen: _Wire, call: _Call) -> list[Fact]:
        """Tell what answers that were captured before their INVITE led to."""
        asked = call.initial[seen.from_, seen.number]
        late = [
            dialog.requested(seen.transaction, _other(pair, seen.from_), *asked)
            for pair, dialog in call.dialogs.items()
            if dialog.waits(seen.transaction)
        ]
        return self._held(seen.leg, call) if any(late) else []

    def _names(self, leg: str, call: _Call, message: SipMessage, at: datetime) -> list[Aliased]:
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
        return self._aliased(leg, call, found, at)

    def _aliased(
        self,
        leg: str,
        call: _Call,
        found: Sequence[tuple[AliasType, str, str]],
        at: datetime,
    ) -> list[Aliased]:
        facts = []
        for kind, value, why in found:
            alias = Alias(kind, value)
            if len(value) <= _MAX_VALUE and alias not in call.named:
                if len(call.named) < _MAX_KEPT:
                    call.named.add(alias)
                facts.append(Aliased(leg, at, self._source, alias, why))
        return facts

    def _request(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        leg, message = seen.leg, seen.message
        facts: Sequence[Fact] = ()
        known = call.dialogs.get(_pair(seen)) if call else None
        if known and known.answered and known.answered < seen.at and message.method != "BYE":
            known.taken = True
        match message.method:
            case "BYE":
                facts = self._bye(seen, call)
            case "CANCEL" if not call or self._cancels(seen, call):
                facts = [self._hung_up(seen, "cancelled", seen.at, certain=False)]
            case "INVITE" | "UPDATE" | "PRACK":
                facts = self._asks(seen, self._call(leg))
            case "ACK" if call:
                if call.failed(seen):
                    return []
                facts = self._acknowledges(seen, call)
            case "REFER":
                facts = self._transfers.refers(leg, message, seen.at)
        return [*facts] or [Seen(leg, seen.at, self._source)]

    def _bye(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        """End the leg, unless its caller goes on with another who answered too (RFC 3261, 13.2.2.4)."""
        other, certain = call.left(seen) if call else (None, True)
        ends = [seen.at]
        if call and (dialog := call.dialogs.get(_pair(seen))):
            first = dialog.ended is None
            dialog.ended = min(dialog.ended or seen.at, seen.at)
            if other:
                station = other.station if first else None
                moved = [Moved(seen.leg, seen.at, self._source, station)] if station else []
                return [*moved, *self._held(seen.leg, call)]
            ends += [each.ended for each in call.others(seen) if each.taken and each.ended]
        cause = _CAUSE.search(seen.message.first("reason"))
        told = f"bye {cause.group(1)}" if cause else "bye"
        return [self._hung_up(seen, told, max(ends), certain=certain)]

    def _cancels(self, seen: _Wire, call: _Call) -> bool:
        """Whether a CANCEL is that of the caller's own INVITE: not of a proxy's branch, not of a re-INVITE."""
        known = not call.initial or (seen.from_, seen.number) in call.initial
        return known and call.upstream(seen.branch)

    def _asks(self, seen: _Wire, call: _Call) -> list[Fact]:
        """Note what a request inside a dialog offers, or what a PRACK answers to an offer in a response."""
        audio = seen.message.audio
        dialog = call.dialog(seen)
        ready = dialog.requested(seen.transaction, seen.to, seen.at, audio)
        if seen.method == "PRACK" and audio:
            acked = _RACK.match(seen.message.first("rack"))
            if acked:
                invite = (seen.from_, int(acked.group(1)), "INVITE")
                ready |= dialog.replied(invite, seen.to, seen.at, audio)
        return self._held(seen.leg, call) if ready else []

    def _acknowledges(self, seen: _Wire, call: _Call) -> list[Fact]:
        """Note what an ACK answers to an offer in the response it confirms."""
        dialog, audio = call.dialog(seen), seen.message.audio
        dialog.taken = True  # though its answer may have been lost
        if audio is None or not dialog.replied(seen.transaction, seen.to, seen.at, audio):
            return []
        return self._held(seen.leg, call)

    def _response(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        status = seen.message.status or 0
        if seen.method in {"BYE", "CANCEL"}:
            return []
        if seen.method not in {"INVITE", "UPDATE", "PRACK"}:
            if status in _GONE:
                # What nobody answered (408) is no sign of life, but no end: some ignore INFO.
                return self._gone(seen, call) if status == _UNKNOWN else []
            return [Seen(seen.leg, seen.at, self._source)]
        if status < _OK:
            facts = self._proceeds(seen, call)
        elif status < _REDIRECT:
            facts = self._accepts(seen, call)
        elif call and call.inside(seen):
            facts = self._refuses_inside(seen, call)
        else:
            facts = self._refuses(seen, call) if seen.method == "INVITE" else []
        if facts or not call or seen.method != "INVITE" or _OK <= status < _REDIRECT:
            return facts or [Seen(seen.leg, seen.at, self._source)]
        return [Seen(seen.leg, call.lived(seen), self._source)]

    def _proceeds(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        """Note whom it rings at, and an answer that is given before anybody picks up."""
        if call and seen.to:
            dialog, audio = call.dialog(seen), seen.message.audio
            if not call.inside(seen):
                dialog.root = dialog.root or seen.root
            if audio:
                self._recall(seen, call, dialog)
                dialog.proceeded(seen.transaction, seen.to, seen.at, audio)
        return []

    def _accepts(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        """Note who answered, and what was agreed."""
        if call is None:
            if seen.method != "INVITE":
                return []
            call = self._call(seen.leg)  # whose answer it is, its request will tell
        dialog = call.dialog(seen)
        self._recall(seen, call, dialog)
        ready = dialog.accepted(seen.transaction, seen.to, seen.at, seen.message.audio)
        facts: list[Fact] = []
        # Who accepts another INVITE has answered the first, though that was not seen.
        if seen.method == "INVITE" and (
            not call.inside(seen) or (not dialog.answered and call.family(_pair(seen)))
        ):
            station = self._forked_to(call, seen)
            dialog.root = dialog.root or seen.root
            dialog.answered = min(dialog.answered or seen.at, seen.at)
            dialog.station = dialog.station or station
            if not any(other.talks for other in call.others(seen)):
                facts.append(Answered(seen.leg, seen.at, self._source, station))
        return [*facts, *self._held(seen.leg, call)] if ready else facts

    def _recall(self, seen: _Wire, call: _Call, dialog: OfferAnswerDialog) -> None:
        """Give a dialog what the INVITE that asked for it described; all who are asked share it."""
        asked = call.initial.get((seen.from_, seen.number))
        if asked and seen.method == "INVITE":
            dialog.requested(seen.transaction, seen.to, *asked)

    def _refuses_inside(self, seen: _Wire, call: _Call) -> list[Fact]:
        """Change nothing, unless the other side knows no such dialog: its end was not seen, then."""
        call.dialog(seen).refused(seen.transaction, seen.to, seen.at)
        if seen.message.status not in _GONE or seen.method == "PRACK":
            return []
        _latest(call.refused, (seen.from_, seen.number, seen.branch), seen.at)
        return self._gone(seen, call)

    def _gone(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        """End the leg whose dialog the other side does not know, unless its caller goes on with another."""
        if call and call.left(seen)[0]:
            return []
        return [self._hung_up(seen, f"gone {seen.message.status}", seen.at, certain=False)]

    def _refuses(self, seen: _Wire, call: _Call | None) -> list[Fact]:
        """End the leg when the caller's own INVITE failed: not a proxy's branch, not one that was sent anew since."""
        # Though its INVITE comes later: what is seen of this attempt is dated by its refusal.
        call = call or self._call(seen.leg)
        if not call.upstream(seen.branch):
            return []
        if any(t == seen.from_ and n > seen.number for t, n in call.initial):
            return []
        status = seen.message.status or 0
        attempt = (seen.from_, seen.number, seen.branch)
        at = max(seen.at, call.lives.get(attempt, seen.at))
        _latest(call.refused, attempt, at)
        cause = "cancelled 487" if status == _TERMINATED else f"rejected {status}"
        certain = bool(call.initial) and status not in _AUTHENTICATE
        return [self._hung_up(seen, cause, at, certain=certain)]

    def _forked_to(self, call: _Call, seen: _Wire) -> str | None:
        """Tell which of several stations that rang is the one that answered."""
        stations = {station for _, station in call.branches.values()}
        if len(stations - {None}) < 2:  # noqa: PLR2004 -- one rings alone
            return None
        return call.branches.get(seen.branch, (0, None))[1]

    def _held(self, leg: str, call: _Call) -> list[Fact]:
        """Tell when the call was held; what a late message shows to be otherwise is corrected."""
        if call.recorder or (
            call.initial and not any(each.one_way for each in call.dialogs.values())
        ):
            return []
        settled = call.settled
        changes = dict(call.holds())
        told = sorted(call.told)
        past = [at for at in told if at <= settled]
        moments = sorted({at for at in (*changes, *told) if at > settled})
        # Of a call that was under way before anything was seen nobody knows whether it was held.
        before = call.told[past[-1]][0] if past else False if call.initial else None
        state = bool(before)
        facts: list[Fact] = []
        for at in moments:
            state = changes.get(at, state)
            known, times = call.told.get(at, (before, -1))
            if known is not state:
                call.told[at] = (state, times + 1)
                shift = (times + 1) * _TICK
                facts.append((Held if state else Resumed)(leg, at + shift, self._source))
            before = state
        for at in past[:-1]:
            del call.told[at]
        return facts

    def _hung_up(self, seen: _Wire, cause: str, at: datetime, *, certain: bool) -> HungUp:
        return HungUp(seen.leg, at, self._source, cause, certain=certain)


def _caller(message: SipMessage) -> Number | None:
    """Read the caller's number, the network's word before the phone's."""
    others = [address(each) for each in message.items("remote-party-id")]
    found = (parse_number(each.uri) for each in (*message.identities, *others, message.from_))
    return next((number for number in found if number), None)


def _numbers(message: SipMessage, *headers: str) -> set[str]:
    """Collect the numbers in these headers, E.164 or extension, in one spelling."""
    found = {address(each) for name in headers for each in message.items(name)}
    numbers = {number.e164 for each in found if (number := parse_number(each.uri))}
    users = {each.user or each.uri for each in found}
    return numbers | {user for user in users if _EXTENSION.fullmatch(user)}
