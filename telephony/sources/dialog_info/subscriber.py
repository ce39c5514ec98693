"""The smallest SIP user agent that can subscribe: SUBSCRIBE out, NOTIFY in (RFC 3261, 6665).

Sans-io: given messages and the time, it says what to send and what it learnt. One subscription a station,
each asked again in turn, so that a switchboard that forgot or is gone is noticed within seconds.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from telephony.sip import digest
from telephony.sip.message import SipMessage, address
from telephony.sip.write import request, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EVENT: Final = "dialog"
CONTENT: Final = "application/dialog-info+xml"
#: RFC 3261, 17.1.2.2: first and longest time between two transmissions.
T1: Final = 0.5
T2: Final = 4.0
#: SUBSCRIBEs under way at one time.
WINDOW: Final = 8
_TRIES: Final = 4
_LONGEST_EXPIRES: Final = 86_400
_LONGEST_RETRY: Final = 300.0
_RETRY: Final = 10.0
#: Between two subscriptions whose versions make no sense.
_ANEW: Final = 2.0
#: A station that the switchboard does not know may be added there one day.
_REFUSED: Final = 60.0
_SECONDS: Final = re.compile(r"\s*([0-9]{1,9})")
_OK, _REDIRECT = 200, 300
_UNAUTHORISED, _PROXY, _FORBIDDEN, _BRIEF, _GONE = 401, 407, 403, 423, 481
_LATER: Final = frozenset({408, 480, 500, 503, 504, 600})


@dataclass(frozen=True, slots=True)
class Account:
    """Who subscribes; `domain` is that of the stations too."""

    username: str
    password: str = field(repr=False)
    domain: str


@dataclass(frozen=True, slots=True)
class Here:
    """Where we are reached, as others must write it."""

    address: str
    transport: str

    @property
    def reliable(self) -> bool:
        """Whether the transport retransmits by itself."""
        return self.transport == "tcp"


@dataclass(frozen=True, slots=True)
class Notified:
    """A station told its dialogs; `first` of a subscription, whose versions begin anew.

    `answers`: the first since our last SUBSCRIBE was accepted.
    """

    station: str
    body: bytes = field(repr=False)
    first: bool
    answers: bool


class SubscriptionRefusedError(Exception):
    """The switchboard refuses us for good; the slug says how."""


class SilentError(Exception):
    """The switchboard does not answer, or does not tell what it was asked; the slug says which."""


@dataclass(slots=True)
class _Transaction:
    """A request under way."""

    branch: str
    data: bytes
    begun: float
    resend: float
    interval: float
    deadline: float
    expires: int
    proven: str = ""
    tries: int = 1


@dataclass(slots=True)
class _Subscription:
    """One station, through all its subscriptions."""

    station: str
    call_id: str = ""
    tag: str = ""
    cseq: int = 0
    remote_tag: str = ""
    target: str = ""
    routes: tuple[str, ...] = ()
    begun: float = 0.0
    heard: int = -1
    heard_at: float = -1.0
    #: When a notification asked for must have come.
    due: float | None = None
    notified: bool = False
    refresh: float | None = None
    #: Before that it is not asked out of its turn again.
    spared: float = 0.0
    retry: float | None = None
    failed: int = 0
    under_way: _Transaction | None = None

    @property
    def active(self) -> bool:
        return self.refresh is not None


class Subscriber:
    """Keeps one subscription a station. `token` makes random text, for ids that nobody guesses.

    `receive` and `tick` raise SubscriptionRefusedError and SilentError; then all is over. `rejected` counts by slug.
    """

    def __init__(
        self,
        account: Account,
        stations: Iterable[str],
        here: Here,
        token: Callable[[], str],
        *,
        expires: int,
        heartbeat: float,
        patience: float,
    ) -> None:
        self.rejected: Counter[str] = Counter()
        #: What the switchboard says it is, as it writes it.
        self.product = ""
        self._account, self._here, self._token = account, here, token
        self._expires, self._heartbeat, self._patience = expires, heartbeat, patience
        self._all = {station: _Subscription(station) for station in stations}
        self._by_call: dict[str, _Subscription] = {}
        self._waiting: deque[_Subscription] = deque()
        self._turn: deque[_Subscription] = deque(self._all.values())
        self._beat = 0.0
        self._leaving = False
        self._challenge: tuple[str, digest.Challenge] | None = None
        self._count = 0
        self._out: list[bytes] = []
        self._replies: list[bytes] = []
        self._events: list[Notified] = []

    def start(self, now: float) -> None:
        """Subscribe to every station."""
        self._beat = now + self._heartbeat
        for each in self._all.values():
            self._begin(each, now)

    def fetch(self, now: float) -> None:
        """Ask once for every station, without staying subscribed."""
        self._leaving = True
        self.start(now)

    def again(self, station: str, now: float) -> None:
        """Ask for the whole state of a station out of its turn: now, then at most once a heartbeat."""
        each = self._all[station]
        if each.refresh is None or each.under_way is not None:
            return
        if now < each.spared:
            each.refresh = min(each.refresh, each.spared)
            return
        each.spared = now + self._heartbeat
        self._ask(each, now)

    def anew(self, station: str, now: float) -> None:
        """Subscribe to a station in another dialog, soon: its versions cannot be followed."""
        each = self._all[station]
        if each.retry is None:
            each.retry = max(now, each.begun + _ANEW)

    def excuse(self, seconds: float) -> None:
        """Wait so much longer for what must come: for so long nobody looked whether it had."""
        for each in self._all.values():
            if each.under_way is not None:
                each.under_way.deadline += seconds
            if each.due is not None:
                each.due += seconds

    def leave(self, now: float) -> None:
        """End every subscription."""
        self._leaving = True
        self._waiting.clear()
        for each in self._all.values():
            if each.active:
                self._ask(each, now)
            else:
                each.under_way = None

    @property
    def busy(self) -> bool:
        """Whether an answer or a notification is awaited."""
        return any(each.under_way or each.due is not None for each in self._all.values())

    @property
    def failing(self) -> set[str]:
        """The stations that the switchboard does not let us watch for now."""
        return {each.station for each in self._all.values() if each.failed}

    def sending(self) -> list[bytes]:
        """Take what is to be sent to the switchboard."""
        out, self._out = self._out, []
        return out

    def replies(self) -> list[bytes]:
        """Take what is to be sent back to who sent the message received last."""
        replies, self._replies = self._replies, []
        return replies

    def events(self) -> list[Notified]:
        """Take what was learnt."""
        events, self._events = self._events, []
        return events

    # --- time

    def tick(self, now: float) -> float:
        """Do what is due; return the seconds until something is."""
        for each in self._all.values():
            self._waited(each, now)
        if now >= self._beat:
            self._beat = now + self._heartbeat
            if not self._leaving:
                self._ask_next(now)
        self._fill(now)
        times = [self._beat, *(at for each in self._all.values() for at in self._times(each))]
        return max(0.0, min(times) - now)

    def _times(self, each: _Subscription) -> Iterable[float]:
        """When something is to be done about a station."""
        if each.under_way is not None:
            yield each.under_way.deadline
            if not self._here.reliable:
                yield each.under_way.resend
        elif not self._leaving:
            yield from (at for at in (each.retry, each.refresh) if at is not None)
        if each.due is not None:
            yield each.due

    def _waited(self, each: _Subscription, now: float) -> None:
        under_way = each.under_way
        if each.due is not None and now >= each.due:
            raise SilentError("no_notify")
        if under_way is not None:
            if now >= under_way.deadline:
                raise SilentError("no_answer")
            if not self._here.reliable and now >= under_way.resend:
                self._out.append(under_way.data)
                under_way.interval = min(2 * under_way.interval, T2)
                under_way.resend = now + under_way.interval
        elif self._leaving:
            return
        elif each.retry is not None and now >= each.retry:
            self._begin(each, now)
        elif each.refresh is not None and now >= each.refresh:
            self._ask(each, now)

    def _ask_next(self, now: float) -> None:
        """Ask the next station in turn, so that all are asked, and silence is heard."""
        if any(each.under_way for each in self._all.values()):
            return
        for _ in range(len(self._turn)):
            each = self._turn[0]
            self._turn.rotate(-1)
            if each.active:
                self._ask(each, now)
                return

    # --- requests

    def _begin(self, each: _Subscription, now: float) -> None:
        """Start a subscription, in a dialog of its own."""
        self._by_call.pop(each.call_id, None)
        each.call_id, each.tag, each.begun = self._token(), self._token(), now
        each.remote_tag, each.target, each.routes = "", "", ()
        each.heard, each.heard_at, each.notified = -1, -1.0, False
        each.refresh = each.retry = each.due = each.under_way = None
        self._by_call[each.call_id] = each
        if each not in self._waiting:
            self._waiting.append(each)
        self._fill(now)

    def _fill(self, now: float) -> None:
        room = WINDOW - sum(1 for each in self._all.values() if each.under_way)
        while self._waiting and room > 0:
            room -= 1
            self._ask(self._waiting.popleft(), now)

    def _ask(
        self, each: _Subscription, now: float, *, tries: int = 1, expires: int | None = None
    ) -> None:
        """Send SUBSCRIBE: the first of a dialog, or one that refreshes or ends it."""
        each.cseq += 1
        branch = f"z9hG4bK{self._token()}"
        expires = self._expires if expires is None else expires
        expires = 0 if self._leaving else expires
        uri = each.target or self._uri(each.station)
        headers = [
            (
                "Via",
                f"SIP/2.0/{self._here.transport.upper()} {self._here.address};rport;branch={branch}",
            ),
            ("Max-Forwards", "70"),
            *(("Route", route) for route in each.routes),
            ("From", f"<{self._uri(self._account.username)}>;tag={each.tag}"),
            (
                "To",
                f"<{self._uri(each.station)}>"
                + (f";tag={each.remote_tag}" if each.remote_tag else ""),
            ),
            ("Call-ID", each.call_id),
            ("CSeq", f"{each.cseq} SUBSCRIBE"),
            (
                "Contact",
                f"<sip:{self._account.username}@{self._here.address};transport={self._here.transport}>",
            ),
            ("Event", EVENT),
            ("Accept", CONTENT),
            ("Expires", str(expires)),
            ("User-Agent", "Visio15"),
        ]
        proven = ""
        if self._challenge is not None:
            self._count += 1
            name, asked = self._challenge
            proven = asked.nonce
            headers.append((name, self._proof(asked, uri)))
        data = request("SUBSCRIBE", uri, headers)
        self._out.append(data)
        deadline = now + self._patience
        each.under_way = _Transaction(
            branch, data, now, now + T1, T1, deadline, expires, proven, tries
        )

    def _uri(self, user: str) -> str:
        return f"sip:{user}@{self._account.domain}"

    def _proof(self, asked: digest.Challenge, uri: str) -> str:
        return digest.answer(
            asked,
            self._account.username,
            self._account.password,
            method="SUBSCRIBE",
            uri=uri,
            cnonce=self._token(),
            count=self._count,
        )

    # --- messages

    def receive(self, message: SipMessage, now: float) -> None:
        """Take one message."""
        if message.status is not None:
            self._answered(message, message.status, now)
        elif message.method == "NOTIFY":
            self._notified(message, now)
        elif message.method != "ACK":
            status = 200 if message.method == "OPTIONS" else 405
            if status != _OK:
                self.rejected["method"] += 1
            self._replies.append(response(message, status, self._token(), [("Allow", "NOTIFY")]))

    def _answered(self, message: SipMessage, status: int, now: float) -> None:
        each = self._by_call.get(message.call_id)
        under_way = each.under_way if each else None
        if each is None or under_way is None or message.branches != (under_way.branch,):
            self.rejected["foreign_response"] += 1  # or one that comes twice
            return
        if status < _OK:
            under_way.resend, under_way.interval = now + T2, T2
            return
        each.under_way = None
        if status < _REDIRECT:
            self._accepted(each, message, under_way, now)
        elif status in {_UNAUTHORISED, _PROXY}:
            self._challenged(each, message, under_way, now)
        elif status == _BRIEF and under_way.tries < _TRIES:
            least = _seconds(message.first("min-expires")) or 2 * under_way.expires
            self._expires = max(self._expires, min(least, _LONGEST_EXPIRES))
            self._ask(each, now, tries=under_way.tries + 1)
        else:
            self._failed(each, message, status, now)

    def _accepted(
        self, each: _Subscription, message: SipMessage, asked: _Transaction, now: float
    ) -> None:
        each.failed = 0
        self._presents(message)
        if not each.remote_tag:
            each.remote_tag = message.to.tag
        if not each.notified:
            each.routes = tuple(reversed(message.items("record-route")))
        each.target = _target(message) or each.target
        if each.heard_at < asked.begun:
            each.due = now + 2 * self._patience
        if asked.expires == 0:
            each.refresh = None
            return
        granted = _seconds(message.first("expires"))
        granted = asked.expires if granted is None else min(granted, asked.expires)
        each.refresh = now + _lasting(granted)

    def _challenged(
        self, each: _Subscription, message: SipMessage, asked: _Transaction, now: float
    ) -> None:
        proxy = message.status == _PROXY
        header = "proxy-authenticate" if proxy else "www-authenticate"
        found = digest.challenge(message.headers.get(header, ()))
        if found is None:
            raise SubscriptionRefusedError("auth_unsupported")
        # Proven once with this very challenge and refused: the password is wrong, unless the nonce was old.
        fresh = asked.tries > 1 and asked.proven and not found.stale
        if fresh or asked.tries >= _TRIES:
            raise SubscriptionRefusedError("login")
        name = "Proxy-Authorization" if proxy else "Authorization"
        self._challenge, self._count = (name, found), 0
        self._ask(each, now, tries=asked.tries + 1, expires=asked.expires)

    def _failed(self, each: _Subscription, message: SipMessage, status: int, now: float) -> None:
        self.rejected[f"status_{status}"] += 1
        if self._leaving and each.active:
            each.refresh = None
            return
        if status == _GONE and each.active:
            # Forgotten there: others may be too, and are asked at once.
            self._begin(each, now)
            for other in self._all.values():
                self.again(other.station, now)
            return
        each.failed = status
        if all(other.failed and other.failed not in _LATER for other in self._all.values()):
            raise SubscriptionRefusedError("login" if status == _FORBIDDEN else f"status_{status}")
        told = _seconds(message.first("retry-after"))
        if status in _LATER or told is not None:
            wait = min(_RETRY if told is None else max(1.0, told), _LONGEST_RETRY)
        else:
            wait = _REFUSED
        each.refresh, each.due, each.retry = None, None, now + wait

    def _notified(self, message: SipMessage, now: float) -> None:
        each = self._by_call.get(message.call_id)
        status = self._refusal(each, message)
        if each is None or status:
            self._reply(message, status or _GONE, each)
            return
        number = (message.cseq or (0, ""))[0]
        again = number == each.heard
        answers = each.due is not None or not each.notified
        each.heard, each.heard_at, each.due = number, now, None
        self._reply(message, _OK, each)
        if again:
            return
        self._presents(message)
        if not each.remote_tag:
            each.remote_tag = message.from_.tag
            each.routes = tuple(message.items("record-route"))
        each.target = _target(message) or each.target
        state, _, rest = message.first("subscription-state").partition(";")
        state = state.strip().lower()
        if message.body or state == "active":
            self._events.append(Notified(each.station, message.body, not each.notified, answers))
            each.notified = True
        if state == "terminated" and not self._leaving:
            self._ended(each, rest, now)

    def _presents(self, message: SipMessage) -> None:
        self.product = message.first("server") or message.first("user-agent") or self.product

    def _refusal(self, each: _Subscription | None, message: SipMessage) -> int:
        """Say with which status to refuse a NOTIFY; 0: it is one of ours."""
        if each is None or message.to.tag != each.tag or not message.from_.tag:
            self.rejected["foreign_notify"] += 1
            return 481
        if each.remote_tag and message.from_.tag != each.remote_tag:
            self.rejected["foreign_notify"] += 1
            return 481
        if message.first("event").partition(";")[0].strip().lower() != EVENT:
            self.rejected["event"] += 1
            return 489
        kind = message.first("content-type").partition(";")[0].strip().lower()
        if message.body and kind != CONTENT:
            self.rejected["content_type"] += 1
            return 415
        if message.cseq is None or message.cseq[0] < each.heard:
            self.rejected["out_of_order"] += 1
            return 500
        return 0

    def _reply(self, message: SipMessage, status: int, each: _Subscription | None) -> None:
        self._replies.append(response(message, status, each.tag if each else self._token()))

    def _ended(self, each: _Subscription, rest: str, now: float) -> None:
        """Subscribe anew after the switchboard ended a subscription, when its reason permits."""
        given = dict(part.partition("=")[::2] for part in rest.replace(" ", "").lower().split(";"))
        reason = given.get("reason", "")
        told = _seconds(given.get("retry-after", ""))
        self.rejected["subscription_ended"] += 1
        wait = {"rejected": _REFUSED, "noresource": _REFUSED, "probation": _RETRY, "giveup": _RETRY}
        each.under_way, each.refresh = None, None
        each.retry = now + min(
            wait.get(reason, 1.0) if told is None else max(1.0, told), _LONGEST_RETRY
        )


def _target(message: SipMessage) -> str:
    """Where the next request of the dialog goes."""
    uri = address(next(iter(message.items("contact")), "")).uri
    return uri if uri.lower().startswith(("sip:", "sips:")) else ""


def _seconds(text: str) -> int | None:
    found = _SECONDS.match(text)
    return int(found.group(1)) if found else None


def _lasting(granted: int) -> float:
    """Refresh well before the end: half of a short time, all but a minute of a long one."""
    return max(1.0, granted / 2, granted - 60.0)
