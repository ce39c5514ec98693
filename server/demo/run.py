"""`visio15 demo`: the whole product on one machine, with nothing to configure and no carrier.

One port in plain HTTP, for this machine only: browsers treat localhost as secure, so that the desk opens without a
warning. With `--lan` the next port serves HTTPS to a real phone on the network (server/demo/certificates.py); from
there the plain port only serves the page that explains the certificate.
"""

import asyncio
import errno
import io
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
import segno

from server.app.command_services import CommandServices, opened
from server.app.logs import configure
from server.app.runtime.tls import CertificateUnusable
from server.app.settings.settings import ConfigurationError, Settings, load
from server.core.errors import AppError
from server.core.words.for_shell import shell_line
from server.demo.certificates import Certificates, ensure, lan_addresses, local_names, write_private
from server.demo.doors import live
from server.identity.domain.access import Role

Say = Callable[[str], None]
SITES: Final = (("samu37", "SAMU 37"), ("samu45", "SAMU 45"))
STATIONS: Final = (
    ("samu37", "1501", "ARM 1", False),
    ("samu37", "1601", "Régulateur 1", True),
    ("samu37", "1602", "Régulateur 2", True),
    ("samu45", "1501", "ARM 1", False),
)
USERS: Final = (
    ("demo", "samu37", "Dr Démo", Role.REGULATOR),
    ("arm", "samu37", "Camille, ARM", Role.ARM),
    ("auditor", "samu37", "Dr Audit", Role.AUDITOR),
    ("referent", "samu37", "Référente", Role.REFERENT),
    ("admin", "samu37", "Administration", Role.ADMIN),
    ("demo45", "samu45", "Dr Loiret", Role.REGULATOR),
)
LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Demo:
    """A prepared demonstration: what to run, and what to tell the person in front of it."""

    settings: Settings
    password: str
    desk_port: int
    certificates: Certificates | None

    @property
    def desk_url(self) -> str:
        """Where this machine's browser goes."""
        return f"http://localhost:{self.desk_port}"


async def prepare(data: Path, port: int, lan: str | None, say: Say = lambda _: None) -> Demo:
    """Make whatever is missing in `data`; a second run finds it all. `lan`: the address phones use, if any."""
    from server.storage import schema  # noqa: PLC0415 - Alembic is slow to import
    from server.storage.demonstration_mark import demonstration_of  # noqa: PLC0415 - same

    say("1/4 certificat pour les téléphones" if lan else "1/4 cette machine seulement, en http")
    data.mkdir(parents=True, exist_ok=True, mode=0o700)  # noqa: ASYNC240 - nothing else runs yet
    names = [*local_names(), *([lan] if lan else [])]
    certificates = ensure(data / "tls", names, datetime.now(UTC)) if lan else None
    secret, word = data / "secret.key", data / "password"
    known = word.exists()
    key = _read(secret) or secrets.token_hex(32)
    settings = _settings(data, key, port, lan, certificates)
    say("2/4 base de données")
    # A folder with our password and no other database named holds a demonstration, also one of an earlier release.
    async with demonstration_of(settings.database_url, known=known and not settings.database):
        await schema.upgrade(settings.database_url)
    say("3/4 secret et mot de passe")
    _keep(secret, key)
    password = _read(word) or _password()
    _keep(word, password)
    say("4/4 sites, postes et utilisateurs")
    async with opened(settings) as house:
        await _seed(house, password, reset=not known)
    return Demo(settings, password, port, certificates)


def _settings(
    data: Path, secret: str, port: int, lan: str | None, certificates: Certificates | None
) -> Settings:
    plain = f"http://localhost:{port}"
    common = {
        "data_dir": data,
        "secret_key": secret,
        "demo": True,
        "feeds": ({"kind": "replay", "site": "samu37"},),
        "log_level": "WARNING",
    }
    if lan is None or certificates is None:
        return load(**common, public_url=plain, listen="127.0.0.1", port=port)
    return load(
        **common,
        public_url=f"https://{lan}:{port + 1}",
        extra_origins=(plain,),
        listen=lan,
        port=port + 1,
        tls_certificate=certificates.chain,
        tls_key=certificates.key,
    )


def _read(path: Path) -> str:
    """Return a secret of the first run, or nothing."""
    with suppress(FileNotFoundError):
        return path.read_text().strip()
    return ""


def _keep(path: Path, text: str) -> None:
    if _read(path) != text:
        write_private(path, text.encode())


