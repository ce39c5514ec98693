"""I2: which call a session belongs to, on what evidence and how sure, or why to none; links are only appended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Certainty(StrEnum):
    """How sure a link is."""

    CERTAIN = "certain"
    INFERRED = "inferred"
    UNLINKED = "unlinked"


class Evidence(StrEnum):
    """Why a link is what it is."""

    LAUNCH_CONTEXT = "launch_context"
    CHOSEN = "chosen"
    MANUAL_ID = "manual_id"
    SOLE_TALKING_CALL = "sole_talking_call"
    SEVERAL_CALLS = "several_calls"
    UNCONFIRMED_CALL = "unconfirmed_call"
    NO_CALL = "no_call"
    NO_FEED = "no_feed"
    FEED_DOWN = "feed_down"
    NO_STATION = "no_station"
    DECLINED = "declined"
    MERGED = "merged"
    RECONCILED = "reconciled"
    REVIEWED = "reviewed"
    REVIEWED_NONE = "reviewed_none"


@dataclass(frozen=True, slots=True)
class CallLink:
    """One row of a session's link history; the newest row is in force."""

    session: str
    call: str | None
    certainty: Certainty
    evidence: Evidence
    actor: str | None
    at: datetime

    @property
    def wants_pick(self) -> bool:
        """Whether the doctor must be asked now."""
        return self.evidence in {Evidence.SEVERAL_CALLS, Evidence.UNCONFIRMED_CALL}


@dataclass(frozen=True, slots=True)
class CallLinkDecision:
    """What is decided, before it becomes a row."""

    call: str | None
    certainty: Certainty
    evidence: Evidence


def first_link(
    *,
    chosen: str | None,
    launched: str | None,
    talking: Sequence[str],
    unconfirmed: Sequence[str] = (),
    feed: str,
    station: bool,
) -> CallLinkDecision:
    """Decide a new session's link: explicit choice, launch, the sole talking call, else none and why.

    A call that talks at the station as far as was known before a restart, or before its feed was lost, is
    `unconfirmed`: it may be over. It never is the sole one, nor in the way of one; alone, the doctor is asked.
    `feed` is the state of line 15 (`connected`, `quiet`, `down`, `none`); a dead feed never blocks a video.
    """
    if chosen:
        return CallLinkDecision(chosen, Certainty.CERTAIN, Evidence.CHOSEN)
    if launched:
        return CallLinkDecision(launched, Certainty.CERTAIN, Evidence.LAUNCH_CONTEXT)
    if len(talking) == 1:
        return CallLinkDecision(talking[0], Certainty.INFERRED, Evidence.SOLE_TALKING_CALL)
    if talking or unconfirmed:
        doubt = Evidence.SEVERAL_CALLS if talking else Evidence.UNCONFIRMED_CALL
        return CallLinkDecision(None, Certainty.UNLINKED, doubt)
    if not station:
        return CallLinkDecision(None, Certainty.UNLINKED, Evidence.NO_STATION)
    reason = {"none": Evidence.NO_FEED, "down": Evidence.FEED_DOWN}.get(feed, Evidence.NO_CALL)
    return CallLinkDecision(None, Certainty.UNLINKED, reason)


LABELS = {
    Evidence.LAUNCH_CONTEXT: "Lié à l'appel depuis lequel la page a été ouverte",
    Evidence.CHOSEN: "Lié à l'appel que vous avez choisi",
    Evidence.MANUAL_ID: "Lié à l'identifiant saisi, à confirmer par la téléphonie",
    Evidence.SOLE_TALKING_CALL: "Lié au seul appel en cours du poste",
    Evidence.SEVERAL_CALLS: "Plusieurs appels en cours : choisissez",
    Evidence.UNCONFIRMED_CALL: "Appel en cours à confirmer : choisissez",
    Evidence.NO_CALL: "Non lié : aucun appel en cours au poste",
    Evidence.NO_FEED: "Non lié : téléphonie non raccordée",
    Evidence.FEED_DOWN: "Non lié : téléphonie coupée, rapprochement ensuite",
    Evidence.NO_STATION: "Non lié : aucun poste choisi",
    Evidence.DECLINED: "Non lié : à votre demande",
    Evidence.MERGED: "L'appel a été réuni avec un autre",
    Evidence.RECONCILED: "Lié après coup : même numéro, en conversation à ce poste à l'envoi",
    Evidence.REVIEWED: "Lié après relecture",
    Evidence.REVIEWED_NONE: "Sans appel, après relecture",
}
