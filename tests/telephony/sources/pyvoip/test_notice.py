"""Notification calls: what their headers say, and what a child may not make us believe."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import Alias, Aliased, AliasType, Answered, Fact, FeedState, HungUp, Number, Rang
from telephony.sources.pyvoip.facts import facts_from_notice
from telephony.sources.pyvoip.feed import ChildEndedError, PyVoipAccount, PyVoipFeed
from tests.telephony.strategies import at
from tests.telephony.wire import request

ACCOUNT = PyVoipAccount("127.0.0.1", "visio15", "s3cret")
URN = "urn:emergency:uid:callid:1:h.example"


def told(headers: str, stations: tuple[str, ...] = ("1501",)) -> list[Fact]:
    lines = "".join(f"{line.strip()}\r\n" for line in headers.strip().splitlines())
    return facts_from_notice(request("INVITE", headers=lines), at(0), "pyvoip", stations)


def test_an_answer_names_the_call_its_caller_and_its_station() -> None:
    facts = told(
        f"""X-Line15-Call-ID: {URN}
        X-Line15-Sip-Call-ID: c1@trunk
        X-Line15-Caller: +33612345678
        X-Line15-Station: 1501
        X-Line15-Event: answer"""
    )
    leg = "sip:c1@trunk"
    assert facts == [
        Aliased(leg, at(0), "pyvoip", Alias(AliasType.PRIVATE_HEADER, URN), "X-Line15-Call-ID"),
        Aliased(
            leg, at(0), "pyvoip", Alias(AliasType.SIP_CALL_ID, "c1@trunk"), "X-Line15-Sip-Call-ID"
        ),
        facts[2],
        Answered(leg, at(0), "pyvoip"),
    ]
    assert isinstance(facts[2], Rang)
    assert (facts[2].caller, facts[2].station) == (Number("+33612345678"), "1501")


def test_ring_and_hangup_say_no_more_than_that() -> None:
    ring = told("X-Line15-Call-ID: 7\nX-Line15-Event: ring")
    assert [type(fact) for fact in ring] == [Aliased, Rang]
    hangup = told("X-Line15-Call-ID: 7\nX-Line15-Event: hangup")
    assert hangup == [HungUp("notice:7", at(0), "pyvoip", "bye")]
    assert ring[0].leg == hangup[0].leg


def test_an_emergency_id_alone_is_enough() -> None:
    facts = told(f"Call-Info: <{URN}>;purpose=emergency-CallId")
    assert [type(fact) for fact in facts] == [Aliased, Rang, Answered]


def test_an_unknown_station_is_not_believed() -> None:
    facts = told("X-Line15-Call-ID: 7\nX-Line15-Station: 9999")
    assert [fact.station for fact in facts if isinstance(fact, Rang)] == [None]


@pytest.mark.parametrize(
    "headers",
    ["", "X-Line15-Station: 1501", "X-Line15-Call-ID: 7\nX-Line15-Event: dance",
     "X-Line15-Call-ID: " + "7" * 300],
)  # fmt: skip
def test_without_an_identifier_or_with_an_unknown_event_nothing_is_told(headers: str) -> None:
    assert told(headers) == []


def invite(headers: str = "X-Line15-Call-ID: 7\r\n") -> dict[str, object]:
    raw = f"INVITE sip:visio15@x SIP/2.0\r\nCall-ID: n\r\nCSeq: 1 INVITE\r\n{headers}\r\n".encode()
    return {"type": "invite", "raw": base64.b64encode(raw).decode(), "at": 1795373136.5}


@pytest.mark.parametrize(
    ("report", "rejected"),
    [
        (b"\xff\xfe", "child_line"),
        (b"[]", "child_line"),
        (b"[" * 9000, "child_line"),
        (b"{}", "child_line"),
        ({"type": "invite"}, "child_line"),
        (invite() | {"raw": "*"}, "child_line"),
        (invite() | {"at": "soon"}, "child_line"),
        (invite() | {"at": 1e300}, "child_line"),
        (invite() | {"raw": "AAAA"}, "sip_empty"),
        (invite(""), "no_identifier"),
        ({"type": "refused", "reason": "source"}, "source"),
        ({"type": "error", "reason": "KeyError"}, "pyvoip_error"),
    ],
)
def test_a_bad_report_of_the_child_is_counted(report: object, rejected: str) -> None:
    feed = PyVoipFeed("pyvoip", ACCOUNT)
    facts: list[Fact] = []
    feed._line(report if isinstance(report, bytes) else json.dumps(report).encode(), facts.append)
    assert facts == []
    assert feed.health().rejected == {rejected: 1}


def test_a_good_report_is_a_fact_dated_by_the_child() -> None:
    feed = PyVoipFeed("pyvoip", ACCOUNT)
    facts: list[Fact] = []
    feed._line(json.dumps(invite()).encode(), facts.append)
    assert {fact.at.timestamp() for fact in facts} == {1795373136.5}
    assert feed.health().received == 1


REPORTS = st.dictionaries(st.sampled_from(["type", "raw", "at"]), st.text() | st.floats())


@given(st.binary(max_size=200) | REPORTS.map(lambda report: json.dumps(report).encode()))
def test_no_line_of_the_child_raises(line: bytes) -> None:
    PyVoipFeed("pyvoip", ACCOUNT)._line(line, lambda _fact: None)


def test_the_password_is_not_printed() -> None:
    assert "s3cret" not in repr(ACCOUNT)


def test_a_phone_that_cannot_start_ends_its_child_and_the_runner_hears_of_it() -> None:
    feed = PyVoipFeed("pyvoip", PyVoipAccount("127.0.0.1", "visio15", "x", my_ip="192.0.2.1"))

    async def scenario() -> None:
        with pytest.raises(ChildEndedError):
            await asyncio.wait_for(feed.run(lambda _fact: None), 60)

    asyncio.run(scenario())
    assert feed.health().state is FeedState.DOWN
    assert feed.health().rejected == {"pyvoip_error": 1}
