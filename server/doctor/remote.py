"""The doctor's checks of others: SMS carriers, mail relay, TURN relay. Nothing is sent to anybody."""

import asyncio
import re
import socket
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

import aiosmtplib
from aioice import stun
from aioice import turn as relay

from server.app.settings.settings import Settings
from server.core.clock import SystemClock
from server.delivery.carriers.registry import in_order
from server.delivery.settings import SmtpSettings
from server.doctor.finding import Finding
from server.doctor.net import SECONDS, answers, web_port
from server.video.service.ice import ice_servers

_TURN: Final = re.compile(r"(turns?):(\[[^\]]+\]|[^:?]+)(?::(\d+))?(?:\?transport=(udp|tcp))?")


async def carriers(settings: Settings) -> list[Finding]:
    """Each SMS carrier's address answers, and every number has a carrier."""
    configured = in_order(settings.sms, settings.carriers)
    if not configured:
        level = "warn" if settings.demo else "bad"
        todo = "ajoutez [sms] ou [[carriers]] : aucun lien ne part par SMS"
        return [Finding("warn" if level == "warn" else "bad", "SMS", "aucun opérateur", todo)]
    found = list(
        await asyncio.gather(*(_carrier(each.planned().name, each.address) for each in configured))
    )
    if not settings.sms and all(each.prefixes for each in settings.carriers):
        todo = "donnez un opérateur sans prefixes, pour les numéros que personne ne prend"
        found.append(Finding("warn", "SMS", "certains numéros n'ont pas d'opérateur", todo))
    return found


async def _carrier(name: str, url: str) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or "", web_port(url)
    fault = await answers(host, port, tls=parts.scheme == "https")
    if fault is None:
        return Finding("ok", "SMS", f"{name} répond ({host}:{port})")
    todo = "vérifiez url et le pare-feu (visio15 doctor --desk)"
    return Finding("bad", "SMS", f"{name} ({host}:{port}) : {fault}", todo)


async def mail(settings: Settings) -> list[Finding]:
    """The relay says EHLO, speaks TLS if asked, and takes the password; no mail is sent."""
    if settings.smtp is None and settings.demo:
        return [Finding("warn", "e-mail", "boîte d'envoi de la démonstration : rien ne part")]
    smtp = settings.smtp or SmtpSettings()
    where = f"{smtp.host}:{smtp.port}"
    client = aiosmtplib.SMTP(
        hostname=smtp.host,
        port=smtp.port,
        use_tls=smtp.tls == "tls",
        start_tls=smtp.tls == "starttls",
        timeout=min(smtp.timeout, SECONDS),
    )
    try:
        await client.connect()
        await client.ehlo()
        if smtp.username and smtp.password:
            await client.login(smtp.username, smtp.password.get_secret_value())
        await client.quit()
    except aiosmtplib.SMTPAuthenticationError:
        return [_bad_mail(where, "refuse le compte", "vérifiez smtp.username et smtp.password")]
    except ssl.SSLError:
        return [
            _bad_mail(where, "TLS refusé", "vérifiez smtp.tls, le nom et l'autorité du certificat")
        ]
    except (aiosmtplib.SMTPException, OSError) as fault:
        todo = "vérifiez smtp.host, smtp.port, smtp.tls et le pare-feu"
        return [_bad_mail(where, f"ne convient pas ({type(fault).__name__})", todo)]
    finally:
        client.close()
    return [Finding("ok", "e-mail", f"{where} accepte la connexion (tls = {smtp.tls})")]


def _bad_mail(where: str, text: str, todo: str) -> Finding:
    return Finding("bad", "e-mail", f"{where} {text}", todo)


async def turn(settings: Settings) -> list[Finding]:
    """A real allocation on each TURN address, with credentials as a desk gets them."""
    if not settings.ice.turn or settings.ice.turn_secret is None:
        todo = "ajoutez ice.turn : sans relais, beaucoup de téléphones n'ont pas d'image"
        return [Finding("warn", "relais", "aucun relais TURN", todo)]
    credentials = _credentials(settings)
    return list(await asyncio.gather(*(_allocate(url, *credentials) for url in settings.ice.turn)))


async def _allocate(url: str, user: str, password: str) -> Finding:
    found = _TURN.fullmatch(url)
    if found is None:
        return Finding(
            "bad", "relais", f"{url} n'est pas une adresse TURN", "turn:HÔTE:3478?transport=udp"
        )
    secure = found.group(1) == "turns"
    host, port = found.group(2).strip("[]"), int(found.group(3) or (5349 if secure else 3478))
    try:
        async with asyncio.timeout(SECONDS):
            address = await _address(host, port)
            transport, _ = await relay.create_turn_endpoint(
                asyncio.DatagramProtocol,
                address,
                username=user,
                password=password,
                ssl=_context() if secure else None,
                transport="tcp" if secure else found.group(4) or "udp",
            )
    except stun.TransactionFailed as refused:
        code = refused.response.attributes.get("ERROR-CODE", (0, ""))[0]
        todo = "turn_secret doit être le static-auth-secret de coturn, et les horloges d'accord"
        return Finding("bad", "relais", f"{url} refuse (erreur {code})", todo)
    except (TimeoutError, OSError, stun.TransactionError) as fault:
        todo = "vérifiez que coturn tourne, et le pare-feu (visio15 doctor --desk)"
        return Finding("bad", "relais", f"{url} ne répond pas ({type(fault).__name__})", todo)
    relayed = transport.get_extra_info("sockname")
    transport.close()
    await asyncio.sleep(0.1)  # lets the release of the allocation leave
    return Finding("ok", "relais", f"{url} a prêté {relayed[0] if relayed else 'une adresse'}")


def _credentials(settings: Settings) -> tuple[str, str]:
    servers: Any = ice_servers(settings.ice, SystemClock()).for_session("doctor")["iceServers"]
    return servers[-1]["username"], servers[-1]["credential"]


def _context() -> ssl.SSLContext:
    """Encrypt without judging the name: coturn is called by its address here; browsers judge it themselves."""
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


async def _address(host: str, port: int) -> tuple[str, int]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return str(found[0][4][0]), port
