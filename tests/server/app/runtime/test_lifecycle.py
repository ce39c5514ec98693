"""Every pair of state and event: what comes of it, or that it cannot be."""

from __future__ import annotations

from itertools import product

import pytest

from server.app.runtime.lifecycle import Event, LifeCycle, LifeCycleMisused, State, step

#: `same`: ignored; `!`: our mistake.
TABLE = """
            start     started  fail    stop      drained
built       starting  !        !       draining  !
starting    !         ready    failed  draining  !
ready       !         !        !       draining  !
draining    !         !        !       same      stopped
stopped     !         !        !       same      !
failed      !         !        !       same      !
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
PAIRS = {
    (State(state), Event(event)): after
    for state, *row in ROWS
    for event, after in zip(HEAD, row, strict=True)
}


def test_every_pair_is_in_the_table() -> None:
    assert set(PAIRS) == set(product(State, Event))


@pytest.mark.parametrize(("state", "event"), list(PAIRS), ids=str)
def test_what_comes_of_it(state: State, event: Event) -> None:
    after = PAIRS[state, event]
    if after == "!":
        with pytest.raises(LifeCycleMisused, match=f"{event} while {state}"):
            step(state, event)
    else:
        assert step(state, event) is (state if after == "same" else State(after))


def test_a_life_tells_whether_it_changed_and_stays_where_it_is_after_a_mistake() -> None:
    life = LifeCycle()
    assert life.state is State.BUILT
    assert life.happen(Event.START)
    with pytest.raises(LifeCycleMisused):
        life.happen(Event.START)
    assert life.state is State.STARTING
    assert life.happen(Event.STOP)
    assert not life.happen(Event.STOP)
    assert life.happen(Event.DRAINED)
    assert life.state is State.STOPPED
