"""The funnel of one video: each step with its times, and what to say now and later if nothing happens. Pure.

The sentences themselves stand in sentences.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from server.delivery.domain.messages import RESENT, Message, MessageState, maybe_twice
from server.desk.domain.sentences import CAMERA, LADDER, NETWORK, SAYINGS, Say
from server.video.domain.session import BLIND, Session, SessionState

STEPS: Final = (
    ("accepted", "Invitation acceptée"),
    ("handed", "Remise à l'opérateur"),
    ("delivered", "Message reçu"),
    ("opened", "Lien ouvert"),
    ("tapped", "Bouton touché"),
    ("permission", "Autorisation caméra"),
    ("image", "Image"),
)
#: Of a session that nothing was sent for: a code is read aloud instead.
CODE_STEPS: Final = (STEPS[0], ("read", "Code saisi"), *STEPS[3:])


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelStep:
    """One line of the list: `state` is done, current, todo or failed.

    `since`: when it was its turn. `seconds` counts from the acceptance, `spent` from `since`.
    """

    key: str
    label: str
    state: str
    since: datetime | None
    at: datetime | None
    seconds: float | None
    spent: float | None


@dataclass(frozen=True, slots=True)
class PhoneState:
    """What is known of the phone now and written down nowhere; `since`: when that last changed.

    `camera`: its last word of its camera once that was granted (docs/protocol.md); `asking`: its page asks for it now.
    `network`: how the network holds the picture back, if it does (sentences.NETWORK); `cause`: what is known to be
    wrong with that network, likelier than anything else when the picture is missing.
    `blind_since`: since when its camera gives nothing; a try that fails changes its word, and the wait goes on.
    """

    online: bool = True
    hidden: bool = False
    camera: str | None = None
    asking: bool = False
    network: str | None = None
    cause: str = ""
    since: datetime | None = None
    blind_since: datetime | None = None

    @property
    def blind(self) -> bool:
        """Its camera is known to give nothing; where photos come, the film is stopped on purpose."""
        return self.camera in BLIND and self.network not in LADDER


HERE: Final = PhoneState()


@dataclass(frozen=True, slots=True)
class Later:
    """A sentence, and when it becomes the one to say."""

    at: datetime
    say: Say


@dataclass(frozen=True, slots=True)
class Speech:
    """What to say now, whether that is because something takes too long, and what to say if nothing happens."""

    say: Say
    stalled: bool
    later: tuple[Later, ...]


def _of(session: Session, messages: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    return CODE_STEPS if "code" in session.marks and not messages else STEPS


def marks(session: Session, messages: Sequence[Message]) -> dict[str, datetime]:
    """Return the first time of each step that happened."""
    found = {key: at for key, at in session.marks.items() if key in dict(_of(session, messages))}
    handed = [m.handed for m in messages if m.handed]
    delivered = [m.delivered for m in messages if m.delivered]
    if handed:
        found["handed"] = min(handed)
    if delivered:
        found["delivered"] = min(delivered)
    return found


def steps(session: Session, messages: Sequence[Message]) -> list[FunnelStep]:
    """Return the funnel; a step passed over (no receipt from this carrier) counts as done without a time."""
    times = marks(session, messages)
    keys = [key for key, _ in _of(session, messages)]
    reached = max((keys.index(key) for key in times), default=0)
    trouble = _failed_step(session, messages)
    result = []
    since: datetime | None = None
    for index, (key, label) in enumerate(_of(session, messages)):
        at = times.get(key)
        if index <= reached:
            state = "done"
        elif session.state is SessionState.ENDED:
            state = "todo"
        else:
            state = "current" if index == reached + 1 else "todo"
        if key == trouble and state == "current":
            state = "failed"
        turn = since if state != "todo" else None
        seconds = (at - session.created).total_seconds() if at else None
        spent = max(0.0, (at - since).total_seconds()) if at and since else None
        result.append(
            FunnelStep(
                key=key, label=label, state=state, since=turn, at=at, seconds=seconds, spent=spent
            )
        )
        since = max(filter(None, (since, at)), default=None)
    return result


def _failed_step(session: Session, messages: Sequence[Message]) -> str | None:
    if messages and all(m.state is MessageState.FAILED for m in messages):
        return "delivered" if any(m.handed for m in messages) else "handed"
    if session.camera in CAMERA:
        return "tapped" if session.state is SessionState.OPENED else "permission"
    return None


def speech(
    session: Session, messages: Sequence[Message], phone: PhoneState, now: datetime
) -> Speech:
    """Return the sentence that helps most now, and those that follow as long as nothing happens."""
    key, since = waiting(session, messages, phone)
    first, *later = SAYINGS[key]
    timed = [
        Later(since + timedelta(seconds=stage.after), _explained(stage.say, key, phone))
        for stage in later
    ]
    due = [each for each in timed if each.at <= now]
    said = due[-1].say if due else _explained(first.say, key, phone)
    return Speech(said, bool(due), tuple(each for each in timed if each.at > now))


def _explained(said: Say, key: str, phone: PhoneState) -> Say:
    """Give what is known of the network as the cause while a picture is missing, or for want of another before it."""
    asked = key == "tapped" and not said.cause
    return replace(said, cause=phone.cause) if phone.cause and (asked or key in _MISSING) else said


def say(session: Session, messages: Sequence[Message], phone: PhoneState = HERE) -> Say:
    """Return the sentence of the moment at which what is waited for began."""
    return SAYINGS[waiting(session, messages, phone)[0]][0].say


#: What is waited for when page, camera and socket do their part: if something holds the picture back, the network does.
_MISSING: Final = frozenset({"connecting", "frozen"})
_BEFORE_PICTURE: Final = frozenset(
    {SessionState.OPENED, SessionState.TAPPED, SessionState.INTERRUPTED}
)
_PICTURE: Final = frozenset({SessionState.CONNECTING, SessionState.LIVE, SessionState.INTERRUPTED})


def waiting(
    session: Session, messages: Sequence[Message], phone: PhoneState
) -> tuple[str, datetime]:
    """Return what is waited for, a key of SAYINGS, and since when."""
    if session.state is SessionState.INVITED:
        if "code" in session.marks and not messages:
            read = session.marks.get("read")
            return ("code_read", read) if read else ("code", session.created)
        return _sending(session, messages)
    if session.state in _BEFORE_PICTURE and session.camera in CAMERA:
        return session.camera or "", session.changed
    told = max(filter(None, (session.changed, phone.since)))
    if absent := _absent(session, phone):
        began = phone.blind_since if absent.startswith("camera_") else None
        return absent, max(session.changed, began) if began else told
    return _usual(session, phone), told


def _usual(session: Session, phone: PhoneState) -> str:
    """Return what is waited for when the phone does its part."""
    if phone.network in NETWORK and session.state in _PICTURE:
        return phone.network or ""
    match session.state:
        case SessionState.INTERRUPTED:
            # The page was loaded again, or asks again: its question stands on the screen.
            return "tapped" if phone.asking or session.camera == "asking" else "frozen"
        case SessionState.TAPPED if phone.camera is not None:
            return "connecting"  # it was granted, and that is not written down yet
        case SessionState.ENDED if session.end_reason in {"expired", "lost"}:
            return session.end_reason or ""
        case _:
            return session.state.value


def _absent(session: Session, phone: PhoneState) -> str | None:
    """Return why the phone cannot do what it is asked: its page is away, or its camera gives nothing."""
    if session.state not in {
        SessionState.TAPPED,
        SessionState.CONNECTING,
        SessionState.LIVE,
        SessionState.INTERRUPTED,
    }:
        return None
    heard = session.camera is not None or phone.camera is not None
    if not phone.online and session.state is SessionState.TAPPED and not heard:
        return "unheard"  # at first it only comes: its line follows the tap
    # A picture goes on without the phone's socket.
    if not phone.online and session.state is not SessionState.LIVE and heard:
        if phone.hidden or phone.blind:
            return "put_aside"
        return "offline" if session.state is SessionState.INTERRUPTED else "away"
    if phone.online and phone.hidden:
        return "hidden"
    return f"camera_{phone.camera}" if phone.blind else None


def _sending(session: Session, messages: Sequence[Message]) -> tuple[str, datetime]:
    """Return how far the best of the messages is, and since when."""
    alive = [m for m in messages if m.state is not MessageState.FAILED]
    if messages and not alive:
        return "refused", session.changed
    if arrived := [m for m in alive if m.state is MessageState.DELIVERED]:
        key = "sms_received" if _sms(arrived) else "email_received"
        return key, max(m.delivered or m.created for m in arrived)
    sent = max((_sent(m) for m in alive), default=session.created)
    if any(m.state is MessageState.BUFFERED for m in alive):
        return "buffered", sent
    if any(m.error for m in alive):
        return "retrying", sent
    return "sms" if _sms(alive) else "email", sent


def _sent(message: Message) -> datetime:
    """Return when it was sent, or sent again."""
    again = [each.at for each in message.history if each.outcome == RESENT]
    return max((message.created, *again))


def _sms(messages: Sequence[Message]) -> bool:
    return any(m.channel == "sms" for m in messages)


MESSAGE_LABELS: Final[Mapping[MessageState, str]] = {
    MessageState.QUEUED: "en cours d'envoi",
    MessageState.HANDED: "remis à l'opérateur",
    MessageState.BUFFERED: "en attente du réseau",
    MessageState.DELIVERED: "reçu",
    MessageState.FAILED: "échec",
}


def message_label(message: Message) -> str:
    """Return where a message is, and whether the caller may see it twice."""
    twice = message.state is not MessageState.FAILED and maybe_twice(message)
    return MESSAGE_LABELS[message.state] + (" · peut-être envoyé deux fois" if twice else "")
