"""The life cycle of a server as a table: decides only, no I/O."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a server stands."""

    BUILT = "built"
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"  # its start did not succeed; everything is closed again


class Event(StrEnum):
    """What can happen to a server."""

    START = "start"  # somebody asks for it
    STARTED = "started"
    FAIL = "fail"  # the start met an error
    STOP = "stop"  # somebody asks for it
    DRAINED = "drained"  # nothing runs any more


TRANSITIONS: Final = MappingProxyType(
    {
        (State.BUILT, Event.START): State.STARTING,
        (State.BUILT, Event.STOP): State.DRAINING,
        (State.STARTING, Event.STARTED): State.READY,
        (State.STARTING, Event.FAIL): State.FAILED,
        (State.STARTING, Event.STOP): State.DRAINING,
        (State.READY, Event.STOP): State.DRAINING,
        (State.DRAINING, Event.DRAINED): State.STOPPED,
    }
)
#: A second stop is harmless, also after a start that failed.
IGNORED: Final = frozenset(
    {
        (State.DRAINING, Event.STOP),
        (State.STOPPED, Event.STOP),
        (State.FAILED, Event.STOP),
    }
)


class LifeCycleMisused(Exception):
    """Our mistake: this event cannot happen in this state."""


def step(state: State, event: Event) -> State:
    """Return the next state; raise LifeCycleMisused for a pair that cannot be."""
    if (state, event) in IGNORED:
        return state
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise LifeCycleMisused(f"{event} while {state}") from None


class LifeCycle:
    """One server's state, for who moves it (the runtime) and who reads it (readiness)."""

    def __init__(self) -> None:
        """Begin built."""
        self.state = State.BUILT

    def happen(self, event: Event) -> bool:
        """Take an event; tell whether the state changed."""
        before, self.state = self.state, step(self.state, event)
        return self.state is not before