def _password() -> str:
    groups = ("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return "-".join(groups)


async def _seed(house: CommandServices, password: str, *, reset: bool) -> None:
    """Add what is missing; with a new password, give it to those who are there already."""
    keys = {site.key for site in await house.admin.sites()}
    for key, name in SITES:
        if key not in keys:
            await house.admin.add_site(key, name, f"referent@{key}.example", name.replace(" ", ""))
        there = {station.extension for station in await house.admin.stations(key)}
        for site, extension, title, webcam in STATIONS:
            if site == key and extension not in there:
                await house.admin.add_station(key, extension, title, webcam=webcam)
    present = {user.identifier for user in await house.admin.users()}
    for identifier, key, name, role in USERS:
        if identifier not in present:
            await house.admin.add_user(
                identifier,
                password,
                site_key=key,
                name=name,
                role=role,
                email=f"{identifier}@{key}.example",
                mobile=None,
            )
        elif reset:
            await house.admin.reset_password(identifier, password)


def welcome(demo: Demo) -> str:
    """Say where to go, with what, and what to do next."""
    lines = [
        "",
        "Visio15 tourne. Poste de cet ordinateur (Chrome ou Firefox) :",
        f"    {demo.desk_url}",
        f"    identifiant  demo          mot de passe  {demo.password}",
        f"    aussi : {', '.join(user[0] for user in USERS[1:])} (même mot de passe)",
    ]
    if demo.certificates is not None:
        trust = f"http://{demo.settings.public_url.removeprefix('https://').rsplit(':', 1)[0]}:{demo.desk_port}/trust"
        lines += [
            f"Téléphone du même réseau : {demo.settings.public_url}",
            f"    d'abord : {trust}",
            _qr(trust),
        ]
    phone = "« Jouer l'appelant », ou visez le QR code du message avec un vrai téléphone."
    if demo.certificates is None:
        phone = (
            "« Jouer l'appelant ». Pour un vrai téléphone : --lan, qui ouvre aussi le réseau local."
        )
    lines += [
        "Ensuite :",
        f"  1. Ouvrez {demo.desk_url}, donnez l'identifiant et le mot de passe, « Recevoir mon code ».",
        f"  2. Lisez le code dans la boîte d'envoi : {demo.desk_url}/outbox",
        "  3. Visiorégulation, poste 1501 : un appel rejoué apparaît ; envoyez le lien au 06 12 34 56 78.",
        f"  4. Boîte d'envoi : {phone}",
        "  5. Quittez la vidéo ; connectez-vous comme « auditor » pour la retrouver. Ctrl-C arrête tout.",
        "",
    ]
    return "\n".join(lines)


def _qr(text: str) -> str:
    drawn = io.StringIO()
    segno.make(text, error="l").terminal(drawn, border=2, compact=True)
    return drawn.getvalue().rstrip("\n")


@click.command()
@click.option("--port", default=8015, show_default=True, type=click.IntRange(1024, 65534))
@click.option(
    "--data",
    default="var/demo",
    show_default=True,
    type=click.Path(file_okay=False, path_type=Path),
)
@click.option(
    "--lan",
    is_flag=True,
    help="Also for phones of the local network, which can open the outbox too.",
)
@click.option("--http", is_flag=True, help="This machine only, without a certificate: the default.")
def demo(port: int, data: Path, *, lan: bool, http: bool) -> None:
    """Run the whole product on this machine, with a replayed switchboard and an outbox."""
    if lan and http:
        raise click.UsageError("--lan a besoin d'un certificat : sans --http.")
    configure("WARNING")
    address = next(iter(lan_addresses()), None) if lan else None
    if lan and address is None:
        click.echo("Cette machine n'a pas d'adresse sur un réseau local : sans --lan.", err=True)
        sys.exit(2)
    try:
        made = asyncio.run(prepare(data, port, address, click.echo))
    except ConfigurationError as wrong:
        click.echo("\n".join(wrong.problems), err=True)
        sys.exit(2)
    except AppError as refused:
        click.echo(f"{data} ne convient pas : --data AUTRE. {shell_line(refused)}", err=True)
        sys.exit(3)
    sys.exit(_serve(made))


def _serve(made: Demo) -> int:
    """Serve to the end; every way a start can fail has its sentence and its status."""
    certificates = made.certificates
    plain = made.desk_port if certificates else None
    authority = certificates.authority if certificates else None
    try:
        asyncio.run(live(made.settings, plain, authority, lambda: click.echo(welcome(made))))
    except AppError as refused:
        click.echo(f"Démarrage impossible. {shell_line(refused)}", err=True)
        return 2 if isinstance(refused, CertificateUnusable) else 3
    except OSError as fault:
        if fault.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        ports = f"{made.desk_port} ou {made.desk_port + 1}" if plain else str(made.desk_port)
        click.echo(
            f"Le port {ports} est déjà pris : arrêtez l'autre programme, ou --port AUTRE.", err=True
        )
        return 4
    click.echo("Arrêté. Tout est gardé : la prochaine fois sera plus rapide.")
    return 0
