"""ICE candidates: what one end names, the other end's browser contacts. So no names, and no place where no peer can be.

The forms are those browsers gather (RFC 8839); what passes, passes unchanged.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.video.domain import ice_candidates as rule
from server.video.domain.ice_candidates import target
from server.video.domain.sdp import candidates
from server.video.errors import IceCandidateMalformed
from tests.server.video.sdp_samples import ANSWERS, OFFERS

AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111"
HOST = "candidate:340450349 1 udp 2113937151"
TCP = "candidate:340450349 1 tcp 1518280447"
NAME = "0cef7170-195f-47ce-9054-1ff34f259568.local"


@pytest.mark.parametrize(
    "candidate",
    [
        f"{HOST} {NAME} 35390 typ host generation 0 ufrag NzGd network-cost 999",
        f"{HOST} 192.0.2.1 35390 typ host generation 0",
        f"{HOST} 2001:db8:85a3::8a2e:370:7334 49202 typ host generation 0 network-id 2",
        "candidate:842163049 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr 10.0.0.2 rport 40000 generation 0",
        "candidate:842163049 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr 0.0.0.0 rport 0 generation 0",
        f"candidate:842163049 1 udp 1677729535 203.0.113.7 40000 typ srflx raddr {NAME} rport 9",
        "candidate:3 1 TCP 2105524479 192.168.0.14 9 typ host tcptype active",
        "candidate:3761018002 1 tcp 1518280447 10.99.0.1 9 typ host tcptype active generation 0 network-id 1",
        f"candidate:1 2 TCP 2105524478 {NAME} 9 typ host tcptype active",
        "candidate:9 1 udp 41885695 198.51.100.3 61000 typ relay raddr 203.0.113.7 rport 40000",
        "candidate:28d09117ed7be62fd2553196dd6100b6 1 udp 2130706431 10.99.0.1 49076 typ host",
        "a=candidate:0 1 UDP 2122252543 172.22.0.1 33514 typ host",
        f"{HOST} fd12:3456:789a::1 35390 typ host",  # a home's own network
        f"{HOST} 100.64.3.2 35390 typ host",  # an operator's
        f"{HOST} 192.0.2.1 1024 typ host",
        f"{HOST} 192.0.2.1 65535 typ host",
    ],
)
def test_what_browsers_gather_passes(candidate: str) -> None:
    assert target(candidate)


@pytest.mark.parametrize("sdp", [*OFFERS.values(), *ANSWERS.values()])
def test_what_browsers_put_into_descriptions_passes(sdp: str) -> None:
    assert candidates(sdp)
    assert all(target(each) for each in candidates(sdp))


@pytest.mark.parametrize(
    "candidate",
    [
        "",
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
        f"{HOST} 192.0.2.1 65536 typ host",
        f"{HOST} 192.0.2.1 99999 typ host",
        f"{TCP} 192.0.2.1 9 typ host tcptype active generation 0 tcptype passive",
        f"{HOST} 192.0.2.1 35390 typ srflx generation 0 raddr intranet rport 9",
        "x" * 1_000_000,
        " ",
        "\ud800",
    ],
)
def test_what_is_no_candidate_is_refused(candidate: str) -> None:
    with pytest.raises(IceCandidateMalformed):
        target(candidate)


@pytest.mark.parametrize(
    "name",
    [
        "intranet.chu.example",
        "intranet",
        "localhost",
        "metadata.google.internal",
        "printer.local",
        "0cef7170-195f-47ce-9054-1ff34f259568.local.evil.example",
        "0cef7170-195f-47ce-9054-1ff34f25956.local",
        "0cef7170-195f-47ce-9054-1ff34f259568",
        "2130706433",  # 127.0.0.1 for whoever reads numbers so
        "0x7f.1",
        "127.1",
        "192.168.001.014",
        "1.2.3",
        "fe80::1-eth0",
        ":::",
        "::ffff:1.2.3.4.5",
    ],
)
def test_a_name_or_a_number_that_a_resolver_would_read_is_refused(name: str) -> None:
    """The other end's browser would ask its DNS, inside the hospital."""
    with pytest.raises(IceCandidateMalformed):
        target(f"{HOST} {name} 35390 typ host")
    with pytest.raises(IceCandidateMalformed):
        target(f"{HOST} 203.0.113.7 40000 typ srflx raddr {name} rport 9")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "::1",
        "0.0.0.0",  # noqa: S104 - as text
        "0.1.2.3",
        "::",
        "169.254.169.254",  # what clouds tell their machines
        "169.254.7.7",
        "fe80::1",
        "224.0.0.251",
        "239.255.255.250",
        "ff02::fb",
        "255.255.255.255",
        "240.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
    ],
)
def test_where_no_peer_can_be_is_left_out(address: str) -> None:
    """A machine without an address of its own has a link-local one, and its browser says so: no refusal."""
    assert target(f"{HOST} {address} 35390 typ host") is None


