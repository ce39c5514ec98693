"""The doctor's checks of this machine: schema, feeds, certificate, clock, disk. Others: server/doctor/remote.py."""

import ctypes
import datetime as dt
import errno
import shutil
import ssl
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncEngine

from server.app.foundation import opened_foundation
from server.app.runtime import tls
from server.app.settings.settings import Settings
from server.core.errors import AppError, SitePolicyUnreadable
from server.core.sites import Site, SiteStore
from server.core.words.for_shell import for_shell, named
from server.doctor.exposure import demonstration, private
from server.doctor.finding import Finding
from server.doctor.net import udp_free
from server.doctor.recordings import recordings
from server.doctor.remote import carriers, mail, turn
from telephony import TRIED, FeedRefusedError, receive_buffer, tried_instead
from telephony.registry import AuthorityUnreadableError, Switchboard

WIDE: Final = {4: 16, 6: 48}
GIGABYTE: Final = 1_000_000_000
_UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)


async def stored(settings: Settings) -> list[Finding]:
    """The schema, and that every feed's site is there."""
    try:
        async with opened_foundation(settings) as base:
            async with base.transactions(write=False) as uow:
                sites = await SiteStore(uow).all()
                keys = {site.key for site in sites}
            unsafe = [*_decided(sites), *await _unsafe(base.engine)]
    except AppError as refused:
        return [Finding("bad", "base", named(refused), for_shell(refused))]
    except Exception as fault:  # noqa: BLE001 - a driver's own errors are many
        todo = "vérifiez l'adresse, le compte et les droits de la base"
        return [Finding("bad", "base", type(fault).__name__, todo)]
    found = [Finding("ok", "base", f"schéma à jour, {len(keys)} site(s)"), *unsafe]
    if not keys:
        found.append(Finding("bad", "base", "aucun site", "visio15 site add CLÉ NOM …"))
    strays = sorted({each.site for each in (*settings.feeds, *settings.recordings)} - keys)
    todo = "corrigez site, ou visio15 site add"
    return [*found, *(Finding("bad", "flux", f"le site {s} n'existe pas", todo) for s in strays)]


def _decided(sites: Sequence[Site]) -> list[Finding]:
    """What a site has decided and this release cannot read keeps the server from starting."""
    found: list[Finding] = []
    for site in sites:
        try:
            site.check_policy()
        except SitePolicyUnreadable as refused:
            found.append(Finding("bad", "base", named(refused), for_shell(refused)))
    return found


async def _unsafe(engine: AsyncEngine) -> list[Finding]:
    """A PostgreSQL that answers before it has written loses what was acknowledged when its machine stops (I3)."""
    if engine.url.get_backend_name() != "postgresql":
        return []
    async with engine.connect() as connection:
        states = {
            name: str((await connection.exec_driver_sql(f"SHOW {name}")).scalar())
            for name in ("fsync", "synchronous_commit")
        }
    todo = "remettez-le à on : une coupure de courant perdrait des invitations acceptées"
    off = [name for name, state in states.items() if state == "off"]
    return [Finding("bad", "base", f"PostgreSQL : {name} est à off", todo) for name in off]


async def feeds(settings: Settings) -> list[Finding]:
    """Each feed's port can be opened, and its list of senders is neither empty nor everybody."""
    if not settings.feeds:
        todo = "ajoutez [[feeds]] : sans flux, les liens aux appels se font à la main"
        return [Finding("warn", "flux", "aucun flux du standard", todo)]
    found: list[Finding] = []
    for feed in settings.feeds:
        if listens := feed.listens():
            found.append(_port(feed.name, *listens))
        if isinstance(feed, Switchboard):
            found.append(await _signs_in(feed))
        if (senders := feed.senders()) is not None:
            found += _allowed(feed.name, senders)
        if feed.bursts:
            found += room_to_receive(feed.name, *receive_buffer())
        if feed.forgeable():
            todo = "donnez auth_key ici et à l'agent de capture"
            found.append(Finding("warn", "flux", f"{feed.name} : sans auth_key", todo))
    return found


