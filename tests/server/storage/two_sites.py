"""Two sites with one row of everything each; every row of a site says `of-a` or `of-b` somewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from server.app.all_tables import metadata
from server.core.audit_entries import Actor
from server.core.journal.append import Journal
from server.core.limits.throttle import Throttle
from server.core.limits.throttle_store import ThrottleStore
from server.core.personal import PersonalStore
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore, Station
from server.delivery.domain.messages import Message
from server.delivery.store import MessageStore
from server.identity.domain.access import Role
from server.identity.domain.login import LoginChallenge
from server.identity.domain.sign_in import StoredSignIn
from server.identity.domain.users import User
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.incidents.domain import Incident, IncidentState, IncidentStep
from server.incidents.store import IncidentStore
from server.invitations.domain.invitation import Invitation
from server.invitations.domain.spoken import SpokenCode
from server.invitations.store.invitations import InvitationStore
from server.invitations.store.spoken import SpokenCodeStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.domain.signing import SiteSecret
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.line15.store.idempotency import OnceStore
from server.line15.store.launches import LaunchStore
from server.line15.store.secrets import SecretStore
from server.observers.domain import Observer
from server.observers.store import ObserverStore
from server.recordings.domain.recordings import Recording, RecordingCertainty
from server.recordings.store import RecordingStore
from server.video.domain.session import Session, SessionState
from server.video.domain.snapshots import Snapshot
from server.video.store.sessions import SessionStore
from server.video.store.snapshots import SnapshotStore
from telephony import Alias, AliasType, Call, CallState, DatedAlias, Number, Rang, Span, StationSpan
from tests.server.stray import stray

if TYPE_CHECKING:
    from server.core.db.unit_of_work import UnitOfWork
    from server.line15.domain.calls import CallSummary

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = "+33612345679"
A, B = "of-a", "of-b"


@dataclass(frozen=True, kw_only=True)
class OneSite:
    """What stands in the database of one site."""

    mark: str
    site: Site
    station: Station
    user: User
    contact: str
    call: Call
    summary: CallSummary
    nameless: CallSummary
    session: Session
    invitation: Invitation
    code: SpokenCode
    message: Message
    observer: Observer
    snapshot: Snapshot
    recording: Recording
    incident: Incident
    secret: SiteSecret
    challenge: LoginChallenge
    sign_in: StoredSignIn
    throttle: Throttle


async def furnish(uow: UnitOfWork, mark: str) -> OneSite:
    """Store one row of everything; what two sites may have in common, they have."""
    site = Site(f"site-{mark}", f"key-{mark}", "SAMU", "SAMU15", "r@x.example", SitePolicy())
    station = Station(f"station-{mark}", site.id, "1501", "Poste", webcam=False)
    user = User(
        id=f"user-{mark}",
        site=site.id,
        identifier=f"identifier-{mark}",
        name=f"name-{mark}",
        role=Role.ARM,
        password_hash="x",
        email=None,
        mobile=None,
        disabled=None,
        version=1,
    )
    await SiteStore(uow).add(site, NOW)
    await SiteStore(uow).add_station(station)
    await UserStore(uow).add(user, NOW)
    contact = await PersonalStore(uow).add(site.id, "number", NUMBER, NOW)
    remark = await PersonalStore(uow).add(site.id, "remark", f"remark-{mark} {NUMBER}", NOW)
    call, summary, nameless = await _calls(uow, site, mark)
    session = await _sessions(uow, site, user, mark)
    end = NOW + HOUR
    invitation = Invitation(
        f"invitation-{mark}", site.id, session.id, "sms", contact, f"token-{mark}", NOW, end
    )
    code = SpokenCode(
        f"code-{mark}", f"digits-{mark}", site.id, session.id, invitation.id, NOW, end
    )
    message = Message(
        id=f"message-{mark}",
        site=site.id,
        kind="invitation",
        channel="sms",
        invitation=invitation.id,
        sealed=b"x",
        receipt_ref=f"receipt-{mark}",
        created=NOW,
        expires=end,
        due=NOW,
        carrier="kannel",
        carrier_ref=f"ref-{mark}",
    )
    observer = Observer(
        id=f"observer-{mark}",
        site=site.id,
        session=session.id,
        invited_by=user.id,
        command="command",
        channel="sms",
        name=remark,
        contact=contact,
        message=message.id,
        token_hash=f"eye-{mark}",
        created=NOW,
        expires=end,
    )
    snapshot = Snapshot(
        f"snapshot-{mark}", site.id, session.id, user.id, NOW, 4, 3, "hash", erased=False
    )
    recording = Recording(
        id=f"recording-{mark}",
        site=site.id,
        call=call.id,
        source="ami",
        key="file",
        ref=f"/{mark}.wav",
        started=NOW,
        stopped=None,
        seconds=None,
        slack=0.0,
        sureness=RecordingCertainty.CERTAIN,
        why="said so",
    )
    await InvitationStore(uow).add(invitation)
    await SpokenCodeStore(uow).add(code)
    await SpokenCodeStore(uow).add(replace(code, id=f"used-{mark}", code="used", used=NOW))
    await MessageStore(uow).add(message)
    await ObserverStore(uow).add(observer)
    await SnapshotStore(uow).add(snapshot, f"picture-{mark}")
    await RecordingStore(uow).add(recording, NOW)
    incident = await _incidents(uow, user, remark, mark)
    secret = SiteSecret(f"secret-{mark}", site.id, "value", NOW)
    challenge = LoginChallenge(
        f"challenge-{mark}", site.id, user.id, "account", "hash", "sms", 0, "/", NOW, end
    )
    sign_in = StoredSignIn(f"cookie-{mark}", site.id, user.id, NOW, NOW, end, None)
    throttle = Throttle(f"throttle-{mark}", 1, NOW, None)
    await SecretStore(uow).add(secret)
    await LoginStore(uow).add_challenge(challenge)
    await LoginStore(uow).add_web_session(sign_in)
    await ThrottleStore(uow).save(throttle)
    await LaunchStore(uow).add(site.id, f"launch-{mark}", f"context-{mark}", NOW, end)
    await OnceStore(uow).claim(site.id, "launch", "nonce", f"owner-{mark}", NOW, end)
    await OnceStore(uow).keep_answer(site.id, "asked", f"body-{mark}", {}, NOW, end)
    event = stray("call.talking", f"call:{call.id}", session.id, call.id, {}, {"to": mark})
    actor = Actor("desk", site.id, user.id)
    await Journal(uow).append(actor, event, NOW)
    if mark == A:  # the first site has one more row of what is only counted
        search = stray("audit.searched", f"site:{site.id}", personal={"value": NUMBER})
        await Journal(uow).append(actor, search, NOW)
    return OneSite(
        mark=mark,
        site=site,
        station=station,
        user=user,
        contact=contact,
        call=call,
        summary=summary,
        nameless=nameless,
        session=session,
        invitation=invitation,
        code=code,
        message=message,
        observer=observer,
        snapshot=snapshot,
        recording=recording,
        incident=incident,
        secret=secret,
        challenge=challenge,
        sign_in=sign_in,
        throttle=throttle,
    )


async def _calls(uow: UnitOfWork, site: Site, mark: str) -> tuple[Call, CallSummary, CallSummary]:
    call = Call(
        id=f"call-{mark}",
        caller=Number(NUMBER),
        state=CallState.TALKING,
        started=NOW,
        answered=NOW,
        aliases=(DatedAlias(Alias(AliasType.LINKEDID, f"alias-{mark}"), "ami", NOW),),
        stations=(StationSpan("1501", NOW),),
        holds=(Span(NOW, None),),
    )
    await CallStore(uow).save(site.id, call, NOW)
    other = Alias(AliasType.LINKEDID, f"other-{mark}")
    await CallStore(uow).assert_call(site.id, f"nameless-{mark}", other, NOW)
    await FactStore(uow).add(site.id, [(call.id, Rang("leg", NOW, "ami"))], NOW)
    summary = await CallStore(uow).get(site.id, call.id)
    return call, summary, await CallStore(uow).get(site.id, f"nameless-{mark}")


async def _sessions(uow: UnitOfWork, site: Site, user: User, mark: str) -> Session:
    """Store four videos: live and of the call, of no call, linked by a person afterwards, and over."""
    links = (
        ("session", f"call-{mark}", Certainty.CERTAIN, Evidence.CHOSEN),
        ("loose", None, Certainty.UNLINKED, Evidence.NO_CALL),
        ("reviewed", f"call-{mark}", Certainty.CERTAIN, Evidence.REVIEWED),
        ("over", None, Certainty.UNLINKED, Evidence.NO_CALL),
    )
    made = []
    for name, call, certainty, evidence in links:
        session = Session(
            id=f"{name}-{mark}",
            site=site.id,
            station=f"1501-{mark}",
            created_by=user.id,
            command=name,
            created=NOW,
            changed=NOW,
            state=SessionState.ENDED if name == "over" else SessionState.LIVE,
            offered_to="1502",
            offered_by=user.id,
        )
        await SessionStore(uow).add(session)
        link = CallLink(session.id, call, certainty, evidence, user.id, NOW)
        await SessionStore(uow).add_link(site.id, link)
        made.append(session)
    return made[0]


async def _incidents(uow: UnitOfWork, user: User, remark: str, mark: str) -> Incident:
    """Store one with a step; the first site has another, and the higher numbers."""
    first = 2026_000_005 if mark == A else 2026_000_001
    incident = Incident(
        f"incident-{mark}",
        user.site,
        user.id,
        "incident",
        remark,
        {},
        NOW,
        first,
        IncidentState.NEW,
        0,
        None,
    )
    await IncidentStore(uow).add(incident)
    if mark == A:
        await IncidentStore(uow).add(replace(incident, id=f"another-{mark}", number=first + 1))
    step = IncidentStep(incident.id, 1, IncidentState.NEW, user.id, remark, NOW)
    await IncidentStore(uow).add_step(user.site, step)
    return incident


async def rows(uow: UnitOfWork, mark: str) -> set[str]:
    """Return every row of every table that mentions a site."""
    found = set()
    for table in metadata.sorted_tables:
        for row in await uow.connection.execute(select(table)):
            told = f"{table.name}: {tuple(row)!r}"
            if mark in told:
                found.add(told)
    return found
