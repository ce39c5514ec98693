"""A renewed certificate is served to new connections; a broken, expired or foreign one is not, and is told."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import structlog.testing
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from tornado.httpserver import HTTPServer
from tornado.web import Application

from server.app.runtime import tls
from server.app.settings.settings import load
from server.cli import main as cli
from server.core.words.for_shell import SENTENCES as SHELL
from tests.lab.ports import free_port
from tests.lab.process import until

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "0123456789abcdef" * 4


def issue(folder: Path, name: str, days: int = 90, *, key: bool = True) -> tuple[Path, Path]:
    """Write a self-signed certificate for `name`; `key` False leaves the old key there."""
    secret = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=200)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(dt.datetime.now(dt.UTC) + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate, file = folder / "cert.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    if key:
        file.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, file


async def served(port: int) -> str:
    """Return the name in the certificate that a new connection gets."""
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=blind)
    der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    await writer.wait_closed()
    return x509.load_der_x509_certificate(der).subject.rfc4514_string()


async def test_new_connections_get_the_new_one_and_never_a_broken_one(tmp_path: Path) -> None:
    certificate, key = issue(tmp_path, "old.example")
    port = free_port()
    http = HTTPServer(Application(), ssl_options=tls.context(certificate, key))
    http.listen(port, "127.0.0.1")
    reloader = tls.Reloader(
        certificate, key, lambda made: setattr(http, "ssl_options", made), seconds=0.05
    )
    watch = asyncio.get_running_loop().create_task(reloader.run())
    try:
        assert await served(port) == "CN=old.example"
        with structlog.testing.capture_logs() as logs:
            certificate.write_text("not a certificate")
            await until(lambda: len(logs) == 1, "a broken file is told")
            issue(tmp_path, "mismatched.example", key=False)
            await until(lambda: len(logs) == 2, "a foreign key is told")
            issue(tmp_path, "expired.example", days=-1)
            await until(lambda: len(logs) >= 3, "an expired one is told")
            assert {line["event"] for line in logs} == {"tls.reload_refused"}
            assert [line["why"] for line in logs[:3]] == ["unreadable", "key_foreign", "not_today"]
            assert await served(port) == "CN=old.example"
            key.unlink()
            before = len(logs)
            reloader.ask()
            await until(lambda: len(logs) > before, "a missing key is told")
            issue(tmp_path, "new.example")
            await until(lambda: logs[-1]["event"] == "tls.reloaded", "the new one is taken")
        assert await served(port) == "CN=new.example"
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        http.stop()
        await http.close_all_connections()


def test_a_mismatched_key_is_a_sentence_not_a_taken_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = issue(tmp_path, "old.example")
    issue(tmp_path, "new.example", key=False)
    settings: dict[str, Any] = {
        "SECRET_KEY": SECRET,
        "DATA_DIR": str(tmp_path),
        "TLS_CERTIFICATE": str(certificate),
        "TLS_KEY": str(key),
        "PORT": str(free_port()),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"VISIO15_{name}", value)
    status = cli.run(load())
    assert status == 2
    told = CliRunner().invoke(cli.main, ["serve"])
    assert told.exit_code == 2
    sentence = SHELL["certificate_unusable.key_foreign"].format(key=key, certificate=certificate)
    line = f"Démarrage impossible. certificate_unusable (key_foreign): {sentence}"
    assert told.output.strip().splitlines()[-1] == line


@pytest.mark.parametrize(
    ("names", "host", "covered"),
    [
        ({"v.example"}, "v.example", True),
        ({"*.example"}, "v.example", True),
        ({"*.example"}, "a.v.example", False),
        ({"192.0.2.1"}, "192.0.2.1", True),
        ({"*.0.2.1"}, "192.0.2.1", False),
        (set(), "v.example", False),
    ],
)
def test_names(names: set[str], host: str, *, covered: bool) -> None:
    now = dt.datetime.now(dt.UTC)
    assert tls.Judged(frozenset(names), now, now).covers(host) is covered
