"""The reverse proxies of Debian, run with the files of contrib/ as they stand, but for ports and certificates."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.coturn import self_signed
from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import Part, own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONTRIB = Path(__file__).resolve().parents[2] / "contrib"
HOST = "127.0.0.1"

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  include {folder}/nginx-visio15.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """A running proxy, and the certificate a client has to trust."""

    url: str
    plain_url: str
    certificate: Path
    part: Part


def adapted(name: str, **changes: str) -> str:
    """Return a file of contrib/ with some of its words replaced; each must be there."""
    text = (CONTRIB / name).read_text()
    for old, new in changes.items():
        assert old in text, f"{name} does not say {old!r} any more"
        text = text.replace(old, new)
    return text


@asynccontextmanager
async def nginx(server_port: int, port: int | None = None) -> AsyncIterator[Proxy]:
    """Run nginx in front of `server_port`."""
    port, plain = port or free_port(), free_port()
    async with own_folder("nginx") as folder:
        certificate, key = self_signed(folder, HOST)
        changes = {
            "listen 443 ssl": f"listen {HOST}:{port} ssl",
            "listen 80;": f"listen {HOST}:{plain};",
            "/etc/ssl/visio15/fullchain.pem": str(certificate),
            "/etc/ssl/visio15/privkey.pem": str(key),
            "127.0.0.1:8015": f"{HOST}:{server_port}",
        }
        (folder / "nginx-visio15.conf").write_text(adapted("nginx-visio15.conf", **changes))
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder))
        argv = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        async with started(
            "nginx", argv, folder=folder, ready=lambda _: tcp_port_open(port, HOST)
        ) as part:
            yield Proxy(f"https://{HOST}:{port}", f"http://{HOST}:{plain}", certificate, part)


@asynccontextmanager
async def haproxy(server_port: int, port: int | None = None) -> AsyncIterator[Proxy]:
    """Run HAProxy in front of `server_port`."""
    port, plain = port or free_port(), free_port()
    async with own_folder("haproxy") as folder:
        certificate, key = self_signed(folder, HOST)
        both = folder / "visio15.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        changes = {
            "bind :443 ssl": f"bind {HOST}:{port} ssl",
            "bind :80": f"bind {HOST}:{plain}",
            "/etc/ssl/visio15/visio15.pem": str(both),
            "127.0.0.1:8015": f"{HOST}:{server_port}",
        }
        config = folder / "haproxy.cfg"
        config.write_text(adapted("haproxy-visio15.cfg", **changes))
        argv = ["haproxy", "-db", "-f", str(config)]
        async with started(
            "haproxy", argv, folder=folder, ready=lambda _: tcp_port_open(port, HOST)
        ) as part:
            yield Proxy(f"https://{HOST}:{port}", f"http://{HOST}:{plain}", certificate, part)
