"""How many sockets without a hello there may be, whose they are, and who gives way: without a socket."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.http.strangers import Strangers


@dataclass(eq=False)
class Somebody:
    """A socket that notes whether it gave way."""

    source: str
    gone: bool = False

    def give_way(self) -> None:
        assert not self.gone, "nobody is asked twice"
        self.gone = True


def entered(kept: Strangers, source: str) -> Somebody:
    somebody = Somebody(source)
    kept.enter(somebody, source)
    return somebody


@pytest.mark.parametrize(
    ("connections", "most", "of_one"),
    [(65_024, 512, 64), (768, 192, 48), (24, 6, 1), (2, 1, 1)],
)
def test_a_quarter_of_the_connections_and_no_more_than_bounded(
    connections: int, most: int, of_one: int
) -> None:
    kept = Strangers(connections)
    assert (kept.most, kept.most_of_one) == (most, of_one)


def test_the_oldest_of_its_own_source_gives_way_first() -> None:
    kept = Strangers(64)  # sixteen, four of one source
    apart = entered(kept, "b")
    own = [entered(kept, "a") for _ in range(5)]
    assert [one.gone for one in own] == [True, False, False, False, False]
    assert not apart.gone
    assert len(kept) == 5


def test_the_oldest_of_all_gives_way_when_all_places_are_taken() -> None:
    kept = Strangers(64)
    come = [entered(kept, str(number)) for number in range(17)]
    assert [one.gone for one in come] == [True] + [False] * 16


def test_who_said_hello_gives_way_to_nobody() -> None:
    kept = Strangers(64)
    known = entered(kept, "a")
    kept.leave(known)
    kept.leave(known)
    for _ in range(100):
        entered(kept, "a")
    assert not known.gone


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=200))
def test_the_accounts_are_right_whatever_happens(steps: list[tuple[bool, int]]) -> None:
    kept = Strangers(24)  # six, one of a source
    come: list[Somebody] = []
    for enters, which in steps:
        if enters:
            come.append(entered(kept, str(which)))
        elif come:
            kept.leave(come[which % len(come)])
        here = [one for one in come if one in kept._sources]  # oldest first
        assert list(kept._sources) == here
        assert len(kept) <= kept.most
        sources = Counter(one.source for one in here)
        assert all(count <= kept.most_of_one for count in sources.values())
        assert {source: list(own) for source, own in kept._of.items()} == {
            source: [one for one in here if one.source == source] for source in sources
        }
        assert not any(one.gone for one in here)