#: Switchboards that cannot be followed, by the reason of the refusal: what is wrong, and what to do.
_NOT_FOLLOWED: Final = {
    "ami_version": (
        "est un Asterisk trop ancien (AMI 1) : Visio15 ne le suit pas",
        f"il faut Asterisk 12 (AMI 2) ou plus récent ; essayées : {', '.join(TRIED['Asterisk'])}",
    ),
    "not_ami": (
        "n'est pas l'interface AMI d'un Asterisk",
        "donnez l'adresse et le port de manager.conf (5038 en clair) ; avec tls, tlsbindaddr",
    ),
    "not_esl": (
        "n'est pas l'event socket d'un FreeSWITCH",
        "donnez l'adresse et le port de event_socket.conf.xml (8021)",
    ),
}
#: By kind of source: what is refused when it is not the account.
_NOT_TOLD: Final = {
    "dialog-info": (
        "refuse l'abonnement",
        "le standard sert-il la présence (contrib/kamailio-presence.cfg) ?",
    ),
}


async def _signs_in(feed: Switchboard) -> Finding:
    where = f"{feed.name} : {feed.host}:{feed.port}"
    try:
        switchboard = await feed.probe()
    except OSError as error:
        what, todo = _unreached(feed, error)
        return Finding("bad", "flux", f"{where} {what}", todo)
    named = f" ({switchboard})" if switchboard else ""
    tried = tried_instead(switchboard)
    if not tried:
        return Finding("ok", "flux", f"{where} : connecté et identifié{named}")
    text = f"{where} : connecté et identifié{named}, version jamais essayée avec Visio15"
    todo = f"essayées : {tried} ; comparez un appel, une garde et un transfert avec les postes"
    return Finding("warn", "flux", text, todo)


def _unreached(feed: Switchboard, error: OSError) -> tuple[str, str]:
    """Say why a switchboard was not signed in to, and what to do."""
    match error:
        case AuthorityUnreadableError():
            todo = "tls_ca doit nommer un certificat PEM que le compte du service peut lire"
            return f": {error} ne se lit pas", todo
        case ssl.SSLCertVerificationError():
            todo = "donnez tls_ca, l'autorité qui a signé le certificat du standard"
            return ": certificat refusé", todo
        case ssl.SSLError():
            todo = "donnez le port TLS du standard, ou tls = false si ce port est en clair"
            return "ne parle pas TLS", todo
        case FeedRefusedError():
            return _refused(feed, str(error))
        case _:
            todo = "le standard écoute-t-il là, et le pare-feu laisse-t-il passer ?"
            return "ne répond pas", todo


def _refused(feed: Switchboard, reason: str) -> tuple[str, str]:
    """Say why a switchboard did not let us in, and what to do."""
    if reason in _NOT_FOLLOWED:
        return _NOT_FOLLOWED[reason]
    if reason != "login" and feed.kind in _NOT_TOLD:
        what, todo = _NOT_TOLD[feed.kind]
        return f"{what} ({reason})", todo
    names = " et ".join(feed.account)
    todo = f"corrigez {names} ; l'adresse de ce serveur doit être permise au standard"
    return "refuse l'identification", todo


def _port(name: str, host: str, port: int) -> Finding:
    fault = udp_free(host, port)
    if fault is None:
        return Finding("ok", "flux", f"{name} : {host}:{port}/udp peut être ouvert")
    if fault.errno == errno.EADDRINUSE:
        todo = "normal si Visio15 tourne ; sinon arrêtez l'autre programme (ss -lunp)"
        return Finding("warn", "flux", f"{name} : {host}:{port}/udp est déjà pris", todo)
    todo = "host doit être une adresse de cette machine ; un port sous 1024 demande un droit"
    return Finding("bad", "flux", f"{name} : {host}:{port}/udp ne s'ouvre pas", todo)


def room_to_receive(name: str, given: int, wanted: int) -> list[Finding]:
    """Tell of a receive buffer smaller than asked for: a burst that finds no room in it is lost."""
    if given >= wanted:
        return []
    todo = f"sysctl net.core.rmem_max={wanted}, et la même ligne dans /etc/sysctl.d/visio15.conf"
    told = f"{name} : mémoire de réception de {given // 1024} Kio accordée sur {wanted // 1024} demandés"
    return [Finding("warn", "flux", told, todo)]


