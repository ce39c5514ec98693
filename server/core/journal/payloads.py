"""What the rows of the audit hold: a type a verb or a family of verbs (`payload.py` says what a field means)."""

from dataclasses import dataclass

from server.core.journal.payload import (
    ABSENT,
    MaybeText,
    MaybeTexts,
    Payload,
    Reached,
    Scalar,
    Text,
    Texts,
    Whole,
    YesNo,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing(Payload):
    """The verb says it all; nothing of it is sealed."""


# --- sealed: the erasable half of a row
@dataclass(frozen=True, slots=True, kw_only=True)
class Address(Payload):
    """The network address of who acted: in every row."""

    address: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason(Payload):
    """What somebody typed as their reason."""

    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Languages(Payload):
    """Which language the caller read, and which from now on."""

    from_: Text
    to: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(Payload):
    """The number or e-mail a link goes to."""

    to: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest(Payload):
    """Who was invited to see a video, and the number or e-mail."""

    name: Text
    to: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched(Payload):
    """What an auditor typed to search."""

    value: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked(Payload):
    """What was asked for and not found."""

    asked: Text


# --- videos
@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange(Payload):
    """A video went from one state to another, or told something within one."""

    from_: Text
    to: Text
    by: Text = None
    reason: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AtStation(Payload):
    """Where a video was made."""

    station: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Payload):
    """Which station a video is offered to."""

    to: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved(Payload):
    """Which stations have a video from now on; where it was and who gave it, when it was taken by hand."""

    to: Texts
    from_: MaybeText = ABSENT
    giver: MaybeText = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed(Payload):
    """A call moved, and its video is shown there."""

    from_: Text
    to: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked(Payload):
    """Which evidence links a video to a call; what a later link rests on, and what it replaces."""

    certainty: Text
    evidence: Text
    because: MaybeTexts = ABSENT
    told_by: MaybeTexts = ABSENT
    was: MaybeText = ABSENT
    was_call: MaybeText = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Payload):
    """What was decided about an offer or an answer (I1)."""

    kind: Text
    media: Texts = None
    code: Text = None
    left_out: Whole = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Network(Payload):
    """What the phone's network lets through."""

    socket: Reached
    stun: Reached
    udp: Reached
    tcp: Reached
    tls: Reached
    way: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport(Payload):
    """How the phone's messages come."""

    transport: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung(Payload):
    """The phone changed between video, stills and photo; `stills` were handed on at the rung before."""

    rung: Text
    from_: Text
    why: Text
    stills: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class RungAsked(Payload):
    """What a desk asked the phone for."""

    rung: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoTaken(Payload):
    """A photo that is relayed, not stored."""

    bytes: Whole
    width: Whole
    height: Whole
    sha256: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture(Payload):
    """A stored picture; its size and time when it is taken."""

    sha256: Text
    width: Whole = None
    height: Whole = None
    pictured: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Order(Payload):
    """What a desk asks of the phone, and why the phone refuses."""

    do: Text
    value: Scalar = None
    why: Text = None


# --- links given out
@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Payload):
    """How a link or a code was sent; until when it is good, when it is made."""

    channel: Text
    expires: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Payload):
    """A spoken code: until when it is good, or how often it was typed."""

    expires: Text = None
    tries: Whole = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongCodes(Payload):
    """How many codes were wrong, since when, and whether that is an attack."""

    wrong: Whole
    since: Text
    alarm: YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Payload):
    """What became of a message; for an SMS with whom, and every try since."""

    channel: Text
    attempts: Whole
    error: Text
    carrier: MaybeText = ABSENT
    tries: MaybeTexts = ABSENT


# --- line 15
@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes(Payload):
    """What is known of a call's times."""

    certain: YesNo
    started: Text
    answered: Text = None
    end_certain: YesNo = None
    ended: MaybeText = ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged(Payload):
    """Which call this one turned out to be."""

    into: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecords(Payload):
    """How many records of the switchboard told of a call, and whether it was new."""

    rows: Whole
    new: YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Import(Payload):
    """How many calls an import brought or completed; `file` is a hash."""

    new: Whole
    completed: Whole
    file: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched(Payload):
    """A desk opened from a call: signed, proposed, accepted, or refused with a code."""

    station: Text
    signed: YesNo
    refused: Text = None
    proposed: Text = None
    accepted: YesNo = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Review(Payload):
    """How many videos wait for a call, and how many were given one."""

    waiting: Whole
    matched: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound(Payload):
    """How surely a recording belongs to a call, why, and who said so."""

    sureness: Text
    why: Text
    from_: Text


# --- people and sites
@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSent(Payload):
    """How a code for the sign-in was sent."""

    channel: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn(Payload):
    """How the code of a sign-in had come."""

    by: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInRefused(Payload):
    """Why a sign-in was refused."""

    reason: Text
    tries: Whole = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInEnded(Payload):
    """Why a sign-in ended, and when, if that was before it was written down."""

    reason: Text
    at: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked(Payload):
    """Whether the account was blocked."""

    blocked: YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class HasRole(Payload):
    """Which role a user has from now on."""

    role: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment(Payload):
    """Whether a station has a camera."""

    webcam: YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Payload):
    """Which policy of a site was set: how many observers are listed, launches signed or not, snapshots."""

    observers: Whole = None
    launch: Text = None
    snapshots: Text = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Payload):
    """An incident or a remark, and its reference."""

    kind: Text
    reference: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportStep(Payload):
    """From which state to which an incident went, and whether with a note."""

    was: Text
    state: Text
    note: YesNo


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes(Payload):
    """How many notes went with what was erased."""

    notes: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFilter(Payload):
    """Which incidents were exported."""

    state: Text = None
    kind: Text = None


# --- the audit itself
@dataclass(frozen=True, slots=True, kw_only=True)
class Search(Payload):
    """By what an auditor searched, and how much was found."""

    by: Text
    results: Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Payload):
    """Of what nothing was found."""

    kind: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Payload):
    """What was erased of a person: how many of each."""

    kind: Text
    values: Whole
    calls: Whole
    invitations: Whole
    payloads: Whole
    remarks: Whole
    snapshots: Whole
