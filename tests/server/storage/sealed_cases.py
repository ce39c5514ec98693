"""One question for every method of every store; each asks for what is the first site's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import true

from server.audit.store.audit import AuditStore
from server.audit.store.erasure import ErasureStore
from server.core.limits.throttle_store import ThrottleStore
from server.core.personal import PersonalStore
from server.core.site_policy import SitePolicy, SnapshotPolicy
from server.core.sites import SiteStore
from server.delivery.store import MessageStore
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.incidents.domain import IncidentState, IncidentStep
from server.incidents.store import IncidentStore
from server.invitations.store.invitations import InvitationStore
from server.invitations.store.spoken import SpokenCodeStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.domain.calls import AliasRow, SpanRow
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.line15.store.history import HistoryStore
from server.line15.store.idempotency import OnceStore
from server.line15.store.launches import LaunchStore
from server.line15.store.secrets import SecretStore
from server.observers.store import ObserverStore
from server.recordings.store import RecordingStore
from server.video.store.sessions import SessionStore
from server.video.store.snapshots import SnapshotStore
from telephony import Alias, AliasType, DatedAlias, Rang
from tests.server.storage.two_sites import HOUR, NOW, NUMBER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from server.core.db.unit_of_work import UnitOfWork
    from tests.server.storage.two_sites import OneSite


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks (`own`, a site), and whose things are asked for."""

    uow: UnitOfWork
    own: OneSite
    a: OneSite
    lookup: str  # of the number that called both sites

    @property
    def site(self) -> str:
        return self.own.site.id


SOON, LATE, LONG_AGO, NEXT_YEAR = NOW + HOUR / 2, NOW + 2 * HOUR, NOW - HOUR, NOW + 9000 * HOUR
ALIAS = Alias(AliasType.LINKEDID, "new")
ALIAS_ROW = AliasRow("linkedid", "new", "cdr", "", NOW, None)
SPAN = SpanRow("station", "1502", NOW, None, state="talking")


async def _all(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]


async def _is(found: Awaitable[int | None], more_than: int) -> bool:
    return (await found or 0) > more_than


async def _emptied(q: Asked) -> int:
    """Forget the number, and count the payloads that were emptied."""
    return (await ErasureStore(q.uow).erase(q.site, "number", NUMBER, NOW))["payloads"]


def _link(q: Asked) -> CallLink:
    return CallLink(q.a.session.id, None, Certainty.UNLINKED, Evidence.DECLINED, None, NOW)


