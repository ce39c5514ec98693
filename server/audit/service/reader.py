"""Gathers a record from the rows of one site, inside one unit of work; another site's rows do not exist here (I7)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from server.audit.domain.record import (
    AliasPart,
    CallPart,
    EventPart,
    HoldPart,
    InvitationPart,
    LinkPart,
    MovePart,
    PhasePart,
    RecordingPart,
    RelatedPart,
    SessionPart,
    SnapshotPart,
    StationPart,
    VideoStart,
)
from server.audit.store.audit import AuditStore
from server.core.audit_entries import AuditRow
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.journal.payloads import Address, Reason, StateChange
from server.core.journal.verbs import FIRST_PICTURE, held, kept, sentence
from server.core.personal import PersonalStore
from server.delivery.domain.messages import Message
from server.delivery.store import MessageStore
from server.identity.store.users import UserStore
from server.invitations.domain.invitation import Invitation
from server.invitations.store.invitations import InvitationStore
from server.line15.domain.call_links import LABELS
from server.line15.domain.calls import CallHistory, CallSummary, SpanRow, moves
from server.line15.store.calls import CallStore
from server.recordings.domain.recordings import OPAQUE, Recording, first_sound, media_type
from server.video.domain.session import Session, SessionState
from server.video.store.sessions import SessionStore
from server.video.store.snapshots import SnapshotStore
from telephony import begin_known

STATES: Final = {state.value: state for state in SessionState}


def call_part(call: CallSummary) -> CallPart:
    """Show a call."""
    return CallPart(
        id=call.id,
        number=call.number,
        state=call.state,
        started=call.started,
        answered=call.answered,
        ended=call.ended,
        end_certain=call.end_certain,
        certain=call.certain,
        evidence=tuple(call.evidence),
    )


def alias_parts(call: CallSummary) -> Sequence[AliasPart]:
    """Show the names of a call, the oldest first."""
    rows = sorted(call.aliases, key=lambda row: (row.valid_from, row.type, row.value))
    return [
        AliasPart(
            type=row.type,
            value=row.value,
            source=row.source,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            why=row.why,
        )
        for row in rows
    ]


def station_parts(record: CallHistory) -> Sequence[StationPart]:
    """Show where the call rang and which stations had it."""
    return [
        StationPart(station=s.value, state=s.state, start=s.start, end=s.end, earlier=s.earlier)
        for s in _spans(record, "station")
    ]


def move_parts(record: CallHistory) -> Sequence[MovePart]:
    """Show who handed the call to whom."""
    found = moves(_spans(record, "station"), record.call.answered)
    return [MovePart(move.origin, move.target, move.at) for move in found]


def hold_parts(record: CallHistory) -> Sequence[HoldPart]:
    """Show when the call was on hold."""
    return [HoldPart(s.start, s.end, s.earlier) for s in _spans(record, "hold")]


def _spans(record: CallHistory, kind: str) -> Sequence[SpanRow]:
    return sorted((s for s in record.spans if s.kind == kind), key=lambda s: s.start)


def phase_parts(session: Session, rows: Iterable[AuditRow]) -> Sequence[PhasePart]:
    """Show how long a session was in each of its states, by what the chain says of its changes."""
    changes = [(session.created, SessionState.INVITED)]
    for row in rows:
        change = held(row.action, row.data, StateChange)
        if change is None or row.subject != f"session:{session.id}":
            continue
        before, after = STATES.get(change.from_ or ""), STATES.get(change.to or "")
        if before and after and before is not after:
            changes.append((row.at, after))
    ends = [at for at, _ in changes[1:]]
    return [
        PhasePart(state.value, at, end)
        for (at, state), end in zip(changes, [*ends, None], strict=True)
        if state is not SessionState.ENDED
    ]


def event_part(row: AuditRow, actor: str | None, payload: tuple[bytes, str] | None) -> EventPart:
    """Show a row of the chain; `payload` as the store opens it."""
    opened = _opened(payload)
    why = kept(row.action, opened, Reason)
    return EventPart(
        seq=row.seq,
        at=row.at,
        source=row.source,
        action=row.action,
        subject=row.subject,
        actor=actor,
        address=Address.read(opened).address,
        data=row.data,
        hash=row.hash,
        said=sentence(row.action),
        reason=why.reason if why else None,
    )


def recording_parts(
    sounds: Iterable[Recording], call: CallSummary, events: Iterable[EventPart]
) -> Sequence[RecordingPart]:
    """Show where the sound of a call is, and where in it each video begins."""
    flowing: dict[str, datetime] = {}
    for event in events:
        kind, _, session = event.subject.partition(":")
        if event.action == FIRST_PICTURE and kind == "session":
            flowing.setdefault(session, event.at)
    return [_recording(one, call, flowing) for one in sounds if one.shown]


def _recording(one: Recording, call: CallSummary, flowing: Mapping[str, datetime]) -> RecordingPart:
    known = begin_known(one.started, one.stopped, one.slack)
    begins, slack = first_sound(one, call.answered) if known else (one.started, one.slack)
    return RecordingPart(
        id=one.id,
        href=f"/audit/recordings/{one.id}",
        source=one.source,
        started=one.started,
        begins=begins,
        stopped=one.stopped,
        seconds=one.seconds,
        slack=slack,
        begin_known=known,
        sureness=one.sureness.value,
        why=one.why,
        status=one.status.value,
        since=one.since,
        checked=one.checked,
        erased=one.ref is None,
        plays=one.ref is not None and media_type(one.ref) != OPAQUE,
        videos=[
            VideoStart(session, at, round((at - begins).total_seconds(), 3))
            for session, at in flowing.items()
        ],
    )


class Reader:
    """Reads sessions and events, naming each user once."""

    def __init__(self, uow: UnitOfWork, site: str) -> None:
        """Read for one site in one unit of work."""
        self._uow = uow
        self._site = site
        self._names: dict[str, str | None] = {}
        self._rows: dict[str, Sequence[AuditRow]] = {}

    async def sessions(self, sessions: Iterable[Session]) -> Sequence[SessionPart]:
        """Show videos, the oldest first."""
        return [await self._session(one) for one in sorted(sessions, key=lambda one: one.created)]

    async def events(
        self, call: str | None, sessions: Iterable[SessionPart]
    ) -> Sequence[EventPart]:
        """Show every row of the chain about the call or its sessions, once, in order."""
        rows: dict[int, AuditRow] = {}
        if call is not None:
            rows.update({r.seq: r for r in await AuditStore(self._uow).of_call(self._site, call)})
        for session in sessions:
            found = await self._of_session(session.id)
            rows.update({row.seq: row for row in found})
        return [await self._event(rows[seq]) for seq in sorted(rows)]

    async def _of_session(self, id_: str) -> Sequence[AuditRow]:
        if id_ not in self._rows:
            self._rows[id_] = await AuditStore(self._uow).of_session(self._site, id_)
        return self._rows[id_]

    async def related(self, record: CallHistory) -> Sequence[RelatedPart]:
        """Show the calls that this one names and those that name it, once each, the oldest first."""
        wanted: list[tuple[str, str, SpanRow | None]] = []
        for span in _spans(record, "related"):
            other_id, _, why = span.value.partition(" ")
            wanted.append((other_id, why, span))
        known = {(other_id, why) for other_id, why, _ in wanted}
        wanted += [(*pair, None) for pair in record.named_by if pair not in known]
        others = await CallStore(self._uow).get_all(self._site, [other for other, _, _ in wanted])
        found: dict[tuple[str, str], RelatedPart] = {}
        for name, why, named in wanted:
            other = others.get(name)
            if other is None or other.id == record.call.id:
                continue
            # A relation without an interval is stored from the start of the call on.
            if named is None or (named.start, named.end) == (record.call.started, None):
                start, end = None, None
            else:
                start, end = named.start, named.end
            found[other.id, why] = RelatedPart(
                call=other.id, why=why, began=other.started, start=start, end=end
            )
        return sorted(found.values(), key=lambda part: (part.began, part.call))

    async def _session(self, session: Session) -> SessionPart:
        links = [
            LinkPart(
                call=link.call,
                certainty=link.certainty.value,
                evidence=link.evidence.value,
                reason=LABELS[link.evidence],
                at=link.at,
                by=await self._name(link.actor),
            )
            for link in await SessionStore(self._uow).links(self._site, session.id)
        ]
        found = await InvitationStore(self._uow).of_session(self._site, session.id)
        return SessionPart(
            id=session.id,
            state=session.state.value,
            created=session.created,
            ended=session.ended,
            end_reason=session.end_reason,
            by=await self._name(session.created_by),
            station=session.station,
            phases=phase_parts(session, await self._of_session(session.id)),
            links=sorted(links, key=lambda link: link.at),
            invitations=[await self._invitation(one) for one in found],
            snapshots=await self._snapshots(session.id),
        )

    async def _snapshots(self, session: str) -> Sequence[SnapshotPart]:
        return [
            SnapshotPart(
                id=one.id,
                href=f"/audit/snapshots/{one.id}",
                at=one.at,
                by=await self._name(one.by),
                width=one.width,
                height=one.height,
                sha256=one.sha256,
                erased=one.erased,
            )
            for one in await SnapshotStore(self._uow).of_session(self._site, session)
        ]

    async def _invitation(self, invitation: Invitation) -> InvitationPart:
        messages = await MessageStore(self._uow).of_invitation(self._site, invitation.id)
        handed = [message.handed for message in messages if message.handed]
        delivered = [message.delivered for message in messages if message.delivered]
        return InvitationPart(
            channel=invitation.channel,
            to=await PersonalStore(self._uow).get(self._site, invitation.contact)
            if invitation.contact
            else None,
            state=_state(invitation, messages),
            created=invitation.created,
            expires=invitation.expires,
            opened=invitation.opened,
            tapped=invitation.tapped,
            revoked=invitation.revoked,
            handed=min(handed, default=None),
            delivered=min(delivered, default=None),
        )

    async def _event(self, row: AuditRow) -> EventPart:
        payload = await AuditStore(self._uow).payload(self._site, row.seq)
        return event_part(row, await self._name(row.actor), payload)

    async def _name(self, user: str | None) -> str | None:
        if user is None:
            return None
        if user not in self._names:
            try:
                self._names[user] = (await UserStore(self._uow).get(self._site, user)).name
            except NotFound:
                self._names[user] = None
        return self._names[user]


def _opened(payload: tuple[bytes, str] | None) -> object:
    """Return what a payload holds; erased and unreadable ones hold nothing."""
    return json.loads(payload[1]) if payload and payload[1] else None


def _state(invitation: Invitation, messages: Sequence[Message]) -> str:
    """Say the furthest an invitation came."""
    if invitation.revoked:
        return "revoked"
    if invitation.tapped:
        return "tapped"
    if invitation.opened:
        return "opened"
    return messages[-1].state.value if messages else "accepted"