def _allowed(name: str, allow: Sequence[str]) -> list[Finding]:
    if not allow:
        todo = "ajoutez l'adresse de l'agent de capture : personne n'est écouté"
        return [Finding("bad", "flux", f"{name} : allow est vide", todo)]
    found = []
    for text in allow:
        network = ip_network(text)
        todo = "réduisez allow aux adresses des agents de capture"
        if network.prefixlen == 0:
            found.append(
                Finding("bad", "flux", f"{name} : allow laisse parler tout le monde", todo)
            )
        elif network.prefixlen < WIDE[network.version]:
            found.append(Finding("warn", "flux", f"{name} : allow est très large ({text})", todo))
    return found


async def certificate(settings: Settings) -> list[Finding]:
    """The names, the end and the key of our own certificate."""
    if settings.tls_certificate is None or settings.tls_key is None:
        if not settings.secure:
            todo = "public_url en https:// : sans lui, un téléphone n'ouvre pas sa caméra"
            local = (urlsplit(settings.public_url).hostname or "") in {"localhost", "127.0.0.1"}
            return [Finding("warn" if local else "bad", "certificat", "pas de HTTPS", todo)]
        if settings.trusted_proxies:
            return [Finding("ok", "certificat", "tenu par le mandataire (trusted_proxies)")]
        todo = "donnez tls_certificate et tls_key, ou trusted_proxies si un mandataire tient TLS"
        return [Finding("bad", "certificat", "https sans certificat ni mandataire", todo)]
    try:
        judged = tls.judge(settings.tls_certificate, settings.tls_key)
    except tls.CertificateUnusable as broken:
        todo = f"{for_shell(broken)} Puis systemctl reload visio15."
        return [Finding("bad", "certificat", named(broken), todo)]
    return [_names(settings, judged), _dates(judged)]


def _names(settings: Settings, judged: tls.Judged) -> Finding:
    host = urlsplit(settings.public_url).hostname or ""
    if judged.covers(host):
        return Finding("ok", "certificat", f"vaut pour {host}, et sa clé est la bonne")
    todo = "demandez un certificat pour le nom de public_url"
    return Finding("bad", "certificat", f"ne vaut pas pour {host}", todo)


def _dates(judged: tls.Judged) -> Finding:
    now, renew = dt.datetime.now(dt.UTC), "renouvelez-le : il est relu sans redémarrer"
    end = f"{judged.end:%d/%m/%Y}"
    if now >= judged.end:
        return Finding("bad", "certificat", f"expiré le {end}", renew)
    if now < judged.start:
        return Finding(
            "bad", "certificat", "pas encore valable", "vérifiez l'horloge ou le fichier"
        )
    level = "warn" if judged.end - now < tls.SOON else "ok"
    return Finding(
        "warn" if level == "warn" else "ok",
        "certificat",
        f"valable jusqu'au {end}",
        renew if level == "warn" else "",
    )


async def clock(settings: Settings) -> list[Finding]:
    """Whether the kernel says that the clock is kept: the video is laid beside the record of line 15."""
    del settings
    state = kernel_clock()
    todo = "installez et vérifiez chrony ou systemd-timesyncd (timedatectl)"
    if state is None:
        return [Finding("warn", "horloge", "le noyau ne dit pas si elle est synchronisée", todo)]
    if state == _UNSYNCHRONISED:
        return [Finding("warn", "horloge", "pas synchronisée, ou NTP injoignable", todo)]
    return [Finding("ok", "horloge", "synchronisée")]


def kernel_clock() -> int | None:
    """Return adjtimex(2)'s state of the clock, reading only; None where there is none."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        state = int(library.adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state


async def disk(settings: Settings) -> list[Finding]:
    """Room for the database, and that it may be written."""
    folder = _existing(settings.data_dir.absolute())
    usage = shutil.disk_usage(folder)
    free = f"{usage.free / GIGABYTE:.1f} Go libres sur {folder}"
    todo = "faites de la place, ou déplacez data_dir : un disque plein arrête les invitations"
    if usage.free < GIGABYTE:
        return [Finding("bad", "disque", free, todo)]
    if usage.free < usage.total / 10:
        return [Finding("warn", "disque", free, todo)]
    return [Finding("ok", "disque", free)]


def _existing(folder: Path) -> Path:
    return next(each for each in (folder, *folder.parents) if each.exists())


EVERY: Final[tuple[Callable[[Settings], Awaitable[list[Finding]]], ...]] = (
    stored, demonstration, private, carriers, mail, turn, feeds, recordings, certificate, clock, disk,
)  # fmt: skip