CASES: dict[str, Callable[[Asked], Awaitable[object]]] = {
    # audit
    "AuditStore.of_session": lambda q: AuditStore(q.uow).of_session(q.site, q.a.session.id),
    "AuditStore.of_call": lambda q: AuditStore(q.uow).of_call(q.site, q.a.call.id),
    "AuditStore.chain": lambda q: _all(AuditStore(q.uow).chain(q.site)),
    "AuditStore.opened_chain": lambda q: _all(AuditStore(q.uow).opened_chain(q.site)),
    "AuditStore.payload": lambda q: AuditStore(q.uow).payload(q.site, 1),
    "ErasureStore.erase": lambda q: _is(_emptied(q), 1),
    # core
    "ThrottleStore.get": lambda q: ThrottleStore(q.uow).get(q.a.throttle.key),
    "ThrottleStore.save": lambda q: ThrottleStore(q.uow).save(replace(q.a.throttle, count=2)),
    "ThrottleStore.forget_everywhere": lambda q: ThrottleStore(q.uow).forget_everywhere(NEXT_YEAR),
    "PersonalStore.add": lambda q: PersonalStore(q.uow).add(q.site, "name", "x", NOW),
    "PersonalStore.get": lambda q: PersonalStore(q.uow).get(q.site, q.a.observer.name),
    "PersonalStore.get_all": lambda q: PersonalStore(q.uow).get_all(q.site, [q.a.observer.name]),
    "PersonalStore.erase": lambda q: PersonalStore(q.uow).erase(q.site, q.a.contact, NOW),
    "SiteStore.get": lambda q: SiteStore(q.uow).get(q.site),
    "SiteStore.by_key": lambda q: SiteStore(q.uow).by_key(q.a.site.key),
    "SiteStore.all": lambda q: SiteStore(q.uow).all(),
    "SiteStore.add": lambda q: SiteStore(q.uow).add(
        replace(q.own.site, id=f"new-{q.own.mark}", key="new"), NOW
    ),
    "SiteStore.set_policy": lambda q: SiteStore(q.uow).set_policy(
        q.own.site, SitePolicy(snapshots=SnapshotPolicy.STORE)
    ),
    "SiteStore.stations": lambda q: SiteStore(q.uow).stations(q.site),
    "SiteStore.station": lambda q: SiteStore(q.uow).station(q.site, "1501"),
    "SiteStore.add_station": lambda q: SiteStore(q.uow).add_station(
        replace(q.own.station, id="new", extension="1509")
    ),
    # delivery
    "MessageStore.add": lambda q: MessageStore(q.uow).add(
        replace(q.own.message, id="new", receipt_ref="new")
    ),
    "MessageStore.get": lambda q: MessageStore(q.uow).get(q.site, q.a.message.id),
    "MessageStore.by_receipt": lambda q: MessageStore(q.uow).by_receipt(q.a.message.receipt_ref),
    "MessageStore.by_carrier": lambda q: MessageStore(q.uow).by_carrier(
        "kannel", q.a.message.carrier_ref or ""
    ),
    "MessageStore.of_invitation": lambda q: MessageStore(q.uow).of_invitation(
        q.site, q.a.invitation.id
    ),
    "MessageStore.of_invitations": lambda q: MessageStore(q.uow).of_invitations(
        q.site, [q.a.invitation.id]
    ),
    "MessageStore.due_everywhere": lambda q: MessageStore(q.uow).due_everywhere(NOW, 10),
    "MessageStore.next_due_everywhere": lambda q: MessageStore(q.uow).next_due_everywhere(),
    "MessageStore.save": lambda q: MessageStore(q.uow).save(
        replace(q.a.message, site=q.site, attempts=1)
    ),
    # identity
    "LoginStore.add_challenge": lambda q: LoginStore(q.uow).add_challenge(
        replace(q.own.challenge, id="new")
    ),
    "LoginStore.challenge": lambda q: LoginStore(q.uow).challenge(q.a.challenge.id),
    "LoginStore.save_challenge": lambda q: LoginStore(q.uow).save_challenge(
        replace(q.a.challenge, tries=1)
    ),
    "LoginStore.drop_challenge": lambda q: LoginStore(q.uow).drop_challenge(q.a.challenge.id),
    "LoginStore.add_web_session": lambda q: LoginStore(q.uow).add_web_session(
        replace(q.a.sign_in, id="new", site=q.site)
    ),
    "LoginStore.web_session": lambda q: LoginStore(q.uow).web_session(q.a.sign_in.id),
    "LoginStore.touch": lambda q: LoginStore(q.uow).touch(q.a.sign_in.id, SOON),
    "LoginStore.quiet_web_sessions_everywhere": lambda q: LoginStore(
        q.uow
    ).quiet_web_sessions_everywhere(NOW, NOW, NOW),
    "LoginStore.revoke": lambda q: LoginStore(q.uow).revoke(q.a.sign_in.id, NOW),
    "LoginStore.revoke_user": lambda q: LoginStore(q.uow).revoke_user(q.site, q.a.user.id, NOW),
    "LoginStore.forget_everywhere": lambda q: LoginStore(q.uow).forget_everywhere(NEXT_YEAR),
    "UserStore.get": lambda q: UserStore(q.uow).get(q.site, q.a.user.id),
    "UserStore.by_identifier": lambda q: UserStore(q.uow).by_identifier(q.a.user.identifier),
    "UserStore.of_site": lambda q: UserStore(q.uow).of_site(q.site),
    "UserStore.add": lambda q: UserStore(q.uow).add(
        replace(q.own.user, id="new", identifier="new"), NOW
    ),
    "UserStore.save": lambda q: UserStore(q.uow).save(replace(q.a.user, site=q.site, disabled=NOW)),
    # incidents
    "IncidentStore.add": lambda q: IncidentStore(q.uow).add(
        replace(q.own.incident, id="new", number=2026_000_009)
    ),
    "IncidentStore.last_number": lambda q: _is(
        IncidentStore(q.uow).last_number(q.site, 0, 2026_999_999), 2026_000_001
    ),
    "IncidentStore.sent_since": lambda q: _is(
        IncidentStore(q.uow).sent_since(q.site, q.a.user.id, NOW), 0
    ),
    "IncidentStore.count": lambda q: _is(IncidentStore(q.uow).count(q.site, IncidentState.NEW), 1),
    "IncidentStore.get": lambda q: IncidentStore(q.uow).get(q.site, q.a.incident.id),
    "IncidentStore.listed": lambda q: IncidentStore(q.uow).listed(q.site, limit=10),
    "IncidentStore.of_user": lambda q: IncidentStore(q.uow).of_user(q.site, q.a.user.id, 10),
    "IncidentStore.steps": lambda q: IncidentStore(q.uow).steps(q.site, [q.a.incident.id]),
    "IncidentStore.add_step": lambda q: IncidentStore(q.uow).add_step(
        q.site, IncidentStep(q.a.incident.id, 2, IncidentState.CLOSED, q.own.user.id, None, NOW)
    ),
    # invitations
    "InvitationStore.add": lambda q: InvitationStore(q.uow).add(
        replace(q.a.invitation, id="new", site=q.site, token_hash="new")
    ),
    "InvitationStore.get": lambda q: InvitationStore(q.uow).get(q.site, q.a.invitation.id),
    "InvitationStore.by_token": lambda q: InvitationStore(q.uow).by_token(
        q.a.invitation.token_hash
    ),
    "InvitationStore.of_session": lambda q: InvitationStore(q.uow).of_session(
        q.site, q.a.session.id
    ),
    "InvitationStore.of_sessions": lambda q: InvitationStore(q.uow).of_sessions(
        q.site, [q.a.session.id]
    ),
    "InvitationStore.save": lambda q: InvitationStore(q.uow).save(
        replace(q.a.invitation, site=q.site, revoked=NOW)
    ),
    "InvitationStore.sessions": lambda q: InvitationStore(q.uow).sessions(q.site, [q.lookup]),
    "SpokenCodeStore.add": lambda q: SpokenCodeStore(q.uow).add(
        replace(q.own.code, id="new", code="new")
    ),
    "SpokenCodeStore.save": lambda q: SpokenCodeStore(q.uow).save(
        replace(q.a.code, site=q.site, tries=1)
    ),
    "SpokenCodeStore.by_hash": lambda q: SpokenCodeStore(q.uow).by_hash(q.a.code.code),
    "SpokenCodeStore.of_invitations": lambda q: SpokenCodeStore(q.uow).of_invitations(
        q.site, [q.a.invitation.id]
    ),
    "SpokenCodeStore.live_everywhere": lambda q: SpokenCodeStore(q.uow).live_everywhere(NOW),
    "SpokenCodeStore.expired_everywhere": lambda q: SpokenCodeStore(q.uow).expired_everywhere(LATE),
    "SpokenCodeStore.forget": lambda q: SpokenCodeStore(q.uow).forget(q.site, q.a.code.id),
    "SpokenCodeStore.forget_everywhere": lambda q: SpokenCodeStore(q.uow).forget_everywhere(
        NEXT_YEAR
    ),
    # line 15
    "CallStore.save": lambda q: CallStore(q.uow).save(q.site, replace(q.a.call, ended=SOON), NOW),
    "CallStore.merged": lambda q: CallStore(q.uow).merged(q.site, q.a.nameless.id, q.a.call.id),
    "CallStore.assert_call": lambda q: CallStore(q.uow).assert_call(q.site, "new", ALIAS, NOW),
    "CallStore.get": lambda q: CallStore(q.uow).get(q.site, q.a.call.id),
    "CallStore.get_all": lambda q: CallStore(q.uow).get_all(q.site, [q.a.call.id]),
    "CallStore.find": lambda q: CallStore(q.uow).find(q.site, q.a.call.aliases[0].alias.value),
    "CallStore.by_number": lambda q: CallStore(q.uow).by_number(q.site, q.lookup),
    "CallStore.by_day": lambda q: CallStore(q.uow).by_day(q.site, LONG_AGO, LATE),
    "CallStore.at_station": lambda q: CallStore(q.uow).at_station(q.site, "1501", LONG_AGO),
    "CallStore.around": lambda q: CallStore(q.uow).around(
        q.site, "1501", [q.lookup], LONG_AGO, LATE, 10
    ),
    "CallStore.supplement": lambda q: CallStore(q.uow).supplement(
        replace(q.a.nameless, site=q.site), [ALIAS_ROW], [SPAN], NOW, NUMBER
    ),
    "CallStore.record": lambda q: CallStore(q.uow).record(q.site, q.a.call.id),
    "FactStore.add": lambda q: FactStore(q.uow).add(
        q.site, [(q.own.call.id, Rang("leg", NOW, "ami"))], NOW
    ),
    "FactStore.of_live": lambda q: FactStore(q.uow).of_live(q.site, LONG_AGO),
    "HistoryStore.aliases": lambda q: HistoryStore(q.uow).aliases(q.site, [q.a.call.id]),
    "HistoryStore.spans": lambda q: HistoryStore(q.uow).spans(q.site, [q.a.call.id]),
    "HistoryStore.add_aliases": lambda q: HistoryStore(q.uow).add_aliases(
        q.site, q.a.call.id, [DatedAlias(ALIAS, "ami", NOW)], new=True
    ),
    "HistoryStore.name": lambda q: HistoryStore(q.uow).name(
        q.site, q.a.call.id, ALIAS, "ami", "", NOW
    ),
    "HistoryStore.inherit": lambda q: HistoryStore(q.uow).inherit(
        q.site, q.a.call.id, q.own.nameless.id
    ),
    "HistoryStore.add_spans": lambda q: HistoryStore(q.uow).add_spans(
        q.site, q.a.call.id, [SPAN], new=True
    ),
    "OnceStore.owner": lambda q: OnceStore(q.uow).owner(q.site, "launch", "nonce", NOW),
    "OnceStore.claim": lambda q: OnceStore(q.uow).claim(
        q.site, "launch", "nonce", "again", NOW, LATE
    ),
    "OnceStore.answer": lambda q: OnceStore(q.uow).answer(q.site, "asked", NOW),
    "OnceStore.keep_answer": lambda q: OnceStore(q.uow).keep_answer(
        q.site, "new", "body", {}, NOW, LATE
    ),
    "LaunchStore.add": lambda q: LaunchStore(q.uow).add(q.site, "new", "{}", NOW, LATE),
    "LaunchStore.get": lambda q: LaunchStore(q.uow).get(q.site, f"launch-{q.a.mark}", NOW),
    "LaunchStore.change": lambda q: LaunchStore(q.uow).change(q.site, f"launch-{q.a.mark}", "{}"),
    "SecretStore.active": lambda q: SecretStore(q.uow).active(q.site),
    "SecretStore.all": lambda q: SecretStore(q.uow).all(q.site),
    "SecretStore.add": lambda q: SecretStore(q.uow).add(replace(q.own.secret, id="new")),
    "SecretStore.retire": lambda q: SecretStore(q.uow).retire(q.site, q.a.secret.id, NOW),
    # observers
    "ObserverStore.add": lambda q: ObserverStore(q.uow).add(
        replace(q.own.observer, id="new", command="new", token_hash="new")
    ),
    "ObserverStore.get": lambda q: ObserverStore(q.uow).get(q.site, q.a.observer.id),
    "ObserverStore.by_token": lambda q: ObserverStore(q.uow).by_token(q.a.observer.token_hash),
    "ObserverStore.by_command": lambda q: ObserverStore(q.uow).by_command(
        q.site, q.a.user.id, "command"
    ),
    "ObserverStore.of_sessions": lambda q: ObserverStore(q.uow).of_sessions(
        q.site, [q.a.session.id]
    ),
    "ObserverStore.save": lambda q: ObserverStore(q.uow).save(
        replace(q.a.observer, site=q.site, removed=NOW)
    ),
    # recordings
    "RecordingStore.get": lambda q: RecordingStore(q.uow).get(q.site, q.a.recording.id),
    "RecordingStore.of_call": lambda q: RecordingStore(q.uow).of_call(q.site, q.a.call.id),
    "RecordingStore.of_key": lambda q: RecordingStore(q.uow).of_key(q.site, "file"),
    "RecordingStore.add": lambda q: RecordingStore(q.uow).add(
        replace(q.own.recording, id="new", key="new"), NOW
    ),
    "RecordingStore.save": lambda q: RecordingStore(q.uow).save(
        replace(q.a.recording, site=q.site, checked=NOW)
    ),
    "RecordingStore.longest_unchecked_everywhere": lambda q: RecordingStore(
        q.uow
    ).longest_unchecked_everywhere(NOW, 10),
    "RecordingStore.counts_everywhere": lambda q: RecordingStore(q.uow).counts_everywhere(),
    # video
    "SessionStore.add": lambda q: SessionStore(q.uow).add(
        replace(q.own.session, id="new", command="new")
    ),
    "SessionStore.get": lambda q: SessionStore(q.uow).get(q.site, q.a.session.id),
    "SessionStore.by_command": lambda q: SessionStore(q.uow).by_command(
        q.site, q.a.user.id, "session"
    ),
    "SessionStore.save": lambda q: SessionStore(q.uow).save(
        replace(q.a.session, site=q.site, language="ar")
    ),
    "SessionStore.at_station": lambda q: SessionStore(q.uow).at_station(
        q.site, q.a.session.station or "", 10
    ),
    "SessionStore.recent": lambda q: SessionStore(q.uow).recent(
        q.site, q.a.session.station or "", q.a.user.id, LONG_AGO, 10
    ),
    "SessionStore.of_call": lambda q: SessionStore(q.uow).of_call(q.site, q.a.call.id),
    "SessionStore.linked_to": lambda q: SessionStore(q.uow).linked_to(q.site, [q.a.call.id]),
    "SessionStore.of_calls": lambda q: SessionStore(q.uow).of_calls(q.site, [q.a.call.id]),
    "SessionStore.offered": lambda q: SessionStore(q.uow).offered(q.site, "1502"),
    "SessionStore.live_stations": lambda q: SessionStore(q.uow).live_stations(q.site),
    "SessionStore.unlinked": lambda q: SessionStore(q.uow).unlinked(q.site, LONG_AGO, LATE),
    "SessionStore.reviewed": lambda q: SessionStore(q.uow).reviewed(q.site, LONG_AGO, LATE),
    "SessionStore.running": lambda q: SessionStore(q.uow).running(q.site),
    "SessionStore.add_link": lambda q: SessionStore(q.uow).add_link(q.site, _link(q)),
    "SessionStore.links": lambda q: SessionStore(q.uow).links(q.site, q.a.session.id),
    "SessionStore.newest_links": lambda q: SessionStore(q.uow).newest_links(
        q.site, [q.a.session.id]
    ),
    "SessionStore.open_where": lambda q: SessionStore(q.uow).open_where(q.site, true(), 10),
    "SnapshotStore.add": lambda q: SnapshotStore(q.uow).add(
        replace(q.own.snapshot, id="new"), "picture"
    ),
    "SnapshotStore.get": lambda q: SnapshotStore(q.uow).get(q.site, q.a.snapshot.id),
    "SnapshotStore.of_session": lambda q: SnapshotStore(q.uow).of_session(q.site, q.a.session.id),
}
