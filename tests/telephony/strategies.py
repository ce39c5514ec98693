"""Values for property tests: facts of every kind, about a few legs, within a few minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from telephony import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    Held,
    HungUp,
    Joined,
    Left,
    Moved,
    Number,
    Paired,
    Rang,
    RecordingStarted,
    RecordingStopped,
    Resumed,
    Seen,
    Unpaired,
)

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


LEGS = st.sampled_from(["sip:a", "sip:b", "sip:c", "ami:d"])
TIMES = st.integers(0, 60).map(at)
BASE = {"leg": LEGS, "at": TIMES, "source": st.sampled_from(["hep", "ami"])}
STATIONS = st.sampled_from(["1501", "1601", "9999"])
ALIASES = st.builds(
    Alias, st.sampled_from(AliasType), st.sampled_from(["x", "y", "urn:emergency:uid:callid:z"])
)


def facts() -> st.SearchStrategy[Fact]:
    numbers = st.none() | st.sampled_from([Number("+33612345678"), Number("+33711223344")])
    return st.one_of(
        st.builds(
            Rang,
            **BASE,
            caller=numbers,
            called=st.none() | st.text(max_size=5),
            station=st.none() | STATIONS,
            direction=st.sampled_from(Direction),
        ),
        st.builds(Answered, **BASE, station=st.none() | STATIONS),
        st.builds(Held, **BASE),
        st.builds(Resumed, **BASE),
        st.builds(
            HungUp,
            **BASE,
            cause=st.sampled_from(["bye", "cancelled", "rejected 486", "expired"]),
            certain=st.booleans(),
        ),
        st.builds(Aliased, **BASE, alias=ALIASES, why=st.text(max_size=5)),
        st.builds(Moved, **BASE, station=STATIONS),
        st.builds(Joined, **BASE, bridge=st.sampled_from(["b1", "b2"])),
        st.builds(Left, **BASE, bridge=st.sampled_from(["b1", "b2"])),
        st.builds(
            Paired, **BASE, with_leg=LEGS, why=st.sampled_from(["p", "q"]), inferred=st.booleans()
        ),
        st.builds(
            Unpaired, **BASE, with_leg=LEGS, why=st.sampled_from(["p", "q"]), doubtful=st.booleans()
        ),
        st.builds(RecordingStarted, **BASE, ref=st.sampled_from(["r1", "r2"])),
        st.builds(RecordingStopped, **BASE, ref=st.sampled_from(["r1", "r2"])),
        st.builds(Seen, **BASE),
    )
