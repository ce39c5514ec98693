"""What the services need from outside, as nouns; the adapters implement these, the tests fake them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from server.core.entries import AuditEvent, AuditRow
from server.core.limits.throttle import Throttle
from server.delivery.domain.messages import Delivery, Message
from server.identity.domain.access import Role
from server.identity.domain.login import Challenge
from server.incidents.domain import Incident, IncidentState, Step
from server.invitations.domain.invitation import Invitation
from server.invitations.domain.spoken import SpokenCode
from server.line15.domain.call_links import Link
from server.line15.domain.calls import AliasRow, CallRecord, LiveCall, SpanRow
from server.line15.domain.signing import SiteSecret
from server.observers.domain import Observer
from server.recordings.domain.recordings import Recording, Status
from server.video.domain.session import Session
from server.video.domain.snapshots import Snapshot
from telephony import Alias, Call, CtiEvent, CtiOutcome, Fact, FeedHealth


class Clock(Protocol):
    """Time comes from here, never from `now()` in the core."""

    def now(self) -> datetime:
        """Aware UTC."""


class Seal(Protocol):
    """Encryption of personal data at rest, and the keyed hash that finds it again (I4)."""

    def close(self, plain: str) -> bytes:
        """Encrypt."""

    def open(self, sealed: bytes) -> str:
        """Decrypt; raises Invalid for a foreign or damaged value."""

    def lookup(self, kind: str, value: str) -> str:
        """Keyed hash of a normalised number or address, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Site:
    """A SAMU; sites are sealed from each other (I7)."""

    id: str
    key: str
    name: str
    sms_sender: str
    referent_email: str
    policy: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Station:
    """A workplace with a line-15 telephone."""

    id: str
    site: str
    extension: str
    name: str
    webcam: bool