@pytest.mark.parametrize(
    ("address", "passes"),
    [("127.0.0.1", True), ("::1", True), ("169.254.7.7", False), ("224.0.0.251", False)],
)
def test_two_ends_of_one_machine_may_meet_on_loopback(address: str, *, passes: bool) -> None:
    """A demonstration on a machine without a network: there is no other way for the picture."""
    named = target(f"{HOST} {address} 35390 typ host", one_machine=True)
    assert named == (address if passes else None)
    assert target(f"{HOST} {address} 53 typ host", one_machine=True) is None


@pytest.mark.parametrize("port", [0, 1, 9, 53, 69, 123, 161, 514, 1023])
def test_a_well_known_port_is_left_out(port: int) -> None:
    assert target(f"{HOST} 10.0.0.2 {port} typ host") is None


@pytest.mark.parametrize(
    "more", ["9 typ host", "80 typ host", "80 typ host tcptype active", "9 typ host tcptype so",
             "443 typ host tcptype passive", "50000 typ srflx raddr 10.0.0.2 rport 9 tcptype passive"],
)  # fmt: skip
def test_nobody_is_told_to_open_a_connection(more: str) -> None:
    assert target(f"{TCP} 10.0.0.2 {more}") is None


@given(
    st.one_of(st.text(), st.text(st.characters(codec=None), max_size=80).map((HOST + " ").__add__))
)
def test_any_candidate_passes_or_is_refused_by_its_code(candidate: str) -> None:
    try:
        target(candidate)
    except IceCandidateMalformed:
        return
    assert candidate.isascii()
    assert not re.search(r"[\x00-\x1f\x7f]", candidate)
    assert re.match(r"(a=)?candidate:", candidate, re.IGNORECASE)


@given(st.from_regex(rule._CANDIDATE))
def test_what_passes_is_one_line(candidate: str) -> None:
    try:
        target(candidate)
    except IceCandidateMalformed:
        return
    assert len(candidate.splitlines()) == 1
    assert len(candidate) <= rule.MAX_CANDIDATE


@given(st.ip_addresses(), st.integers(0, 65_535), st.sampled_from(["host", "srflx", "relay"]))
def test_no_address_passes_that_is_this_machine_s_or_everybody_s(
    address: object, port: int, kind: str
) -> None:
    named = target(f"{HOST} {address} {port} typ {kind}")
    if named is not None:
        read = ip_address(named)
        assert port >= 1024
        assert read == address
        assert not any((read.is_loopback, read.is_multicast, read.is_link_local))


@given(st.from_regex(r"[a-z0-9-]{1,12}(\.[a-z0-9-]{1,12}){0,3}", fullmatch=True))
def test_no_name_passes(name: str) -> None:
    try:
        ip_address(name)
    except ValueError:
        with pytest.raises(IceCandidateMalformed):
            target(f"{HOST} {name} 35390 typ host")
