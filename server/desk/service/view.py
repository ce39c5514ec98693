"""The whole view of one desk (docs/protocol.md), built from the database each time something changed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.personal import PersonalStore
from server.core.sites import Site, Station
from server.core.words.languages import ALL
from server.core.words.translations import ReadAloudTranslator
from server.delivery.domain.messages import Message
from server.delivery.store import MessageStore
from server.desk.domain import funnel
from server.desk.domain.launch_words import launch_words
from server.desk.domain.sentences import WEAK, Say
from server.identity.domain.users import User
from server.identity.store.users import UserStore
from server.invitations.domain.invitation import Invitation
from server.invitations.domain.spoken import SpokenCode
from server.invitations.store.invitations import InvitationStore
from server.invitations.store.spoken import SpokenCodeStore
from server.line15.domain.call_links import LABELS, CallLink
from server.line15.domain.calls import CallSummary
from server.line15.service.launch import Launched
from server.line15.service.lines import Lines
from server.line15.store.calls import CallStore
from server.observers.service import participants
from server.storage.transactions import Transactions
from server.video.domain.preflight import CAUSES, Preflight, cause
from server.video.domain.session import Session, SessionState
from server.video.service.rooms import Room, Rooms
from server.video.service.sessions import gone_to
from server.video.store.sessions import SessionStore
from telephony import NumberKind, parse_number

SHIFT = timedelta(hours=12)
ENDED_SHOWN = timedelta(minutes=10)
# What is over is bounded; what lives is always shown.
ENDED_CALLS_SHOWN = 12
ENDED_SESSIONS_SHOWN = 10
NBSP = "\N{NO-BREAK SPACE}"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose view it is."""

    user: User
    site: Site
    station: Station | None
    launched: Launched | None
    watching: str | None