@dataclass(frozen=True, slots=True)
class User:
    """A professional who can sign in."""

    id: str
    site: str
    identifier: str
    name: str
    role: Role
    password_hash: str
    email: str | None
    mobile: str | None
    disabled: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class WebSession:
    """A signed-in browser; `id` is the hash of its cookie, `seen` its last activity, `expires` its end for good."""

    id: str
    user: str
    created: datetime
    seen: datetime
    expires: datetime
    revoked: datetime | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where: goes into every audit row (the address into its erasable payload)."""

    source: str  # server | desk | phone | feed | gateway | cli
    site: str
    user: str | None = None
    address: str | None = None


def listed(site: Site) -> list[dict[str, str]]:
    """Return the observers a site invites often: `name`, `channel`, `to`."""
    known = site.policy.get("observers")
    return [dict(one) for one in known] if isinstance(known, list) else []


class SiteRepository(Protocol):
    """Sites and stations."""

    async def get(self, id_: str) -> Site: ...
    async def by_key(self, key: str) -> Site: ...
    async def all(self) -> Sequence[Site]: ...
    async def add(self, site: Site, created: datetime) -> None: ...
    async def set_policy(self, id_: str, policy: Mapping[str, object]) -> None: ...
    async def stations(self, site: str) -> Sequence[Station]: ...
    async def station(self, site: str, extension: str) -> Station: ...
    async def add_station(self, station: Station) -> None: ...


class UserRepository(Protocol):
    """Users of all sites; the identifier is unique."""

    async def get(self, id_: str) -> User: ...
    async def by_identifier(self, identifier: str) -> User | None: ...
    async def of_site(self, site: str) -> Sequence[User]: ...
    async def add(self, user: User, created: datetime) -> None: ...
    async def save(self, user: User) -> User: ...


class LoginRepository(Protocol):
    """Challenges, throttles and signed-in browsers."""

    async def add_challenge(self, challenge: Challenge) -> None: ...
    async def challenge(self, id_: str) -> Challenge | None: ...
    async def save_challenge(self, challenge: Challenge) -> None: ...
    async def drop_challenge(self, id_: str) -> None: ...
    async def throttle(self, key: str) -> Throttle | None: ...
    async def save_throttle(self, throttle: Throttle) -> None: ...
    async def add_web_session(self, session: WebSession) -> None: ...
    async def web_session(self, id_: str) -> WebSession | None: ...
    async def touch(self, id_: str, seen: datetime) -> None: ...
    async def quiet_web_sessions(
        self, quiet_since: datetime, now: datetime, since: datetime
    ) -> Sequence[WebSession]: ...
    async def revoke(self, id_: str, at: datetime) -> None: ...
    async def revoke_user(self, user: str, at: datetime) -> None: ...
    async def forget(self, now: datetime) -> None: ...


class PersonalRepository(Protocol):
    """Erasable values: numbers, addresses, names, remarks."""

    async def add(self, site: str, kind: str, value: str, at: datetime) -> str: ...
    async def get(self, id_: str) -> str | None: ...
    async def get_all(self, ids: Sequence[str]) -> Mapping[str, str | None]: ...
    async def erase(self, id_: str, at: datetime) -> None: ...


class CallRepository(Protocol):
    """Logical calls as the correlator sees them, with append-only aliases and spans."""

    async def save(self, site: str, call: Call, at: datetime) -> str | None: ...
    async def add_facts(
        self, site: str, facts: Sequence[tuple[str, Fact]], at: datetime
    ) -> None: ...
    async def merged(self, younger: str, surviving: str) -> None: ...
    async def assert_call(self, site: str, id_: str, alias: Alias, at: datetime) -> None: ...
    async def facts_of_live(self, site: str, since: datetime) -> Sequence[tuple[str, Fact]]: ...
    async def get(self, site: str, id_: str) -> LiveCall: ...
    async def get_all(self, site: str, ids: Sequence[str]) -> Mapping[str, LiveCall]: ...
    async def find(self, site: str, value: str) -> Sequence[LiveCall]: ...
    async def name(
        self, site: str, id_: str, alias: Alias, source: str, why: str, at: datetime
    ) -> None: ...
    async def by_number(self, site: str, lookup: str) -> Sequence[LiveCall]: ...
    async def by_day(self, site: str, start: datetime, end: datetime) -> Sequence[LiveCall]: ...
    async def at_station(
        self, site: str, extension: str, since: datetime, *, ended: int = 0
    ) -> Sequence[LiveCall]:
        """Return every live call of a station, however many; and the `ended` calls that ended last."""

    async def record(self, site: str, id_: str) -> CallRecord: ...
    async def around(
        self,
        site: str,
        station: str | None,
        lookups: Sequence[str],
        start: datetime,
        end: datetime,
        limit: int,
    ) -> Sequence[CallRecord]: ...
    async def supplement(
        self,
        call_: LiveCall,
        aliases: Sequence[AliasRow],
        spans: Sequence[SpanRow],
        at: datetime,
        number: str | None,
    ) -> bool: ...


class RecordingRepository(Protocol):
    """References to the audio of calls; a site's own only."""

    async def get(self, site: str, id_: str) -> Recording: ...
    async def of_call(self, site: str, call: str) -> Sequence[Recording]: ...
    async def of_key(self, site: str, key: str) -> Sequence[Recording]: ...
    async def add(self, recording: Recording, at: datetime) -> None: ...
    async def save(self, recording: Recording) -> None: ...
    async def longest_unchecked(self, before: datetime, limit: int) -> Sequence[Recording]: ...
    async def counts(self) -> Mapping[tuple[str, str], int]: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a file told; `seconds` None for what does not say how long it sounds."""

    status: Status
    seconds: float | None = None


class OpenAudio(Protocol):
    """A recording that is open for reading, parts of it in any order."""

    @property
    def size(self) -> int: ...
    @property
    def etag(self) -> str: ...
    async def read(self, offset: int, length: int) -> bytes: ...
    async def close(self) -> None: ...


class AudioFiles(Protocol):
    """The folders where each site's recorder puts its files; `site` is the site's key."""

    def canonical(self, site: str, ref: str) -> str:
        """Say how the recorder calls what may be told by half a name."""

    async def look(self, site: str, refs: Sequence[str]) -> Sequence[Look]:
        """Look whether these files are there."""

    async def open(self, site: str, ref: str) -> OpenAudio:
        """Raises RecordingMissing, RecordingOutside, RecordingsAway."""


class SessionRepository(Protocol):
    """Video sessions and their links to calls (append-only)."""

    async def add(self, session: Session) -> None: ...
    async def get(self, id_: str) -> Session: ...
    async def by_command(self, site: str, user: str, command: str) -> Session | None: ...
    async def save(self, session: Session) -> Session: ...
    async def at_station(self, site: str, extension: str, limit: int) -> Sequence[Session]: ...
    async def recent(
        self, site: str, extension: str, user: str, since: datetime, limit: int
    ) -> Sequence[Session]: ...
    async def invited(self, site: str, lookups: Sequence[str]) -> Sequence[Session]: ...
    async def of_call(self, site: str, call: str) -> Sequence[Session]: ...
    async def of_calls(self, site: str, calls: Sequence[str]) -> Sequence[Session]: ...
    async def linked_to(self, site: str, calls: Sequence[str]) -> Mapping[str, int]: ...
    async def live_stations(self, site: str) -> frozenset[str]: ...
    async def offered(self, site: str, extension: str) -> Sequence[Session]: ...
    async def unlinked(self, site: str, start: datetime, end: datetime) -> Sequence[Session]: ...
    async def reviewed(self, site: str, start: datetime, end: datetime) -> Sequence[Session]: ...
    async def open_everywhere(self) -> Sequence[Session]: ...
    async def add_link(self, link: Link) -> None: ...
    async def links(self, session: str) -> Sequence[Link]: ...
    async def newest_links(self, sessions: Sequence[str]) -> Mapping[str, Link]: ...


class SnapshotRepository(Protocol):
    """Pictures that desks stored; a site's own only, the picture itself as base64."""

    async def add(self, value: Snapshot, picture: str) -> None: ...
    async def get(self, site: str, id_: str) -> tuple[Snapshot, str | None]: ...
    async def of_session(self, site: str, session: str) -> Sequence[Snapshot]: ...


