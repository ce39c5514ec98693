"""Under which names the server answers: somebody else's name that leads to our address (DNS rebinding) gets nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

EVIL = "rebound.evil.example"
PATHS = (
    *("/", "/login", "/desk", "/metrics", "/healthz", "/readyz", "/nothing", "/openapi.json"),
    *("/static/css/base.css", "/v/abcdefghijklmnopqrstuvwxyz", "/ws/desk", "/ws/caller"),
    "/receipts/sms/abcdefghijklmnopqrstuvwxyz",
)


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    settings: dict[str, Any] = {
        "public_url": "https://visio15.chu.example",
        "extra_origins": ("https://second.chu.example:8443",),
        "spoken_address": "samu-orléans.example/c",
        "sms": {
            "url": "http://127.0.0.1:9/{to}{text}",
            "receipt_base": "http://inside.chu.example.:8015",
        },
        "allowed_hosts": ("Visio15.DMZ.example",),
        "trusted_proxies": ("127.0.0.2",),
    }
    with running(io_loop, furnished_database, tmp_path, **settings) as house:
        yield house


async def ask(
    house: Running, host: str, path: str = "/metrics", *lines: str, method: str = "GET"
) -> str:
    """Send a request as it stands; return the whole answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]
    writer.write("\r\n".join(head).encode())
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    return answer.decode(errors="replace")


@pytest.mark.parametrize("path", PATHS)
async def test_under_a_foreign_name_nothing_is_answered(house: Running, path: str) -> None:
    for host in (EVIL, f"{EVIL}:8015"):
        answer = await ask(house, host, path)
        assert answer.startswith("HTTP/1.1 400 ")
        assert "host_unknown" in answer
        assert "Set-Cookie" not in answer
        assert EVIL not in answer
    assert house.counted("host_unknown") == 2


async def test_a_foreign_name_cannot_post_either(house: Running) -> None:
    cookie = (await house.signed_in("regulator")).cookies["v15_session"]
    lines = (f"Cookie: v15_session={cookie}", "Content-Length: 0")
    for path in ("/logout", "/desk/station", "/v/abcdefghijklmnopqrstuvwxyz/tap"):
        assert "host_unknown" in await ask(house, EVIL, path, *lines, method="POST")
    assert (await ask(house, EVIL, "/desk", *lines)).startswith("HTTP/1.1 400 ")


async def test_a_socket_is_refused_before_anybody_is_identified(house: Running) -> None:
    cookie = (await house.signed_in("regulator")).cookies["v15_session"]
    headers = {"Host": EVIL, "Origin": f"http://{EVIL}", "Cookie": f"v15_session={cookie}"}
    url = f"ws://127.0.0.1:{house.server.port}/ws/desk"
    with pytest.raises(HTTPClientError) as refused:
        await websocket_connect(HTTPRequest(url, headers=headers))
    assert refused.value.code == 400
    assert house.counted("host_unknown") == 1


@pytest.mark.parametrize(
    "host",
    [
        "visio15.chu.example",
        "VISIO15.chu.example:443",
        "visio15.chu.example.",
        "second.chu.example:8443",
        "xn--samu-orlans-ibb.example",
        "inside.chu.example:8015",
        "visio15.dmz.example",
        "localhost",
        "localhost:8015",
        "127.0.0.1:8015",
        "192.0.2.7",
        "10.99.0.1:8016",
        "[::1]",
        "[2001:db8::7]:8015",
    ],
)
async def test_under_its_own_names_and_any_address_it_answers(house: Running, host: str) -> None:
    assert (await ask(house, host)).startswith("HTTP/1.1 200 ")
    assert house.counted("host_unknown") == 0


@pytest.mark.parametrize(
    "host",
    [
        "visio15.chu.example.evil.example",
        "evil-visio15.chu.example",
        "chu.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "1.2.3",
        "2130706433",
        "0x7f000001",
        "visio15.chu.example..",
        "visio15",
    ],
)
async def test_what_only_looks_like_it_is_refused(house: Running, host: str) -> None:
    assert "host_unknown" in await ask(house, host)


@pytest.mark.parametrize(
    "host", ["", "a b", "visio15.chu.example;x", "[::1", "visio15.chu.example, evil.example"]
)
async def test_what_is_no_host_is_refused(house: Running, host: str) -> None:
    assert (await ask(house, host)).startswith("HTTP/1.1 400 ")


async def test_a_forwarded_name_counts_only_when_a_trusted_proxy_says_it(house: Running) -> None:
    forwarded = f"X-Forwarded-Host: {EVIL}"
    assert (await ask(house, "visio15.chu.example", "/metrics", forwarded)).startswith(
        "HTTP/1.1 200 "
    )
    ours = "X-Forwarded-Host: visio15.chu.example"
    assert "host_unknown" in await ask(house, EVIL, "/metrics", ours)


async def test_an_old_client_without_a_name_is_answered(house: Running) -> None:
    """HAProxy asks so whether the server lives (option httpchk)."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.server.port)
    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
    async with asyncio.timeout(60):
        answer = await reader.read()
    writer.close()
    assert b" 200 " in answer.splitlines()[0]


async def test_the_content_policy_names_a_known_host(house: Running) -> None:
    answer = await ask(house, "visio15.chu.example", "/login")
    assert "ws://visio15.chu.example wss://visio15.chu.example;" in answer