class DeskView:
    """Builds views."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        lines: Lines,
        rooms: Rooms,
        translator: ReadAloudTranslator,
    ) -> None:
        """Keep what the view is made of."""
        self._translator = translator
        self._transactions = transactions
        self._clock = clock
        self._lines = lines
        self._rooms = rooms

    async def of(self, desk: Desk) -> Json:
        """Return the `view` message."""
        now = self._clock.now()
        calls: Sequence[CallSummary] = ()
        sessions: list[Json] = []
        async with self._transactions(write=False) as uow:
            if desk.station:
                calls = await self._shown_calls(uow, desk, now)
                here = [c.id for c in calls if desk.station.extension in c.places.holders]
                sessions = await self._sessions(uow, desk, desk.station.extension, here)
            elif desk.watching:  # without a seat it sees its video, and nothing of any station
                sessions = await self._sessions(uow, desk, "", ())
        return {
            "type": "view",
            "now": iso(now),
            "me": {"name": desk.user.name, "role": desk.user.role.value},
            "site": {
                "name": desk.site.name,
                "snapshots": desk.site.policy.snapshots.value,
                "observers": [one.name for one in desk.site.policy.observers],
            },
            "station": _station(desk.station),
            "line15": {"state": self._lines.state(desk.site.id)},
            "launch": _launch(desk.launched),
            "calls": [_call(call, desk.station) for call in calls],
            "sessions": sessions,
            "watching": desk.watching,
        }

    async def _shown_calls(self, uow: UnitOfWork, desk: Desk, now: datetime) -> list[CallSummary]:
        extension = desk.station.extension if desk.station else ""
        here = await CallStore(uow).at_station(
            desk.site.id, extension, now - SHIFT, ended=ENDED_CALLS_SHOWN
        )
        shown = [c for c in here if c.ended is None or now - c.ended < ENDED_SHOWN]
        launched = desk.launched.call if desk.launched else None
        if launched and launched not in {c.id for c in shown}:
            shown.insert(0, await CallStore(uow).get(desk.site.id, launched))
        return list({c.id: c for c in shown}.values())

    async def _sessions(
        self, uow: UnitOfWork, desk: Desk, extension: str, here: Sequence[str]
    ) -> list[Json]:
        """Show the station's sessions, and those of the calls it has, or had last: a session follows its call.

        Those offered to it by hand too, and the one it still sees after it gave it away.

        What all of them need is loaded in one query a table: views are frequent.
        """
        site = desk.site.id
        own = await SessionStore(uow).at_station(site, extension, ENDED_SESSIONS_SHOWN)
        followed = await SessionStore(uow).of_calls(site, here) if here else ()
        offered = await SessionStore(uow).offered(site, extension)
        found = {s.id: s for s in (*own, *followed, *offered)}
        if desk.watching and desk.watching not in found:
            watched = await SessionStore(uow).get(site, desk.watching)
            found[watched.id] = watched
        sessions = sorted(found.values(), key=lambda s: s.created, reverse=True)
        if not sessions:
            return []
        links = await SessionStore(uow).newest_links(site, [s.id for s in sessions])
        invitations = await InvitationStore(uow).of_sessions(site, [s.id for s in sessions])
        messages = await MessageStore(uow).of_invitations(site, [i.id for i in invitations])
        contacts = await PersonalStore(uow).get_all(
            site, [i.contact for i in invitations if i.contact]
        )
        people = await participants(uow, self._rooms, site, [s.id for s in sessions])
        givers = {
            s.offered_by: (await UserStore(uow).get(site, s.offered_by)).name
            for s in sessions
            if s.offered_by and s.state is not SessionState.ENDED
        }
        spoken = [i.id for i in invitations if i.channel == "code"]
        codes = await SpokenCodeStore(uow).of_invitations(site, spoken) if spoken else ()
        calls = await CallStore(uow).get_all(
            site, [link.call for link in links.values() if link.call]
        )
        return [
            self._session(
                session,
                _Parts(
                    link=links.get(session.id),
                    calls=calls,
                    invitations=[i for i in invitations if i.session == session.id],
                    messages=messages,
                    contacts=contacts,
                    station=extension,
                    codes=codes,
                    people=people[session.id],
                    giver=givers.get(session.offered_by or ""),
                ),
            )
            for session in sessions
        ]

    def _session(self, session: Session, parts: "_Parts") -> Json:
        sent = {i.id: parts.messages_of(i) for i in parts.invitations}
        flat = [m for several in sent.values() for m in several]
        room = self._rooms.get(session.id)
        number = next((parts.to(i) for i in parts.invitations if i.channel == "sms"), None)
        phone, language = _phone(room), session.language
        speech = funnel.speech(session, flat, phone, self._clock.now())
        weak = session.state is SessionState.LIVE and not phone.blind
        return {
            "id": session.id,
            "state": session.state.value,
            "created": iso(session.created),
            "ended": iso(session.ended),
            "end_reason": session.end_reason,
            "number": national(number),
            "station": session.station,
            "moved": list(gone_to(session, parts.call, parts.station)),
            "offer": _offer(session, parts.giver),
            "link": _link(parts.link, parts.call, session),
            "invitations": [
                self._by_code(i, session, parts)
                if i.channel == "code"
                else _invitation(i, sent[i.id], parts.to(i), session)
                for i in parts.invitations
            ],
            "steps": [step_of(step) for step in funnel.steps(session, flat)],
            "say": self._spoken(speech.say, language, stalled=speech.stalled),
            "say_later": [
                {"at": iso(later.at), **self._spoken(later.say, language, stalled=True)}
                for later in speech.later
            ],
            "say_weak": self._spoken(WEAK, language, stalled=True) if weak else None,
            "rung": room.rung,
            "participants": list(parts.people),
            "caller": {
                "online": room.phone is not None,
                "hidden": room.said.hidden,
                "camera": room.said.camera,
                "language": _language(session.language),
                "abilities": room.abilities,
                "network": _network(room.network),
                "transport": _transport(room),
            },
        }

    def _spoken(self, say: Say, language: str | None, *, stalled: bool) -> Json:
        """Return a sentence as the desk reads it aloud, and what it is in the caller's language."""
        text = self._translator.translate(say.text, language) if language else None
        return {
            "text": say.text,
            "cause": say.cause,
            "stalled": stalled,
            "translation": text and {"language": language, "text": text},
        }

    def _by_code(self, invitation: Invitation, session: Session, parts: "_Parts") -> Json:
        """Return an invitation by code: whether it waits to be typed, was, or came to its end."""
        shown = _invitation(invitation, (), None, session)
        newest = parts.code_of(invitation)
        if newest is None or (newest.used is None and not newest.live(self._clock.now())):
            state, label = "expired", "code expiré"
        elif newest.used is None:
            state, label = "waiting", "code à dicter"
        else:
            state, label = "read", "code saisi"
        expires = newest.expires if newest and newest.used is None else invitation.expires
        # Nobody has a link before the code is typed: nothing to move to.
        able = session.state is not SessionState.ENDED and not invitation.revoked
        can = (["revoke", "move"] if state == "read" else ["revoke"]) if able else []
        return {
            **shown,
            "state": state,
            "label": shown["label"] or label,
            "expires": iso(expires),
            "can": can,
        }


def step_of(step: funnel.FunnelStep) -> Json:
    """Return one line of the funnel."""
    return {**asdict(step), "at": iso(step.at), "since": iso(step.since)}


def _phone(room: Room) -> funnel.PhoneState:
    """Return what is known of the phone, for the sentence that helps its caller."""
    said = room.said
    return funnel.PhoneState(
        room.phone is not None,
        said.hidden,
        said.camera,
        asking=said.asking,
        network="asked" if room.rung == "stills" and room.why == "asked" else room.rung,
        cause=cause(room.network, _transport(room)),
        since=room.told,
        blind_since=room.blind,
    )


