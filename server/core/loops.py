"""What a background loop is: a value that a feature declares and the runtime starts."""

from collections.abc import Callable
from dataclasses import dataclass

from telephony.supervisor import PACE, RestartPolicy


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """Work beside the requests.

    With `every`, `work` is one turn, done each so many seconds, the first time after that pause unless `at_once`.
    Without, `work` runs until it is cancelled. `work` may be a plain or an async function.

    While the database is away a turn waits for the next one, and the log has the event `postponed`. Any other fault
    ends the loop: it is counted, and started again with back-off.

    `close` asks the loop to return by itself: a stop waits for it before it cancels.
    """

    name: str
    work: Callable[[], object]
    every: float | None = None
    at_once: bool = False
    postponed: str = "loop.postponed"
    close: Callable[[], object] | None = None
    pace: RestartPolicy = PACE
