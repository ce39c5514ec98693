"""What a preflight means, and when credentials are renewed."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from server.core.clock import SystemClock
from server.video.domain.preflight import BY_REQUESTS, CAUSES, Preflight, Way, cause
from server.video.service.ice import ice_servers
from server.video.settings import IceSettings
from server.web.sockets.transports import REQUESTS, SOCKET


@pytest.mark.parametrize(
    ("found", "way"),
    [
        (Preflight(), Way.UNKNOWN),
        (Preflight(socket=5), Way.UNKNOWN),
        (Preflight(stun=0), Way.UDP),
        (Preflight(udp=0, tcp=False, tls=False), Way.UDP),
        (Preflight(stun=False, udp=30, tls=9), Way.UDP),
        (Preflight(udp=False, tcp=9, tls=9), Way.TLS),
        (Preflight(udp=False, tcp=9, tls=False), Way.TCP),
        (Preflight(stun=False), Way.NONE),
        (Preflight(udp=False, tcp=False, tls=False), Way.NONE),
    ],
)
def test_the_best_open_way_counts(found: Preflight, way: Way) -> None:
    assert found.way is way


def test_only_what_hinders_has_a_cause() -> None:
    assert {way for way, cause in CAUSES.items() if cause} == {Way.TCP, Way.TLS, Way.NONE}


def test_credentials_are_renewed_halfway_and_only_where_there_are_any() -> None:
    settings = IceSettings(turn=("turn:relay",), turn_secret=SecretStr("secret"), ttl=600)
    relay = ice_servers(settings, SystemClock())
    assert [relay.due(age) for age in (0, 300, 301)] == [False, False, True]
    assert not ice_servers(IceSettings(), SystemClock()).due(9_999)


@pytest.mark.parametrize(
    ("found", "transport", "said"),
    [
        (None, SOCKET, ""),
        (None, REQUESTS, BY_REQUESTS),
        (Preflight(socket=12, stun=20), SOCKET, ""),
        (Preflight(socket=False, stun=20), SOCKET, ""),  # it came up since
        (Preflight(socket=False, stun=20), None, ""),
        (Preflight(socket=False, stun=20), REQUESTS, BY_REQUESTS),
        (Preflight(socket=False, udp=False, tls=48), REQUESTS, CAUSES[Way.TLS]),
        (Preflight(socket=False, stun=False), REQUESTS, CAUSES[Way.NONE]),
    ],
)
def test_what_keeps_the_picture_out_is_said_before_what_slows_the_page(
    found: Preflight | None, transport: str | None, said: str
) -> None:
    assert cause(found, transport) == said