class InvitationRepository(Protocol):
    """Links sent to phones."""

    async def add(self, invitation: Invitation) -> None: ...
    async def get(self, id_: str) -> Invitation: ...
    async def by_token(self, token_hash: str) -> Invitation | None: ...
    async def of_session(self, session: str) -> Sequence[Invitation]: ...
    async def of_sessions(self, sessions: Sequence[str]) -> Sequence[Invitation]: ...
    async def save(self, invitation: Invitation) -> Invitation: ...


class ObserverRepository(Protocol):
    """Who else was invited to look."""

    async def add(self, observer: Observer) -> None: ...
    async def get(self, site: str, id_: str) -> Observer: ...
    async def by_token(self, token_hash: str) -> Observer | None: ...
    async def by_command(self, site: str, user: str, command: str) -> Observer | None: ...
    async def of_sessions(self, sessions: Sequence[str]) -> Sequence[Observer]: ...
    async def save(self, observer: Observer) -> Observer: ...


class SpokenRepository(Protocol):
    """Codes read aloud."""

    async def add(self, code: SpokenCode) -> None: ...
    async def save(self, code: SpokenCode) -> None: ...
    async def by_hash(self, code: str) -> SpokenCode | None: ...
    async def of_invitations(self, invitations: Sequence[str]) -> Sequence[SpokenCode]: ...
    async def live(self, now: datetime) -> int: ...
    async def expired(self, now: datetime) -> Sequence[SpokenCode]: ...
    async def forget(self, ids: Sequence[str], now: datetime) -> None: ...


class MessageRepository(Protocol):
    """What must leave: a row first, sent after, at least once (I3)."""

    async def add(self, message: Message) -> None: ...
    async def get(self, id_: str) -> Message: ...
    async def by_receipt(self, ref: str) -> Message | None: ...
    async def by_carrier(self, carrier: str, ref: str) -> Message | None: ...
    async def of_invitation(self, invitation: str) -> Sequence[Message]: ...
    async def of_invitations(self, invitations: Sequence[str]) -> Sequence[Message]: ...
    async def due(
        self, now: datetime, limit: int, channel: str | None = None, beside: Sequence[str] = ()
    ) -> Sequence[Message]: ...
    async def next_due(
        self, channel: str | None = None, beside: Sequence[str] = ()
    ) -> datetime | None: ...
    async def save(self, message: Message) -> Message: ...


class LaunchRepository(Protocol):
    """Launch contexts, exchanged at once for an opaque id (I5)."""

    async def add(
        self, id_: str, site: str, context: str, created: datetime, expires: datetime
    ) -> None: ...
    async def get(self, id_: str, now: datetime, site: str) -> str | None: ...
    async def change(self, id_: str, context: str) -> None: ...


