"""Who says something in a video: what is relayed at once is written down after, by whoever takes it."""

from dataclasses import dataclass

from server.core.audit_entries import Actor
from server.core.tasks import Later


@dataclass(frozen=True, slots=True)
class Speaker:
    """A page: `later` does work after what the page said before, and answers a refusal as that of its own frame."""

    actor: Actor
    later: Later
