"""What the audit tells of itself: who searched, who looked, what was erased."""

from server.core.journal.entries import Entry, entry
from server.core.journal.payloads import Asked, Erased, Kind, Nothing, Search, Searched


def searched(site: str, *, by: str, results: int, value: str) -> Entry:
    """An auditor searched; what was typed may be personal, and is sealed."""
    payload = Search(by=by, results=results)
    return entry("audit.searched", f"site:{site}", payload, personal=Searched(value=value))


def call_viewed(call: str) -> Entry:
    """An auditor reads a call's record."""
    return entry("audit.viewed", f"call:{call}", Nothing(), call=call)


def session_viewed(session: str) -> Entry:
    """An auditor reads a video's record, or what it may be linked to."""
    return entry("audit.viewed", f"session:{session}", Nothing(), session=session)


def missed(kind: str, *, asked: str) -> Entry:
    """An auditor asked for a call or a video that their site does not have; what was typed is sealed."""
    personal = Asked(asked=asked[:255])
    return entry("audit.missed", f"{kind}:unknown", Kind(kind=kind), personal=personal)


def personal_erased(
    kind: str,
    *,
    values: int,
    calls: int,
    invitations: int,
    payloads: int,
    remarks: int,
    snapshots: int,
) -> Entry:
    """A person was forgotten: by number or e-mail, and how many of each."""
    payload = Erased(
        kind=kind,
        values=values,
        calls=calls,
        invitations=invitations,
        payloads=payloads,
        remarks=remarks,
        snapshots=snapshots,
    )
    return entry("personal.erased", "personal:all", payload)
