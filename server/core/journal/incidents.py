"""What the audit tells of incidents and remarks."""

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import Notes, Report, ReportFilter, ReportStep


def feedback_sent(incident: str, *, kind: str, reference: str) -> Entry:
    """Somebody reported an incident or sent a remark."""
    return entry("feedback.sent", f"feedback:{incident}", Report(kind=kind, reference=reference))


def feedback_state_changed(incident: str, *, was: str, state: str, note: bool) -> Entry:
    """An incident went on, or a note was added to it."""
    payload = ReportStep(was=was, state=state, note=note)
    return entry("feedback.state_changed", f"feedback:{incident}", payload)


def feedback_erased(incident: str, *, notes: int) -> Entry:
    """The texts of an incident were erased, with so many notes."""
    return entry("feedback.erased", f"feedback:{incident}", Notes(notes=notes))


def feedback_exported(site: str, *, state: str | None, kind: str | None) -> Entry:
    """The list of incidents left as a file."""
    return entry("feedback.exported", f"site:{site}", ReportFilter(state=state, kind=kind))
