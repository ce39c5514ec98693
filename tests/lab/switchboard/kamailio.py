"""The switchboard: a real Kamailio that answers line 15, mirrors all SIP as HEP3, and registers phones."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.ports import free_port, tcp_port_open, udp_port_taken
from tests.lab.process import Part, PartFailedError, own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

TEMPLATE = Path(__file__).with_name("kamailio.cfg")
SCHEMAS = Path("/usr/share/kamailio/db_sqlite")
HEP_AUTH_KEY = "s3cret-hep"

MINT = r"""
    if ($hdr(X-Line15-Call-ID)==$null) {
      $dlg_var(l15) = "urn:emergency:uid:callid:" + $uuid(g) + ":samu99.example";
      append_hf("X-Line15-Call-ID: $dlg_var(l15)\r\nCall-Info: <$dlg_var(l15)>;purpose=emergency-CallId\r\n");
    } else { $dlg_var(l15) = $hdr(X-Line15-Call-ID); }
    msg_apply_changes();   # must precede record_route()
"""


@dataclass(frozen=True)
class Kamailio:
    """A running switchboard."""

    host: str
    port: int
    part: Part
    folder: Path

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def _database(path: Path, users: Mapping[str, str], domain: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        for schema in ("standard", "auth_db", "usrloc", "presence"):
            db.executescript((SCHEMAS / f"{schema}-create.sql").read_text())
        db.executemany(
            "INSERT INTO subscriber (username, domain, password) VALUES (?, ?, ?)",
            [(name, domain, password) for name, password in users.items()],
        )
        db.commit()


@asynccontextmanager
async def kamailio(
    routes: Mapping[str, str],
    *,
    hep: tuple[str, int] | None = None,
    hep_auth_key: str | None = HEP_AUTH_KEY,
    users: Mapping[str, str] | None = None,
    mint_emergency_id: bool = True,
    include: Path | str | None = None,
    before_dialog: str = "",
    on_presence: str = "",
    on_invite: str = "",
    on_routed: str = "",
    substitute: Mapping[str, str] | None = None,
    host: str = "127.0.0.1",
    port: int | None = None,
    debug: int = 2,
) -> AsyncIterator[Kamailio]:
    """Run Kamailio.

    Args:
        routes: called number → the phone it rings, "1501@127.0.0.1:5070"; the request URI is rewritten to it.
        hep: where the HEP3 mirror of all SIP goes, or None for no mirror.
        hep_auth_key: chunk 0x000e of every HEP packet; None sends none.
        users: name → password of the phones that may register by digest (realm: the host). A called number that has
            no route is looked up among the registered ones.
        mint_emergency_id: give calls without X-Line15-Call-ID one, and the NENA Call-Info header.
        include: a snippet of configuration under test, put before the request route (a path, or the text).
        before_dialog: script run for each new INVITE before the dialog is made, e.g. "route(VISIO15_WATCH);".
        on_presence: script run for PUBLISH and SUBSCRIBE before the lab's own, e.g. "route(VISIO15_PRESENCE);".
        on_invite: script run for each new INVITE before it is routed, e.g. "route(NOTIFY15);"; $rU is 15.
        on_routed: the same after the request URI was rewritten to the phone; $rU is 1501.
        substitute: NAME → value of further @NAME@ in the included snippet.
        host: where it listens, and its realm.
        port: where it listens, UDP and TCP; a free one if None.
        debug: Kamailio's own log level; 3 tells everything.
    """
    port = port or free_port(host)
    async with own_folder("kamailio") as folder:
        _database(folder / "kam.db", users or {}, host)
        text = include.read_text() if isinstance(include, Path) else include or ""
        hep_host, hep_port = hep or (host, 9)
        values = {
            "INCLUDE": text,
            "MINT": MINT if mint_emergency_id else "",
            "BEFORE_DIALOG": before_dialog,
            "ON_PRESENCE": on_presence,
            "ON_INVITE": on_invite,
            "ROUTES": "\n".join(
                f'    if ($rU=="{number}") {{ $ru = "sip:{phone}"; {on_routed} route(RELAY); }}'
                for number, phone in routes.items()
            ),
            "HEP_AUTH": f'modparam("siptrace","auth_key","{hep_auth_key}")' if hep_auth_key else "",
            "HEP_ON": "1" if hep else "0",
            "HEP_HOST": hep_host,
            "HEP_PORT": str(hep_port),
            "HOST": host,
            "PORT": str(port),
            "RUNDIR": str(folder),
            "DEBUG": str(debug),
            **(substitute or {}),
        }
        config = TEMPLATE.read_text()
        for name, value in values.items():
            config = config.replace(f"@{name}@", value)
        path = folder / "kamailio.cfg"
        path.write_text(config)
        check = subprocess.run(  # noqa: ASYNC221 - a quick syntax check, before anything runs
            ["kamailio", "-c", "-f", path], capture_output=True, text=True, check=False
        )
        if check.returncode:
            raise PartFailedError(f"kamailio refuses its configuration:\n{check.stderr[-3000:]}")

        def ready(_part: Part) -> bool:
            return udp_port_taken(port, host) and tcp_port_open(port, host)

        argv: list[str | Path] = [
            "kamailio",
            "-DD",
            "-E",
            "-f",
            path,
            "-Y",
            folder,
            "-m",
            "64",
            "-M",
            "8",
        ]
        async with started("kamailio", argv, folder=folder, ready=ready) as part:
            yield Kamailio(host, port, part, folder)
