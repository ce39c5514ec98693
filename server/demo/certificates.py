"""A small local authority: phones only open a camera over HTTPS, and a demonstration has no public name.

Made at the first start and kept; the server's certificate is made again when its names change or its end is near. The
authority may only sign for this machine's names and for bare addresses: a stolen key opens no web site.
"""

import datetime as dt
import ipaddress
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ifaddr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE: Final = dt.timedelta(days=397)  # the most that browsers accept
RENEW: Final = dt.timedelta(days=30)
AUTHORITY_LIFE: Final = dt.timedelta(days=3650)
BACKDATED: Final = dt.timedelta(hours=1)  # phones whose clock is late
VIRTUAL: Final = ("docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "cni", "flannel")
PRIVATE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are: `chain` holds the server's certificate, then the authority's."""

    authority: Path
    chain: Path
    key: Path


def write_private(path: Path, data: bytes) -> None:
    """Write a secret whole, readable by its owner only from the first byte on."""
    temporary = path.with_name(path.name + ".new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(data)
    temporary.replace(path)


def ensure(folder: Path, names: Iterable[str], now: dt.datetime) -> Certificates:
    """Return certificates for `names` (hosts and addresses), made or renewed as needed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = Certificates(folder / "authority.crt", folder / "server.crt", folder / "server.key")
    authority, key = _authority(folder, files, now)
    wanted = frozenset(name for name in names if _may_sign(authority, name))
    if not _still_good(files, authority, wanted, now):
        _issue(files, authority, key, wanted, now)
    return files


def _authority(
    folder: Path, files: Certificates, now: dt.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    secret = folder / "authority.key"
    with suppress(OSError, ValueError):
        certificate = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = serialization.load_pem_private_key(secret.read_bytes(), None)
        same = certificate.public_key() == key.public_key()
        if same and isinstance(key, ec.EllipticCurvePrivateKey):
            return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _self_signed(key, now)
    write_private(secret, _pem(key))
    write_private(files.authority, certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _self_signed(key: ec.EllipticCurvePrivateKey, now: dt.datetime) -> x509.Certificate:
    host = socket.gethostname()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Visio15"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Visio15 demonstration ({host})"[:64]),
        ]
    )
    permitted: list[x509.GeneralName] = [x509.DNSName(each) for each in (*_hosts(host), "local")]
    permitted += [x509.IPAddress(ipaddress.ip_network(net)) for net in ("0.0.0.0/0", "::/0")]
    usage = _usage(key_cert_sign=True, crl_sign=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        _base(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue(
    files: Certificates,
    authority: x509.Certificate,
    signer: ec.EllipticCurvePrivateKey,
    names: frozenset[str],
    now: dt.datetime,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Visio15")])
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    server = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        _base(subject, authority.subject, key.public_key(), now, LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(server, critical=False)
        .add_extension(x509.SubjectAlternativeName(_general(names)), critical=False)
        .add_extension(identifier, critical=False)
        .add_extension(issued_by, critical=False)
        .sign(signer, hashes.SHA256())
    )
    both = (each.public_bytes(serialization.Encoding.PEM) for each in (certificate, authority))
    write_private(files.key, _pem(key))
    write_private(files.chain, b"".join(both))


def _base(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now - BACKDATED + life)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _may_sign(authority: x509.Certificate, name: str) -> bool:
    """Tell whether the authority's constraints allow a name: one that is not spoils the whole certificate."""
    bounds = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    hosts = [
        each.value for each in bounds.permitted_subtrees or () if isinstance(each, x509.DNSName)
    ]
    general = _general([name])[0]
    return isinstance(general, x509.IPAddress) or any(
        name == host or name.endswith(f".{host}") for host in hosts
    )


def _still_good(
    files: Certificates, authority: x509.Certificate, names: frozenset[str], now: dt.datetime
) -> bool:
    with suppress(OSError, ValueError, x509.ExtensionNotFound):
        certificate, root = x509.load_pem_x509_certificates(files.chain.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        key = serialization.load_pem_private_key(files.key.read_bytes(), None)
        return (
            root == authority
            and set(found) == set(_general(names))
            and certificate.public_key() == key.public_key()
            and certificate.not_valid_after_utc - now > RENEW
        )
    return False


def _general(names: Iterable[str]) -> list[x509.GeneralName]:
    made: list[x509.GeneralName] = []
    for name in sorted(names):
        try:
            made.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            made.append(x509.DNSName(name))
    return made


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _hosts(host: str) -> tuple[str, ...]:
    """Return the DNS names of this machine; a host name that is not one is left out."""
    plain = host.lower().rstrip(".")
    fits = plain.isascii() and plain.replace("-", "").replace(".", "").isalnum()
    return ("localhost", plain) if fits and plain != "localhost" else ("localhost",)


def lan_addresses() -> list[str]:
    """Return this machine's IPv4 addresses that a phone nearby may reach, the likeliest first."""
    found = [
        str(each.ip)
        for adapter in ifaddr.get_adapters()
        if not adapter.nice_name.startswith(VIRTUAL)
        for each in adapter.ips
        if each.is_IPv4 and not ipaddress.ip_address(str(each.ip)).is_loopback
        and not ipaddress.ip_address(str(each.ip)).is_link_local
    ]  # fmt: skip
    first = _outward()
    return sorted(found, key=lambda address: address != first)


def _outward() -> str | None:
    """Return the address this machine would talk to the outside from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except (OSError, RuntimeError):  # RuntimeError: the tests' guard against the outside
            return None
        return str(probe.getsockname()[0])


def local_names() -> list[str]:
    """Return every name and address this machine's server may be called by."""
    return [*_hosts(socket.gethostname()), "127.0.0.1", "::1", *lan_addresses()]
