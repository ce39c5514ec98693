"""What a feed keeps of itself: an outage is dated from its beginning, and a rate is that of the last minute."""

from datetime import UTC, datetime, timedelta

from telephony.sources.feed import FeedState, HealthBook

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def test_an_outage_is_dated_from_its_beginning_however_often_it_is_tried_again() -> None:
    clock = Clock()
    book = HealthBook("x", clock=clock)
    book.state(FeedState.CONNECTED)
    clock.pass_(10)
    down = clock.now
    for state in (FeedState.DOWN, FeedState.STARTING, FeedState.DOWN, FeedState.STARTING):
        book.state(state)
        clock.pass_(5)
    assert (book.read().state, book.read().since) == (FeedState.DOWN, down)
    book.state(FeedState.CONNECTED)
    assert (book.read().state, book.read().since) == (FeedState.CONNECTED, clock.now)


def test_a_rate_is_that_of_the_last_minute_and_costs_no_memory() -> None:
    clock = Clock()
    book = HealthBook("x", clock=clock)
    for _ in range(1000):
        book.message()
        clock.pass_(0.1)
    book.heard(50)
    assert book.read().received == 1050
    assert 640 <= book.read().recent <= 660
    assert len(book._minute) <= 61
    clock.pass_(61)
    assert book.read().recent == 0


def test_what_the_switchboard_says_it_is_is_kept_short_and_printable() -> None:
    book = HealthBook("x")
    assert book.read().switchboard == ""
    book.switchboard("Asterisk 22.10.0\r\n\x1b[31m" + "x" * 100)
    assert book.read().switchboard == ("Asterisk 22.10.0[31m" + "x" * 100)[:80]
