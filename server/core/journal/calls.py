"""What the audit tells of line 15: calls, launches, call events, recordings, reconciliation."""

from datetime import datetime
from typing import Protocol

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import (
    CallRecords,
    CallTimes,
    Import,
    Kind,
    Launched,
    Merged,
    Nothing,
    Review,
    Sound,
)


class RecordingVerb(Protocol):
    """One thing that happens to a recording: all are told alike."""

    def __call__(
        self, recording: str, call: str, /, *, sureness: str, why: str, source: str
    ) -> Entry:
        """Make the entry of a recording and its call."""


def _call(
    action: str, call: str, *, certain: bool, started: datetime, answered: datetime | None
) -> Entry:
    payload = CallTimes(
        certain=certain,
        started=started.isoformat(),
        answered=answered.isoformat() if answered else None,
    )
    return entry(action, f"call:{call}", payload, call=call)


def call_ringing(
    call: str, *, certain: bool, started: datetime, answered: datetime | None
) -> Entry:
    """A call rings."""
    return _call("call.ringing", call, certain=certain, started=started, answered=answered)


def call_talking(
    call: str, *, certain: bool, started: datetime, answered: datetime | None
) -> Entry:
    """Somebody talks with the caller."""
    return _call("call.talking", call, certain=certain, started=started, answered=answered)


def call_held(call: str, *, certain: bool, started: datetime, answered: datetime | None) -> Entry:
    """Nobody talks with the caller at the moment."""
    return _call("call.held", call, certain=certain, started=started, answered=answered)


def call_ended(
    call: str,
    *,
    certain: bool,
    started: datetime,
    answered: datetime | None,
    ended: datetime | None,
    end_certain: bool,
) -> Entry:
    """A call is over."""
    payload = CallTimes(
        certain=certain,
        started=started.isoformat(),
        answered=answered.isoformat() if answered else None,
        end_certain=end_certain,
        ended=ended.isoformat() if ended else None,
    )
    return entry("call.ended", f"call:{call}", payload, call=call)


def call_merged(former: str, *, into: str) -> Entry:
    """A stored call turned out to be another one."""
    return entry("call.merged", f"call:{former}", Merged(into=into), call=into)


def call_imported(call: str, *, rows: int, new: bool) -> Entry:
    """Records of the switchboard brought a call, or completed it."""
    return entry("call.imported", f"call:{call}", CallRecords(rows=rows, new=new), call=call)


def cdr_imported(site: str, *, new: int, completed: int, file: str) -> Entry:
    """A file of records was imported; `file` is its hash."""
    payload = Import(new=new, completed=completed, file=file)
    return entry("cdr.imported", f"site:{site}", payload)


def desk_launched(
    call: str | None,
    *,
    station: str | None,
    signed: bool,
    refused: str | None = None,
    proposed: str | None = None,
    accepted: bool = False,
) -> Entry:
    """Call-centre software opened a desk: signed, proposed, accepted, or refused with a code."""
    payload = Launched(
        station=station, signed=signed, refused=refused, proposed=proposed, accepted=accepted
    )
    return entry("desk.launched", "desk:launch", payload, call=call)


def webhook_connected(site: str) -> Entry:
    """A site's call-centre software posted its first call events."""
    return entry("webhook.connected", f"site:{site}", Nothing())


def reconciliation_listed(site: str, *, waiting: int, matched: int) -> Entry:
    """An auditor looked at the videos without a call."""
    return entry("reconciliation.listed", f"site:{site}", Review(waiting=waiting, matched=matched))


def _recording(
    action: str, recording: str, call: str, *, sureness: str, why: str, source: str
) -> Entry:
    payload = Sound(sureness=sureness, why=why, from_=source)
    return entry(action, f"recording:{recording}", payload, call=call)


def recording_attached(recording: str, call: str, *, sureness: str, why: str, source: str) -> Entry:
    """A recording is of this call, as surely as is said."""
    return _recording(
        "recording.attached", recording, call, sureness=sureness, why=why, source=source
    )


def recording_withdrawn(
    recording: str, call: str, *, sureness: str, why: str, source: str
) -> Entry:
    """It is not of this call after all."""
    return _recording(
        "recording.withdrawn", recording, call, sureness=sureness, why=why, source=source
    )


def recording_missing(recording: str, call: str, *, sureness: str, why: str, source: str) -> Entry:
    """Its file is gone."""
    return _recording(
        "recording.missing", recording, call, sureness=sureness, why=why, source=source
    )


def recording_back(recording: str, call: str, *, sureness: str, why: str, source: str) -> Entry:
    """Its file is there again."""
    return _recording("recording.back", recording, call, sureness=sureness, why=why, source=source)


def recording_played(recording: str, call: str) -> Entry:
    """Somebody listens to it."""
    return entry("recording.played", f"recording:{recording}", Nothing(), call=call)


def recording_missed() -> Entry:
    """Somebody asked for a recording that their site does not have."""
    return entry("audit.missed", "recording:unknown", Kind(kind="recording"))
