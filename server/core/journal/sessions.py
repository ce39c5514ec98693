"""What the audit tells of a video: its states, its stations, and which call it belongs to."""

from collections.abc import Sequence

from server.core.journal.entries import Entry, entry
from server.core.journal.payload import ABSENT, MaybeText
from server.core.journal.payloads import (
    AtStation,
    Followed,
    Languages,
    Linked,
    Moved,
    Nothing,
    Offer,
    Reason,
    StateChange,
)


def _changed(
    action: str, session: str, was: str, now: str, *, by: str | None = None, why: str | None = None
) -> Entry:
    payload = StateChange(from_=was, to=now, by=by, reason=why)
    return entry(action, f"session:{session}", payload, session=session)


def link_opened(session: str, *, was: str, now: str) -> Entry:
    """A visible page showed the link."""
    return _changed("link.opened", session, was, now)


def link_tapped(session: str, *, was: str, now: str) -> Entry:
    """The first browser tapped: the invitation is bound to it (I5)."""
    return _changed("link.tapped", session, was, now)


def page_works(session: str, *, was: str, now: str) -> Entry:
    """A page that can ask for the camera was opened."""
    return _changed("page.works", session, was, now)


def camera_asked(session: str, *, was: str, now: str) -> Entry:
    """The phone shows its permission prompt."""
    return _changed("camera.asked", session, was, now)


def camera_granted(session: str, *, was: str, now: str) -> Entry:
    """The camera is open on the phone."""
    return _changed("camera.granted", session, was, now)


def camera_refused(session: str, *, was: str, now: str, reason: str) -> Entry:
    """The camera did not open."""
    return _changed("camera.refused", session, was, now, why=reason)


def picture_flowing(session: str, *, was: str, now: str) -> Entry:
    """The desk sees fresh frames."""
    return _changed("picture.flowing", session, was, now)


def picture_still(session: str, *, was: str, now: str) -> Entry:
    """The first still of a stretch was handed to a desk."""
    return _changed("picture.still", session, was, now)


def picture_lost(session: str, *, was: str, now: str) -> Entry:
    """No fresh frames any more."""
    return _changed("picture.lost", session, was, now)


def session_timed_out(session: str, *, was: str, now: str, reason: str) -> Entry:
    """Nothing came for the whole grace, or every link expired untapped."""
    return _changed("session.timed_out", session, was, now, why=reason)


def session_left(session: str, *, was: str, now: str, by: str, reason: str) -> Entry:
    """Somebody ended it: `by` is `desk`, `phone` or `server`."""
    return _changed("session.left", session, was, now, by=by, why=reason)


def session_created(session: str, *, call: str | None, station: str | None) -> Entry:
    """A desk made a video."""
    payload = AtStation(station=station)
    return entry("session.created", f"session:{session}", payload, session=session, call=call)


def session_linked(
    session: str,
    call: str | None,
    *,
    certainty: str,
    evidence: str,
    because: Sequence[str] | None = None,
    told_by: Sequence[str] | None = None,
    was: MaybeText = ABSENT,
    was_call: str | None = None,
    reason: str | None = None,
) -> Entry:
    """A video belongs to a call, or to none, from now on (I2); `reason` was typed, and is sealed."""
    payload = Linked(
        certainty=certainty,
        evidence=evidence,
        because=ABSENT if because is None else tuple(because),
        told_by=ABSENT if told_by is None else tuple(told_by),
        was=was,
        was_call=was_call or ABSENT,
    )
    return entry(
        "session.linked",
        f"session:{session}",
        payload,
        session=session,
        call=call,
        personal=Reason(reason=reason) if reason else None,
    )


def session_followed(session: str, call: str, *, was: str | None, now: str) -> Entry:
    """A call moved to the station `now`, and its video is shown there."""
    payload = Followed(from_=was, to=now)
    return entry("session.followed", f"session:{session}", payload, session=session, call=call)


def session_moved_on(session: str, call: str | None, *, stations: Sequence[str]) -> Entry:
    """A desk quit while its call, and so the video, had gone on to other stations."""
    payload = Moved(to=tuple(stations))
    return entry("session.handed_over", f"session:{session}", payload, session=session, call=call)


def session_handed_over(session: str, *, was: str | None, station: str, giver: str | None) -> Entry:
    """A station took a video that was offered to it by hand."""
    payload = Moved(from_=was, to=(station,), giver=giver)
    return entry("session.handed_over", f"session:{session}", payload, session=session)


def session_released(session: str, call: str | None, *, stations: Sequence[str]) -> Entry:
    """A desk quit a video that another station had taken by hand."""
    payload = Moved(to=tuple(stations))
    return entry("session.released", f"session:{session}", payload, session=session, call=call)


def session_offered(session: str, *, station: str) -> Entry:
    """A video is offered to another station."""
    return entry("session.offered", f"session:{session}", Offer(to=station), session=session)


def session_offer_withdrawn(session: str, *, station: str | None) -> Entry:
    """It is not offered to that station any more."""
    payload = Offer(to=station)
    return entry("session.offer_withdrawn", f"session:{session}", payload, session=session)


def session_language(session: str, *, was: str | None, now: str) -> Entry:
    """The caller reads another language; which one is sealed, as it may tell where somebody comes from."""
    personal = Languages(from_=was, to=now)
    subject = f"session:{session}"
    return entry("session.language", subject, Nothing(), session=session, personal=personal)
