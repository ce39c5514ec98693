"""The port matrix, from the settings as they are: what the hospital's firewall has to let through."""

from urllib.parse import urlsplit

from server.app.settings.settings import Settings
from server.delivery.carriers.registry import in_order
from server.delivery.settings import SmtpSettings
from server.doctor.net import web_port

PortRow = tuple[str, str, str, str]
HEADS: PortRow = ("de", "vers", "port", "pour")


def matrix(settings: Settings) -> str:
    """Return the table as text; addresses and ports only, never a path or a secret."""
    rows = [HEADS, *_web(settings), *_feeds(settings), *_turn(settings), *_out(settings)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    lines.insert(1, "  ".join("-" * w for w in widths))
    return "\n".join(line.rstrip() for line in lines)


def _web(settings: Settings) -> list[PortRow]:
    parts = urlsplit(settings.public_url)
    host, port = parts.hostname or "", f"{web_port(settings.public_url)}/tcp"
    here = f"{settings.port}/tcp"
    rows = [
        ("postes, téléphones", host, port, "pages et signalisation (WebSocket)"),
        ("téléphones", "postes", "tous/udp", "image directe, si le réseau le permet"),
    ]
    if settings.trusted_proxies:
        rows.append(
            (", ".join(settings.trusted_proxies), settings.listen or "*", here, "mandataire")
        )
    carriers = in_order(settings.sms, settings.carriers)
    bases = {each.receipt_base or settings.public_url for each in carriers}
    rows += [
        (
            "opérateurs SMS",
            urlsplit(base).hostname or "",
            f"{web_port(base)}/tcp",
            "accusés de réception (/receipts/)",
        )
        for base in sorted(bases)
    ]
    return rows


def _feeds(settings: Settings) -> list[PortRow]:
    return [port for feed in settings.feeds for port in feed.ports()]


def _turn(settings: Settings) -> list[PortRow]:
    rows: list[PortRow] = []
    for url in (*settings.ice.stun, *settings.ice.turn):
        scheme, _, rest = url.partition(":")
        address, _, query = rest.partition("?")
        host, _, port = address.partition(":")
        transport = "tcp" if scheme.endswith("s") or "transport=tcp" in query else "udp"
        port = port or ("5349" if scheme.endswith("s") else "3478")
        rows.append(("postes, téléphones", host, f"{port}/{transport}", f"relais ({scheme})"))
    if settings.ice.turn:
        rows.append(
            (
                "postes, téléphones",
                "relais",
                "min-port-max-port/udp",
                "images relayées (turnserver.conf)",
            )
        )
    return rows


def _out(settings: Settings) -> list[PortRow]:
    smtp = settings.smtp or SmtpSettings()
    rows = [("Visio15", smtp.host, f"{smtp.port}/tcp", f"e-mail (tls = {smtp.tls})")]
    for each in in_order(settings.sms, settings.carriers):
        url, kind = each.address, "SMS, horloge signée" if each.signs_time else "SMS"
        use = f"{kind} ({each.planned().name})"
        rows.append(("Visio15", urlsplit(url).hostname or "", f"{web_port(url)}/tcp", use))
    if settings.database and "sqlite" not in settings.database:
        at = urlsplit(settings.database)
        rows.append(("Visio15", at.hostname or "", f"{at.port or 5432}/tcp", "base de données"))
    return rows
