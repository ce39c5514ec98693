"""Who says something in a video. The service that relays it at once also writes it down afterwards."""

from dataclasses import dataclass

from server.core.audit_entries import Actor
from server.core.tasks import Later


@dataclass(frozen=True, slots=True)
class Speaker:
    """The page that speaks: who acts, and the queue in which what it said is written down."""

    actor: Actor
    later: Later
