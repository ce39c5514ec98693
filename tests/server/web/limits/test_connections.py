"""Who is let in, who gives way, who is refused: without a socket and without time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.web.http.connections import (
    HEAD_SECONDS,
    STALL_SECONDS,
    Connection,
    ConnectionLimits,
    Connections,
    limits,
)
from server.web.http.forwarded import counted_as


@dataclass
class Hall:
    """Connections with names, and what was said of them."""

    limits: ConnectionLimits
    told: list[str] = field(default_factory=list)
    shut: list[str] = field(default_factory=list)
    named: dict[str, Connection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.all = Connections(self.limits, self.told.append)

    def enter(self, name: str, address: str | None = "192.0.2.1", now: float = 0) -> bool:
        connection = Connection(address, lambda: self.shut.append(name))
        self.named[name] = connection
        return self.all.enter(connection, now)

    def reads(self, *names: str) -> None:
        for name in names:
            self.all.reads(self.named[name])

    def sends(self, name: str, now: float, *, moved: bool = False) -> None:
        self.all.sends(self.named[name], now, moved=moved)

    def works(self, *names: str) -> None:
        for name in names:
            self.all.works(self.named[name])


@pytest.mark.parametrize(
    ("files", "asked", "expected"),
    [
        (1_024, (None, None), (768, 384)),
        (65_536, (None, None), (65_024, 32_512)),
        (128, (None, None), (64, 32)),
        (32, (None, None), (16, 8)),
        (1_024, (200, None), (200, 100)),
        (1_024, (5_000, 4_000), (768, 768)),
        (65_536, (None, 50), (65_024, 50)),
    ],
)
def test_limits_stay_below_the_limit_of_files(
    files: int, asked: tuple[int | None, int | None], expected: tuple[int, int]
) -> None:
    found = limits(files, *asked)
    assert (found.total, found.address) == expected


def test_one_that_waits_gives_way_and_one_at_work_never() -> None:
    hall = Hall(ConnectionLimits(3, 9, spare=0))
    for name in "abc":
        assert hall.enter(name)
    hall.works("a")
    assert hall.enter("d")
    assert (hall.shut, hall.told) == (["b"], ["idle"]), "the one that waited longest"
    hall.works("c", "d")
    assert not hall.enter("e")
    assert (hall.shut, hall.told) == (["b"], ["idle", "full"])
    assert len(hall.all) == 3


def test_one_that_rests_again_is_the_youngest_of_those_that_wait() -> None:
    hall = Hall(ConnectionLimits(2, 9, spare=0))
    hall.enter("a")
    hall.enter("b")
    hall.works("a")
    hall.all.rests(hall.named["a"])
    hall.enter("c")
    assert hall.shut == ["b"]


def test_one_address_does_not_take_all_and_proxies_are_not_counted() -> None:
    hall = Hall(ConnectionLimits(10, 2, spare=0))
    hall.enter("a")
    hall.enter("b")
    hall.works("a", "b")
    assert not hall.enter("c")
    assert hall.told == ["address"]
    assert hall.enter("other", "192.0.2.2")
    for name in "pqrst":
        assert hall.enter(name, None)
    hall.all.rests(hall.named["b"])
    assert hall.enter("d"), "its own that waits gives way"
    assert hall.shut == ["b"]


def test_when_all_are_at_work_a_few_more_are_let_in_for_operations() -> None:
    hall = Hall(ConnectionLimits(2, 2, spare=2))
    hall.enter("a", "1")
    hall.enter("b", "2")
    hall.works("a", "b")
    assert hall.enter("m", "3")
    assert hall.enter("n", "4")
    assert hall.named["m"].spare
    assert hall.enter("o", "5"), "the oldest of them that says nothing gives way"
    assert hall.shut == ["m"]
    hall.works("n", "o")
    assert not hall.enter("p", "6")
    hall.all.leave(hall.named["a"])
    hall.all.rests(hall.named["o"])
    assert not hall.named["o"].spare, "there is room: it is one like the others"
    assert hall.named["n"].spare


def test_who_sends_no_head_in_time_is_closed() -> None:
    hall = Hall(ConnectionLimits(9, 9))
    hall.enter("silent", now=0)
    hall.enter("asks", now=0)
    hall.enter("young", now=5)
    hall.works("asks")
    hall.all.rests(hall.named["asks"])
    hall.all.close_late(HEAD_SECONDS - 0.1)
    assert not hall.shut
    hall.all.close_late(HEAD_SECONDS)
    assert (hall.shut, hall.told) == (["silent"], ["late"])
    hall.all.leave(hall.named["silent"])
    assert len(hall.all) == 2


def test_one_whose_body_is_waited_for_gives_way_after_those_that_ask_nothing() -> None:
    hall = Hall(ConnectionLimits(3, 3, spare=0))
    for name in "abc":
        hall.enter(name)
    hall.reads("a", "b")
    assert hall.enter("d", "other")
    assert hall.enter("e", "other")
    assert hall.shut == ["c", "d"], "d asked nothing yet, and gives way before a, which does"
    hall.works("e")
    assert hall.enter("f", "192.0.2.1")
    assert hall.shut[2:] == ["a"]
    hall.works("b", "f")
    assert not hall.enter("g")


def test_one_let_in_for_operations_keeps_no_place_by_a_body_that_does_not_come() -> None:
    hall = Hall(ConnectionLimits(1, 1, spare=1))
    hall.enter("a", "1")
    hall.works("a")
    assert hall.enter("b", "2")
    hall.reads("b")
    assert hall.enter("c", "3")
    assert hall.shut == ["b"]


def test_who_takes_nothing_of_what_it_asked_for_is_closed() -> None:
    hall = Hall(ConnectionLimits(9, 9))
    for name in ("deaf", "slow", "quick"):
        hall.enter(name)
        hall.works(name)
        hall.sends(name, 0)
    hall.all.sent(hall.named["quick"])
    hall.sends("slow", STALL_SECONDS - 1, moved=True)
    hall.sends("deaf", STALL_SECONDS - 1)
    hall.all.close_late(STALL_SECONDS)
    assert (hall.shut, hall.told) == (["deaf"], ["stalled"])
    hall.all.close_late(2 * STALL_SECONDS)
    assert hall.shut == ["deaf", "slow"]
    hall.sends("deaf", 100)
    assert not hall.all._unsent, "who has gone is not noted again"


WORDS = ["enter", "reads", "works", "rests", "leave", "late", "sends", "sent"]
Steps = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 30)), max_size=200)


@given(Steps)
def test_the_accounts_are_right_whatever_happens(steps: list[tuple[str, int]]) -> None:
    hall, made = Hall(ConnectionLimits(6, 3, spare=2)), 0
    for number, (step, which) in enumerate(steps):
        if step == "enter":
            made += 1
            hall.enter(str(made), [None, "1", "2", "3"][which % 4], number)
        elif step == "late":
            hall.all.close_late(number)
        elif hall.named:
            one = list(hall.named.values())[which % len(hall.named)]
            if step == "sends":
                hall.all.sends(one, number, moved=which % 2 == 0)
            elif one in hall.all._open:
                getattr(hall.all, step)(one)
        is_open = hall.all._open
        assert len(is_open) <= 6 + 2
        assert sum(one.spare for one in is_open) == hall.all._spares <= 2
        assert Counter(one.address for one in is_open if one.address) == hall.all._by_address
        assert max(hall.all._by_address.values(), default=0) <= 3
        all_ = hall.all
        for kept in (all_._quiet, all_._quiet_spare, all_._fresh, all_._reading, all_._unsent):
            assert set(kept) <= set(is_open)
        assert not any(one.spare for one in [*all_._quiet, *all_._reading])
        assert not set(all_._quiet) & set(all_._reading)
        assert all(one.spare for one in hall.all._quiet_spare)
        assert not {name for name in hall.shut if hall.named[name] in is_open}


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", None),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
    ],
)
def test_under_which_address_a_peer_is_counted(peer: str, counted: str | None) -> None:
    found = counted_as(peer, [ip_network("10.0.0.0/8")])
    assert found == counted
