"""A loop that ends comes back, later and later; the rule is tried without a loop and without time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.supervisor import Backoff, LoopState, RestartPolicy, SupervisedLoop, Supervisor
from tests.telephony.shell import until

QUICK = RestartPolicy(first=0.001, most=0.01, steady=60.0, patience=3)


# --- the rule --------------------------------------------------------------------------------------
def test_delays_double_up_to_a_limit() -> None:
    standing = SupervisedLoop(RestartPolicy(first=0.5, most=4.0, steady=30.0))
    delays = []
    for now in range(6):
        standing.started(now)
        delays.append(standing.failed(now))
    assert delays == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    assert standing.restarts == 6


def test_it_is_away_after_some_failures_in_a_row_and_back_after_a_steady_run() -> None:
    standing = SupervisedLoop(RestartPolicy(steady=30.0, patience=3))
    for now in (1, 2):
        standing.started(now)
        standing.failed(now)
        assert not standing.away(now)
    standing.started(3)
    standing.failed(3)
    assert standing.away(3)
    standing.started(5)
    assert standing.away(34.9), "a start alone proves nothing"
    assert not standing.away(35)
    assert standing.failed(36) == standing.pace.first, "the row began anew"
    assert not standing.away(36)


def test_what_ended_on_purpose_is_not_away() -> None:
    standing = SupervisedLoop()
    for now in range(5):
        standing.started(now)
        standing.failed(now)
    standing.ended(6)
    assert (standing.state, standing.away(6)) == (LoopState.ENDED, False)


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=60))
def test_no_row_of_failures_breaks_the_rule(runs: list[float]) -> None:
    pace, now = RestartPolicy(first=0.5, most=30.0, steady=60.0, patience=3), 0.0
    standing = SupervisedLoop(pace)
    for run in runs:
        standing.started(now)
        now += run
        delay = standing.failed(now)
        assert pace.first <= delay <= pace.most
        assert (delay == pace.first) == (standing.failures == 1)
        assert standing.away(now) == (standing.failures >= pace.patience)
        now += delay
    assert standing.restarts == len(runs)


def test_delays_have_jitter() -> None:
    backoff = Backoff(1.0, 5.0)
    for most in (1.0, 2.0, 4.0, 5.0, 5.0):
        assert most / 2 <= backoff.delay() <= most
    backoff.reset()
    assert backoff.delay() <= 1.0


# --- the shell -------------------------------------------------------------------------------------
@dataclass
class Work:
    """A loop that fails as often as it is told, then runs."""

    faults: list[BaseException | None]
    starts: int = 0
    going: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        self.starts += 1
        if self.faults:
            fault = self.faults.pop(0)
            if fault is None:
                return
            raise fault
        self.going.set()
        await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    "fault",
    [
        RuntimeError("can't start new thread"),
        MemoryError(),
        OSError(24, "Too many open files"),
        asyncio.CancelledError(),
        None,
    ],
    ids=["thread", "memory", "descriptors", "cancelled within", "returned"],
)
async def test_whatever_ends_a_loop_it_comes_back(fault: BaseException | None) -> None:
    counted: list[str] = []
    supervisor, work = Supervisor(counted.append), Work([fault])
    supervisor.start("sweep", work, pace=QUICK)
    async with asyncio.timeout(60):
        await work.going.wait()
    assert (work.starts, counted) == (2, ["sweep"])
    assert supervisor.up() == {"sweep": True}
    await supervisor.stop()


async def test_one_that_fails_for_ever_is_away_and_the_others_go_on() -> None:
    supervisor = Supervisor()
    well, ill, feed = Work([]), Work([OSError()] * 1000), Work([OSError()] * 1000)
    supervisor.start("well", well, pace=QUICK)
    supervisor.start("ill", ill, pace=QUICK)
    supervisor.start("feed", feed, pace=QUICK, vital=False)
    await until(lambda: supervisor.away() == ("ill",) and not supervisor.up()["feed"])
    assert supervisor.up() == {"well": True, "ill": False, "feed": False}
    assert well.starts == 1
    await supervisor.stop()


async def test_the_first_failure_of_a_row_has_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    supervisor, work = Supervisor(), Work([OSError("first"), OSError("second"), MemoryError()])
    supervisor.start("sweep", work, pace=QUICK)
    async with asyncio.timeout(60):
        await work.going.wait()
    await supervisor.stop()
    told = [record for record in caplog.records if record.message == "loop.failed"]
    assert [bool(record.exc_info) for record in told] == [True, False, False]
    assert [record.__dict__["error"] for record in told] == ["OSError", "OSError", "MemoryError"]
    assert {record.__dict__["loop"] for record in told} == {"sweep"}


async def test_a_log_that_fails_does_not_end_the_loop() -> None:
    def full(_name: str) -> None:
        raise OSError(28, "No space left on device")

    supervisor, work = Supervisor(full), Work([OSError()])
    supervisor.start("sweep", work, pace=QUICK)
    async with asyncio.timeout(60):
        await work.going.wait()
    await supervisor.stop()


async def test_finite_work_may_return_and_is_not_started_again() -> None:
    supervisor, work = Supervisor(), Work([None])
    await supervisor.start("replay", work, pace=QUICK, finite=True)
    assert work.starts == 1
    assert supervisor.up() == {"replay": True}
    await supervisor.stop()


async def test_once_it_closes_nothing_is_started_again() -> None:
    supervisor, work = Supervisor(), Work([])
    task = supervisor.start("delivery", work, pace=QUICK)
    await work.going.wait()
    supervisor.close()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert work.starts == 1
    await supervisor.stop()
    assert not [each for each in asyncio.all_tasks() if each.get_name() == "delivery"]


async def test_two_loops_of_one_name_are_a_mistake() -> None:
    supervisor = Supervisor()
    supervisor.start("sweep", Work([]))
    with pytest.raises(ValueError, match="sweep"):
        supervisor.start("sweep", Work([]))
    await supervisor.stop()
