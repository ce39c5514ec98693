"""The demonstration makes its own house, twice, and keeps its secrets to itself."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509

from server.app.caller_processes import MOST, CallerProcesses
from server.app.command_services import opened
from server.core.errors import TooMany
from server.demo import run as demo
from server.demo.certificates import ensure
from server.demo.synthetic import caller as synthetic
from server.demo.synthetic.peer import SyntheticPeer
from server.demo.synthetic.picture import HEIGHT, WIDTH, draw, luma
from server.video.domain.sdp import check_description
from tests.lab.process import until

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
NAMES = ("localhost", "127.0.0.1", "::1", "10.99.0.1")


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(path: Path) -> tuple[set[str], set[str]]:
    leaf = x509.load_pem_x509_certificates(path.read_bytes())[0]
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = {str(each) for each in found.get_values_for_type(x509.IPAddress)}
    return set(found.get_values_for_type(x509.DNSName)), addresses


async def test_prepared_twice_it_is_the_same_house(tmp_path: Path) -> None:
    said: list[str] = []
    first = await demo.prepare(tmp_path / "d", 8015, "10.99.0.1", said.append)
    again = await demo.prepare(tmp_path / "d", 8015, "10.99.0.1")
    assert len(said) == 4
    assert first.password == again.password
    assert first.settings.public_url == "https://10.99.0.1:8016"
    assert "http://localhost:8015" in first.settings.extra_origins
    async with opened(again.settings) as house:
        assert {site.key for site in await house.admin.sites()} == {"samu37", "samu45"}
        stations = await house.admin.stations("samu37")
        assert {station.extension for station in stations} == {"1501", "1601", "1602"}
        assert len(await house.admin.users()) == len(demo.USERS)
    text = demo.welcome(again)
    assert "http://10.99.0.1:8015/trust" in text
    assert again.password in text


async def test_without_a_network_it_speaks_plain_http_to_this_machine(tmp_path: Path) -> None:
    made = await demo.prepare(tmp_path, 8015, None)
    assert made.certificates is None
    assert made.settings.public_url == "http://localhost:8015"
    assert made.settings.listen == "127.0.0.1"


async def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    data = tmp_path / "d"
    await demo.prepare(data, 8015, "10.99.0.1")
    assert _mode(data) == 0o700
    for name in ("secret.key", "password", "visio15.db", "tls/authority.key", "tls/server.key"):
        assert _mode(data / name) == 0o600, name


def test_the_certificate_names_this_machine_and_lives_397_days(tmp_path: Path) -> None:
    files = ensure(tmp_path, NAMES, NOW)
    assert _names(files.chain) == ({"localhost"}, {"127.0.0.1", "::1", "10.99.0.1"})
    leaf, root = x509.load_pem_x509_certificates(files.chain.read_bytes())
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == dt.timedelta(days=397)
    leaf.verify_directly_issued_by(root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain, files.key)


def test_the_certificate_is_renewed_only_when_needed(tmp_path: Path) -> None:
    before = ensure(tmp_path, NAMES, NOW).chain.read_bytes()
    assert ensure(tmp_path, NAMES, NOW + dt.timedelta(days=360)).chain.read_bytes() == before
    late = ensure(tmp_path, NAMES, NOW + dt.timedelta(days=370)).chain.read_bytes()
    assert late != before
    files = ensure(tmp_path, (*NAMES, "192.168.7.7"), NOW + dt.timedelta(days=370))
    assert "192.168.7.7" in _names(files.chain)[1]
    roots = {x509.load_pem_x509_certificates(each)[1] for each in (before, late)}
    assert len(roots) == 1


def test_the_authority_signs_for_this_machine_only(tmp_path: Path) -> None:
    files = ensure(tmp_path, (*NAMES, "www.example.org"), NOW)
    assert "www.example.org" not in _names(files.chain)[0]
    root = x509.load_pem_x509_certificate(files.authority.read_bytes())
    bounds = root.extensions.get_extension_for_class(x509.NameConstraints)
    assert bounds.critical
    networks = [
        each.value
        for each in bounds.value.permitted_subtrees or ()
        if isinstance(each, x509.IPAddress)
    ]
    assert ipaddress.ip_network("0.0.0.0/0") in networks


def test_the_picture_moves() -> None:
    one, two = luma(0, "12:00:00 0000"), luma(4, "12:00:00 0001")
    assert len(one) == len(two) == WIDTH * HEIGHT
    assert sum(a != b for a, b in zip(one, two, strict=True)) > 1000
    frame = draw(7, "12:00:00")
    assert (frame.width, frame.height, frame.format.name) == (WIDTH, HEIGHT, "yuv420p")


async def test_the_offer_is_one_video_line_and_nothing_else() -> None:
    sent: list[dict[str, Any]] = []
    states: list[str] = []
    peer = SyntheticPeer({"iceServers": []}, sent.append, lambda _peer, state: states.append(state))
    try:
        await until(lambda: bool(sent or states), "an offer, or why there is none")
        if states:  # no interface but lo: the refusal is a sentence
            assert states == ["no_candidate"]
            assert "interface" in synthetic.SyntheticOutcome("no_candidate").sentence
        else:
            assert sent[0]["type"] == "signal.offer"
            check_description(sent[0]["sdp"])
    finally:
        await peer.close()


@pytest.mark.parametrize("link", ["", "https://host/", "ftp://host/v/abcdefghijkl", "x"])
async def test_what_is_not_a_link_is_said(link: str) -> None:
    outcome = await synthetic.call(link, 1, None, lambda _: None)
    assert outcome.reason == "link"
    assert not outcome.ok


async def test_a_server_that_is_away_is_said() -> None:
    outcome = await synthetic.call(
        "http://127.0.0.1:9/v/abcdefghijklmnopqrstuv", 5, None, lambda _: None
    )
    assert outcome.reason == "unreachable"


class _Idle(CallerProcesses):
    """Starts something that waits instead of the real caller."""

    def _argv(self) -> list[str]:
        return [sys.executable, "-c", "import sys,time; sys.stdin.read(); time.sleep(60)"]


async def test_at_most_five_callers_and_all_of_them_are_stopped() -> None:
    callers = _Idle()
    links = [f"http://localhost/v/{n}" for n in range(MOST)]
    try:
        for link in (*links, links[0]):
            await callers.start(link)
        assert all(callers.running(link) for link in links)
        with pytest.raises(TooMany):
            await callers.start("http://localhost/v/more")
        processes = list(callers._running.values())
    finally:
        callers.close()
    assert not callers.running(links[0])
    assert all(process.poll() is not None for process in processes)


def test_the_link_is_never_in_the_arguments() -> None:
    assert CallerProcesses()._argv()[-3:] == ["-", "--seconds", "900"]
