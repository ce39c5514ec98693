"""An entry: what happened, before it has its place in the chain. Only the functions of this package make one."""

from dataclasses import dataclass, replace

from server.core.journal.payload import Payload
from server.core.journal.payloads import Nothing
from server.core.journal.verbs import VERBS, Verb


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What happened, of a verb in the list; `personal` goes to the erasable payload."""

    verb: Verb[Payload]
    subject: str
    session: str | None
    call: str | None
    payload: Payload
    personal: Payload

    def __post_init__(self) -> None:
        """Refuse what the list does not have."""
        verb, (kind, _, id_) = self.verb, self.subject.partition(":")
        if VERBS.get(verb.action) is not verb or type(self.payload) is not verb.payload:
            raise TypeError(f"not for the audit: {verb.action} with {type(self.payload).__name__}")
        if kind not in verb.subjects or not id_ or (self.session and not verb.of_video):
            raise ValueError(f"not for the audit: {verb.action} of {kind}")
        if type(self.personal) not in (verb.sealed, Nothing):
            raise TypeError(f"not for the audit: {verb.action} with {type(self.personal).__name__}")

    def of_call(self, call: str | None) -> "Entry":
        """Return the entry with the call that its video belongs to."""
        return replace(self, call=call)


def entry(
    action: str,
    subject: str,
    payload: Payload,
    *,
    session: str | None = None,
    call: str | None = None,
    personal: Payload | None = None,
) -> Entry:
    """Make the entry of a verb; for the functions of this package."""
    return Entry(
        verb=VERBS[action],
        subject=subject,
        session=session,
        call=call,
        payload=payload,
        personal=personal or Nothing(),
    )
