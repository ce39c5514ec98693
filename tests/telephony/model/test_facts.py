"""Facts: values that survive storage exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import Fact, HungUp, Number, Rang, Seen, fact_from_json, fact_to_json
from tests.telephony.strategies import at, facts


@given(facts())
def test_a_stored_fact_reads_back_as_it_was(fact: Fact) -> None:
    assert fact_from_json(json.loads(json.dumps(fact_to_json(fact)))) == fact


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_keep_their_microseconds(when: datetime) -> None:
    assert fact_from_json(fact_to_json(Seen("sip:a", when, "hep"))).at == when


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=1))])
def test_a_fact_is_dated_in_utc(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        Seen("sip:a", datetime(2026, 1, 1, tzinfo=zone), "hep")


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"fact": "Call"},
        {"fact": "Seen"},
        {"fact": "Seen", "leg": "a", "at": "yesterday", "source": "x"},
        {"fact": "Seen", "leg": "a", "at": 12, "source": "x"},
        {"fact": "Seen", "leg": "a", "at": "2026-01-01T00:00:00+00:00", "source": "x", "more": 1},
        {
            "fact": "Rang",
            "leg": "a",
            "at": "2026-01-01T00:00:00+00:00",
            "source": "x",
            "caller": "15",
        },
        {
            "fact": "Aliased",
            "leg": "a",
            "at": "2026-01-01T00:00:00+00:00",
            "source": "x",
            "alias": 1,
        },
    ],
)
def test_what_is_no_stored_fact_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- several reasons, one type
        fact_from_json(data)


def test_a_printed_fact_shows_no_number() -> None:
    fact = Rang("sip:a", at(0), "hep", Number("+33612345678"), "0711223344")
    assert "2345" not in repr(fact)
    assert "1122" not in repr(fact)


def test_the_end_of_a_call_is_certain_unless_said_otherwise() -> None:
    assert HungUp("sip:a", at(0), "hep", "bye").certain
