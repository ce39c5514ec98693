"""Only a trusted proxy says who the browser is; what anybody else says is not even kept."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from server.web.http.forwarded import ForwardedClient, networks, origin

TRUSTED = networks(["127.0.0.1", "10.1.0.0/16", "2001:db8::/32"])


def told(peer: str, *lines: tuple[str, str]) -> ForwardedClient | None:
    headers = HTTPHeaders()
    for name, value in lines:
        headers.add(name, value)
    return origin(peer, headers, TRUSTED)


@pytest.mark.parametrize("peer", ["192.0.2.1", "10.2.0.1", "::1", "", "127.0.0.2"])
def test_a_stranger_says_nothing(peer: str) -> None:
    assert told(peer, ("X-Forwarded-For", "203.0.113.1"), ("X-Forwarded-Proto", "https")) is None


@pytest.mark.parametrize(
    ("chain", "client"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("198.51.100.9, 203.0.113.1", "203.0.113.1"),
        ("198.51.100.9, 203.0.113.1, 10.1.2.3", "203.0.113.1"),
        ("unknown, 203.0.113.1", "203.0.113.1"),
        ("203.0.113.1:4711", "203.0.113.1"),
        ("[2001:db9::7]:4711", "2001:db9::7"),
        ("::ffff:203.0.113.1", "203.0.113.1"),
        ("203.0.113.1, <script>", None),
        ("10.1.0.9", "10.1.0.9"),
        ("", None),
    ],
)
def test_the_nearest_that_is_no_proxy_is_the_browser(chain: str, client: str | None) -> None:
    for peer in ("127.0.0.1", "::ffff:127.0.0.1", "10.1.255.1"):
        assert told(peer, ("X-Forwarded-For", chain)) == ForwardedClient(client)


def test_several_lines_are_one_chain() -> None:
    lines = [("X-Forwarded-For", "198.51.100.9"), ("X-Forwarded-For", "203.0.113.1")]
    assert told("127.0.0.1", *lines) == ForwardedClient("203.0.113.1")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("X-Forwarded-Proto", "https", ForwardedClient(protocol="https")),
        ("X-Forwarded-Proto", "http, HTTPS", ForwardedClient(protocol="https")),
        ("X-Forwarded-Proto", "gopher", ForwardedClient()),
        ("X-Forwarded-Host", "v.example:8443", ForwardedClient(host="v.example:8443")),
        ("X-Forwarded-Host", "evil.example, v.example", ForwardedClient(host="v.example")),
        ("X-Forwarded-Host", "v.example/path", ForwardedClient()),
        ("X-Forwarded-Host", "a b", ForwardedClient()),
        ("X-Real-Ip", "203.0.113.1", ForwardedClient()),
    ],
)
def test_protocol_and_host(name: str, value: str, expected: ForwardedClient) -> None:
    assert told("127.0.0.1", (name, value)) == expected
