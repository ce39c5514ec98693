"""A logical line-15 call as the product stores and shows it: the telephony's value, plus whose it is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One name of a call and when it was valid."""

    type: str
    value: str
    source: str
    why: str
    valid_from: datetime
    valid_to: datetime | None


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A stretch of a call: `kind` station, hold, recording or related; `value` names which."""

    kind: str
    value: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class LiveCall:
    """What the desk shows of a call; `number` is E.164 or None (unknown or erased)."""

    id: str
    site: str
    number: str | None
    state: str
    started: datetime
    answered: datetime | None
    ended: datetime | None
    end_certain: bool
    certain: bool
    evidence: Sequence[str] = ()
    merged_into: str | None = None
    aliases: Sequence[AliasRow] = ()
    #: Where it is now; where it was last when nobody has it any more.
    stations: Sequence[str] = ()

    @property
    def asserted(self) -> bool:
        """Known only by what a launch or a person said; no feed has reported it yet."""
        return self.state == "asserted"

    @property
    def live(self) -> bool:
        """Somebody may still be on the line."""
        return self.state in {"ringing", "talking", "held"}

    def elsewhere(self, extension: str | None) -> tuple[str, ...]:
        """Where the call is, or was last, when that is at stations and none of them is this one; else nothing."""
        return () if extension in self.stations else tuple(self.stations)


@dataclass(frozen=True, slots=True)
class CallRecord:
    """Everything stored of one call, for the audit."""

    call: LiveCall
    spans: Sequence[SpanRow] = field(default_factory=tuple)
