"""ICE candidates pass unchanged or not at all: one line, of the forms that browsers gather (RFC 8839)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import sdp as rule
from server.domain.sdp import check_candidate
from server.errors import CandidateMalformed

AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111"
HOST = "candidate:340450349 1 udp 2113937151"


@pytest.mark.parametrize(
    "candidate",
    [
        "",  # end of candidates
        f"{HOST} 0cef7170-195f-47ce-9054-1ff34f259568.local 35390 typ host generation 0 ufrag NzGd network-cost 999",
        f"{HOST} 192.0.2.1 35390 typ host generation 0",
        f"{HOST} 2001:db8:85a3::8a2e:370:7334 49202 typ host generation 0 network-id 2",
        f"{HOST} ::1 9 typ host tcptype active",
        "candidate:842163049 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr 10.0.0.2 rport 40000 generation 0",
        "candidate:3 1 TCP 2105524479 192.168.0.14 9 typ host tcptype active",
        "candidate:3 2 TCP 2105524478 192.168.0.14 52564 typ host tcptype passive",
        "candidate:9 1 udp 41885695 198.51.100.3 61000 typ relay raddr 203.0.113.7 rport 40000",
        "candidate:28d09117ed7be62fd2553196dd6100b6 1 udp 2130706431 10.99.0.1 49076 typ host",
        "a=candidate:0 1 UDP 2122252543 172.22.0.1 33514 typ host",
    ],
)
def test_what_browsers_gather_passes(candidate: str) -> None:
    check_candidate(candidate)


@pytest.mark.parametrize(
    "candidate",
    [
        "candidate",
        "candidate:",
        f"{HOST}",
        f"{HOST} 192.0.2.1 35390 typ",
        f"{HOST} 192.0.2.1 35390 typ friend",
        f"{HOST} 192.0.2.1 35390 typ host\r\n{AUDIO}",
        f"{HOST} 192.0.2.1 35390 typ host\n",
        f"{HOST} 192.0.2.1 35390 typ host\r",
        f"{HOST} 192.0.2.1 35390 typ host\x00",
        f"{HOST} 192.0.2.1 35390 typ host é",
        f"{HOST} 192.0.2.1 353٩٠ typ host",
        f"{HOST} 192.0.2.1/24 35390 typ host",
        f"{HOST} evil.example\t9 typ host",
        "candidate:1 3 udp 1 192.0.2.1 9 typ host",
        "candidate:1 1 sctp 1 192.0.2.1 9 typ host",
        f"{HOST} 192.0.2.1 35390 typ host " + "x" * 512,
        "x" * 1_000_000,
        " ",
        "\ud800",
    ],
)
def test_what_is_no_candidate_is_refused(candidate: str) -> None:
    with pytest.raises(CandidateMalformed):
        check_candidate(candidate)


@given(
    st.one_of(st.text(), st.text(st.characters(codec=None), max_size=80).map((HOST + " ").__add__))
)
def test_any_candidate_passes_or_is_refused_by_its_code(candidate: str) -> None:
    try:
        check_candidate(candidate)
    except CandidateMalformed:
        return
    assert candidate.isascii()
    assert not re.search(r"[\x00-\x1f\x7f]", candidate)
    assert candidate == "" or re.match(r"(a=)?candidate:", candidate, re.IGNORECASE)


@given(st.from_regex(rule._CANDIDATE))
def test_what_passes_is_one_line(candidate: str) -> None:
    try:
        check_candidate(candidate)
    except CandidateMalformed:
        return
    assert len(candidate.splitlines()) == 1
    assert len(candidate) <= rule.MAX_CANDIDATE