class SecretRepository(Protocol):
    """Secrets a site shares with its call-centre software; newest first."""

    async def active(self, site: str) -> Sequence[SiteSecret]: ...
    async def all(self, site: str) -> Sequence[SiteSecret]: ...
    async def add(self, secret: SiteSecret) -> None: ...
    async def retire(self, site: str, id_: str, at: datetime) -> None: ...


class OnceRepository(Protocol):
    """What may be used once, and answers that are given again: signed requests are never believed twice."""

    async def owner(self, site: str, kind: str, key: str, now: datetime) -> str | None: ...
    async def claim(
        self, site: str, kind: str, key: str, owner: str, now: datetime, expires: datetime
    ) -> str: ...
    async def answer(
        self, site: str, key: str, now: datetime
    ) -> tuple[str, Mapping[str, object]] | None: ...
    async def keep_answer(
        self,
        site: str,
        key: str,
        body: str,
        answer: Mapping[str, object],
        now: datetime,
        expires: datetime,
    ) -> None: ...


class FeedbackRepository(Protocol):
    """Incidents and remarks, and what became of them."""

    async def add(self, incident: Incident) -> None: ...
    async def last_number(self, site: str, first: int, last: int) -> int | None: ...
    async def sent_since(self, user: str, since: datetime) -> int: ...
    async def count(self, site: str, state: IncidentState) -> int: ...
    async def get(self, site: str, id_: str) -> Incident: ...
    async def listed(
        self,
        site: str,
        *,
        limit: int,
        below: int | None = None,
        state: IncidentState | None = None,
        kind: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> Sequence[Incident]: ...
    async def of_user(self, user: str, limit: int) -> Sequence[Incident]: ...
    async def steps(self, ids: Sequence[str]) -> Sequence[Step]: ...
    async def add_step(self, step: Step) -> None: ...


class AuditRepository(Protocol):
    """The append-only, hash-chained log of one site."""

    async def append(self, actor: Actor, event: AuditEvent, at: datetime) -> AuditRow: ...
    async def of_session(self, site: str, session: str) -> Sequence[AuditRow]: ...
    async def of_call(self, site: str, call: str) -> Sequence[AuditRow]: ...
    def chain(self, site: str) -> AsyncIterator[AuditRow]: ...
    def opened_chain(
        self, site: str, first: int = 1
    ) -> AsyncIterator[tuple[AuditRow, tuple[bytes, str] | None]]: ...
    async def payload(self, site: str, seq: int) -> tuple[bytes, str] | None: ...


class ErasureRepository(Protocol):
    """Forgetting a person in every sealed place of one site."""

    async def erase(self, site: str, kind: str, value: str, at: datetime) -> Mapping[str, int]: ...


class UnitOfWork(Protocol):
    """One transaction; leaving the block without `commit` rolls back."""

    @property
    def sites(self) -> SiteRepository: ...
    @property
    def users(self) -> UserRepository: ...
    @property
    def login(self) -> LoginRepository: ...
    @property
    def personal(self) -> PersonalRepository: ...
    @property
    def calls(self) -> CallRepository: ...
    @property
    def recordings(self) -> RecordingRepository: ...
    @property
    def sessions(self) -> SessionRepository: ...
    @property
    def snapshots(self) -> SnapshotRepository: ...
    @property
    def invitations(self) -> InvitationRepository: ...
    @property
    def observers(self) -> ObserverRepository: ...
    @property
    def spoken(self) -> SpokenRepository: ...
    @property
    def messages(self) -> MessageRepository: ...
    @property
    def launches(self) -> LaunchRepository: ...
    @property
    def feedback(self) -> FeedbackRepository: ...
    @property
    def secrets(self) -> SecretRepository: ...
    @property
    def once(self) -> OnceRepository: ...
    @property
    def audit(self) -> AuditRepository: ...

    @property
    def erasure(self) -> ErasureRepository: ...

    async def commit(self) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Transactions(Protocol):
    """Opens units of work; `write=True` takes the write lock at once, so that load-decide-save is one step.

    `stranger`: for somebody who has not signed in; strangers queue by themselves, and one at a time among the others.
    """

    def __call__(
        self, *, write: bool = True, stranger: bool = False
    ) -> AbstractAsyncContextManager[UnitOfWork]: ...


@dataclass(frozen=True, slots=True)
class OutgoingSms:
    """One text message; `receipt_url` is called back with the delivery receipt."""

    to: str
    text: str
    sender: str
    receipt_url: str | None
    site: str = ""  # its key: a carrier may have a sender for each
    reference: str = ""  # names this sending, the same when it is repeated for want of an answer


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """One e-mail in text and HTML."""

    to: str
    subject: str
    text: str
    html: str | None
    reply_to: str | None = None
    reference: str = ""  # the Message-ID's: the same when it is repeated for want of an answer


class Sms(Protocol):
    """A carrier. Raises CarrierUnavailable (try again) or CarrierRefused (never)."""

    async def send(self, sms: OutgoingSms) -> str | None:
        """Hand the message over; return the carrier's own reference."""


@dataclass(frozen=True, slots=True)
class ReceiptCall:
    """A carrier's call-back as it came: `secret` is the last part of its path."""

    secret: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    signature: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a carrier says of one message, named by our reference or by its own; `state` None: nothing new."""

    state: Delivery | None
    ref: str | None = None
    carrier_ref: str | None = None


class ReceiptReader(Protocol):
    """Reads one carrier's call-backs. Raises Invalid for what it cannot read, Forbidden for a foreign one."""

    def read(self, call: ReceiptCall) -> Receipt: ...


class Mailer(Protocol):
    """A mail relay. Raises CarrierUnavailable or CarrierRefused."""

    async def send(self, mail: OutgoingMail) -> None:
        """Hand the mail over."""


class Calls(Protocol):
    """Line 15 as the feeds report it now."""

    def state(self, site: str) -> str:
        """`connected`, `quiet`, `down` or `none`."""


@dataclass(frozen=True, slots=True)
class FeedReport:
    """How one feed fares, what it is (`hep`, `ami`, …), and how often it was started again."""

    kind: str
    health: FeedHealth
    restarts: int


@dataclass(frozen=True, slots=True)
class LineReport:
    """Everything of a site's line 15 that an administrator watches; the counts only grow, `queued` excepted."""

    feeds: Sequence[FeedReport]
    calls: Sequence[Call]
    queued: int
    overflow: int
    failures: int
    errors: int


class Lines(Protocol):
    """What keeps line 15 alive, for the eyes of an administrator."""

    def report(self, site: str) -> LineReport:
        """Tell how a site's line 15 fares now."""


class CallEvents(Protocol):
    """The way in for events that are pushed to us, already authentic."""

    async def push(self, site: str, events: Sequence[CtiEvent]) -> Sequence[CtiOutcome]:
        """Return when they are durable (I3). Raises WebhookNotReady or StorageUnavailable: send again."""

    def refused(self, site: str, code: str) -> None:
        """Count a message that was not taken."""

    def connected(self, site: str) -> bool:
        """Whether this site's line 15 is known to be told by events."""

    def connect(self, site: str) -> None:
        """From now on, this site's line 15 is told by events too."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Something of a site changed; `stations` empty means: all of them.

    `soon`: it may be shown a moment later, with what follows it.
    """

    site: str
    stations: frozenset[str] = frozenset()
    session: str | None = None
    soon: bool = False


class Bus(Protocol):
    """Tells the open pages that something changed; loss is harmless, pages load the whole view."""

    def publish(self, change: Changed) -> None: ...
    def subscribe(self, site: str, listener: Callable[[Changed], None]) -> Callable[[], None]: ...


class Passwords(Protocol):
    """Slow hashing of passwords, off the event loop, a bounded number at once."""

    async def hash(self, password: str) -> str:
        """Hash a new password."""

    async def verify(self, stored: str | None, password: str) -> bool:
        """Compare; `None` (unknown user) costs the same time and is never right."""

    def stale(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than today's."""


class Render(Protocol):
    """Text of outgoing messages, from templates/."""

    def text(self, template: str, language: str = "fr", **context: object) -> str: ...


class Translator(Protocol):
    """What is read aloud, in another language."""

    def translate(self, sentence: str, language: str) -> str | None:
        """Return None when there is nothing to translate, or no translation."""


class Ids(Protocol):
    """Fresh identifiers and secrets."""

    def new(self) -> str:
        """An opaque id, 32 hexadecimal digits."""

    def token(self) -> str:
        """An unguessable URL-safe secret of 160 bits."""

    def code(self) -> str:
        """Six digits."""
