"""The files of contrib/ run: a browser behind nginx and HAProxy is who it is, coturn lends, systemd accepts."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import re
import shutil
import ssl
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest

from server.app.settings.settings import Settings
from server.app.wiring import build
from server.audit.store.audit import AuditStore
from server.core.sites import SiteStore
from server.doctor.remote import turn
from server.video.settings import IceSettings
from tests.lab.coturn import self_signed
from tests.lab.ports import free_port, tcp_port_open, udp_port_taken
from tests.lab.process import own_folder, started
from tests.lab.proxies import CONTRIB, HOST, adapted, haproxy, nginx
from tests.lab.server import server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.lab.proxies import Proxy

pytestmark = pytest.mark.lab
SECRET = "0123456789abcdef" * 4
INVENTED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Real-Ip": "203.0.113.9",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "evil.example",
    "Forwarded": "for=203.0.113.9",
}


@dataclass
class Visitor:
    """A browser with an address of its own on the loopback network."""

    url: str
    address: str
    certificate: Path | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    def ask(
        self, method: str, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, str, dict[str, str]]:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        source = (self.address, 0)
        if self.certificate:
            trust = ssl.create_default_context(cafile=str(self.certificate))
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                host, port, source_address=source, context=trust, timeout=10
            )
        else:
            line = http.client.HTTPConnection(host, port, source_address=source, timeout=10)
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = "" if answer.status == 101 else answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                self.set_cookies.append(cookie)
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, text, {k.lower(): v for k, v in answer.headers.items()}
        finally:
            line.close()

    def sign_in_wrongly(self, **headers: str) -> int:
        """Fail to sign in: the audit keeps the address."""
        self.ask("GET", "/login", **headers)
        form = {"_xsrf": self.cookies["__Host-_xsrf"], "identifier": "nobody", "password": "x" * 12}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask(
            "POST", "/login", urlencode({**form, "channel": "email"}), **kind, **headers
        )[0]

    def upgrade(self, path: str) -> int:
        return self.ask(
            "GET",
            path,
            **{
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(),
                "Origin": self.url,
            },
        )[0]


async def addresses(env: dict[str, str]) -> list[str]:
    """Return the addresses in the audit's payloads, in order."""
    house = build(Settings(secret_key=SECRET, database=env["VISIO15_DATABASE"]))  # type: ignore[arg-type]
    async with house.transactions(write=False) as uow:
        [site] = await SiteStore(uow).all()
        found = [
            json.loads(p[1])["address"] async for _, p in AuditStore(uow).opened_chain(site.id) if p
        ]
    await house.engine.dispose()
    return [address for address in found if address]


@asynccontextmanager
async def behind(which: Any) -> AsyncIterator[tuple[Proxy, int, dict[str, str]]]:
    """Run Visio15 behind a proxy."""
    port, public = free_port(), free_port()
    async with own_folder("data") as data:
        env = {
            "VISIO15_DATA_DIR": str(data),
            "VISIO15_DATABASE": f"sqlite+aiosqlite:///{data}/visio15.db",
            "VISIO15_SECRET_KEY": SECRET,
            "VISIO15_PUBLIC_URL": f"https://{HOST}:{public}",
            "VISIO15_PORT": str(port),
            "VISIO15_TRUSTED_PROXIES": '["127.0.0.1/32"]',
        }
        site = ("site", "add", "s37", "SAMU 37", "--referent", "r@s.example", "--sms-sender", "S37")
        async with (
            server(f"http://{HOST}:{port}", env, prepare=(("migrate",), site)),
            which(port, public) as proxy,
        ):
            yield proxy, port, env


@pytest.mark.parametrize("which", [nginx, haproxy], ids=["nginx", "haproxy"])
async def test_a_browser_behind_the_proxy_is_who_it_is(which: Any) -> None:
    async with behind(which) as (proxy, port, env):
        visitor = Visitor(proxy.url, "127.0.0.7", proxy.certificate)
        assert await asyncio.to_thread(visitor.sign_in_wrongly) in {200, 303, 302, 401}
        assert visitor.set_cookies
        assert all("secure" in cookie.lower() for cookie in visitor.set_cookies)
        liar = Visitor(proxy.url, "127.0.0.8", proxy.certificate)
        await asyncio.to_thread(lambda: liar.sign_in_wrongly(**INVENTED))
        direct = Visitor(f"http://{HOST}:{port}", "127.0.0.9")
        await asyncio.to_thread(lambda: direct.sign_in_wrongly(**INVENTED))
        assert await addresses(env) == ["127.0.0.7", "127.0.0.8", "127.0.0.9"]

        assert await asyncio.to_thread(visitor.upgrade, "/ws/caller") == 101
        status, _, headers = await asyncio.to_thread(liar.ask, "GET", "/login")
        assert status == 200
        assert headers["strict-transport-security"]
        assert "evil.example" not in str(headers)
        assert f"wss://{HOST}" in headers["content-security-policy"]
        for closed in ("/metrics", "/readyz", "/receipts/sms/" + "x" * 27):
            assert (await asyncio.to_thread(liar.ask, "GET", closed))[0] == 403
        plain = Visitor(proxy.plain_url, "127.0.0.7")
        status, _, headers = await asyncio.to_thread(plain.ask, "GET", "/login")
        assert status == 308
        assert headers["location"].startswith("https://")


async def test_coturn_lends_with_its_file() -> None:
    port, tls_port = free_port(), free_port()
    async with own_folder("turn") as folder:
        certificate, key = self_signed(folder, HOST)
        text = adapted(
            "turnserver-visio15.conf",
            **{
                "192.0.2.20": HOST,
                "listening-port=3478": f"listening-port={port}",
                "tls-listening-port=443": f"tls-listening-port={tls_port}",
                "/etc/ssl/turn/fullchain.pem": str(certificate),
                "/etc/ssl/turn/privkey.pem": str(key),
            },
        )
        config = folder / "turnserver.conf"
        config.write_text(text)
        argv = ["turnserver", "-c", str(config), "--log-file", "stdout", "--simple-log"]
        argv += ["--userdb", str(folder / "turn.db"), "--pidfile", str(folder / "turn.pid")]

        def ready(_: object) -> bool:
            return udp_port_taken(port, HOST) and tcp_port_open(tls_port, HOST)

        urls = (
            f"turn:{HOST}:{port}?transport=udp",
            f"turn:{HOST}:{port}?transport=tcp",
            f"turns:{HOST}:{tls_port}?transport=tcp",
        )
        async with started("coturn", argv, folder=folder, ready=ready):
            for secret, level in (("CHANGE-ME-openssl-rand-hex-32", "ok"), ("wrong", "bad")):
                ice = IceSettings(turn=urls, turn_secret=secret)  # type: ignore[arg-type]
                settings = Settings(secret_key=SECRET, ice=ice)  # type: ignore[arg-type]
                findings = await turn(settings)
                assert [finding.level for finding in findings] == [level] * 3, findings


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """What it starts and what it reads are put where they are on this machine."""
    program = shutil.which("true") or "/bin/true"
    text = (CONTRIB / "visio15.service").read_text()
    text = text.replace("/opt/visio15/.venv/bin/visio15 serve", program)
    unit = tmp_path / "visio15.service"
    unit.write_text(re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "visio15" in line]
    assert not ours, ours


def test_the_unit_is_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "visio15.service"
    unit.write_text((CONTRIB / "visio15.service").read_text())
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-600:] + done.stderr