def _transport(room: Room) -> str | None:
    """Return what carries the phone's messages, while it is there."""
    return room.transport if room.phone is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What was loaded for one session."""

    link: CallLink | None
    calls: Mapping[str, CallSummary]
    invitations: Sequence[Invitation]
    messages: Sequence[Message]
    contacts: Mapping[str, str | None]
    station: str
    codes: Sequence[SpokenCode] = ()
    people: Sequence[Json] = ()
    giver: str | None = None

    @property
    def call(self) -> CallSummary | None:
        """The call it is linked to."""
        return self.calls.get(self.link.call) if self.link and self.link.call else None

    def messages_of(self, invitation: Invitation) -> list[Message]:
        """The messages that carried one link."""
        return [m for m in self.messages if m.invitation == invitation.id]

    def to(self, invitation: Invitation) -> str | None:
        """Where it went; None once erased, and for a code."""
        return self.contacts.get(invitation.contact) if invitation.contact else None

    def code_of(self, invitation: Invitation) -> SpokenCode | None:
        """The newest code that was read aloud for it."""
        found = [code for code in self.codes if code.invitation == invitation.id]
        return found[-1] if found else None


def sessions_of(view: Json) -> frozenset[str | None]:
    """Return the ids of the sessions a view shows: what happens to them concerns its desk."""
    shown = view["sessions"]
    return frozenset(one["id"] for one in shown) if isinstance(shown, list) else frozenset()


def _language(code: str | None) -> Json | None:
    known = next((language for language in ALL if language.code == code), None)
    return {"code": known.code, "name": known.french} if known else None


def _offer(session: Session, giver: str | None) -> Json | None:
    if session.offered_to is None or session.state is SessionState.ENDED:
        return None
    return {"to": session.offered_to, "from": session.station, "by": giver or ""}


def iso(at: datetime | None) -> str | None:
    """Return a time as the pages read it."""
    return at.isoformat() if at else None


def national(number: str | None) -> str | None:
    """Return a number as people read it."""
    parsed = parse_number(number) if number else None
    return parsed.national if parsed else None


def _station(station: Station | None) -> Json | None:
    if station is None:
        return None
    return {"extension": station.extension, "name": station.name, "webcam": station.webcam}


def _launch(launched: Launched | None) -> Json | None:
    if launched is None:
        return None
    return {
        "call": launched.call,
        "mobile": launched.mobile,
        "notice": launch_words(launched.code, launched.notices),
        "code": launched.code,
        "proposed": asdict(launched.proposed) if launched.proposed else None,
    }


def _call(call: CallSummary, station: Station | None) -> Json:
    parsed = parse_number(call.number) if call.number else None
    return {
        "id": call.id,
        "number": parsed.national if parsed else None,
        "mobile": parsed is not None and parsed.kind is NumberKind.MOBILE,
        "state": call.state_at(station.extension) if station else call.state,
        "certain": call.certain,
        "confirmed": call.confirmed,
        "started": iso(call.started),
        "answered": iso(call.answered),
        "ended": iso(call.ended),
        "stations": list(call.stations),
        "ringing": list(call.places.ringing),
        "aliases": [{"type": a.type, "value": a.value} for a in call.aliases],
    }


def link_label(link: CallLink, call: CallSummary | None) -> str:
    """Return why a session belongs to its call, and the call's number."""
    if call and call.number:
        shown = (national(call.number) or "").replace(" ", NBSP)
        return f"{LABELS[link.evidence]}{NBSP}: {shown}"
    return LABELS[link.evidence]


def _link(link: CallLink | None, call: CallSummary | None, session: Session) -> Json:
    if link is None:
        return {
            "call": None,
            "certainty": "unlinked",
            "evidence": "no_call",
            "label": "",
            "pick": False,
            "number": None,
            "ended": None,
        }
    label = link_label(link, call)
    pick = link.wants_pick and session.state is not SessionState.ENDED
    return {
        "call": call.id if call else None,
        "certainty": link.certainty.value,
        "evidence": link.evidence.value,
        "label": label,
        "pick": pick,
        "number": national(call.number) if call else None,
        "ended": iso(call.ended) if call else None,
    }


def _network(network: Preflight | None) -> Json | None:
    return {"way": network.way.value, "cause": CAUSES[network.way]} if network else None


def _invitation(
    invitation: Invitation, messages: Sequence[Message], contact: str | None, session: Session
) -> Json:
    last = messages[-1] if messages else None
    label = funnel.message_label(last) if last else ""
    if invitation.revoked:
        label = "lien annulé"
    elif not invitation.active:
        label = "déplacé vers l'autre appareil"
    elif invitation.browser_hash:
        label = "ouvert sur un téléphone"
    can = []
    if session.state is not SessionState.ENDED and not invitation.revoked:
        can = ["revoke", "move"]
        if last and last.sealed is not None:
            can.insert(0, "resend")
    return {
        "id": invitation.id,
        "channel": invitation.channel,
        "to": national(contact) if invitation.channel == "sms" else contact,
        "state": last.state.value if last else "queued",
        "label": label,
        "expires": iso(invitation.expires),
        "can": can,
    }
