"""The doctor finds what is wrong, says what to do, ends with 1, and never shows a secret."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from server.app.settings.settings import Settings, load
from server.cli import main as cli
from server.doctor import checks as doctor_checks
from server.doctor import exposure as doctor_private
from server.doctor import remote as doctor_remote
from server.doctor.ports import matrix
from server.doctor.recordings import recordings
from tests.lab.ports import free_port
from tests.lab.smtp import smtp
from tests.lab.switchboard.presence import PASSWORD, WATCHER, presence
from tests.server.app.runtime.test_tls import issue
from tests.telephony.sources.ami.player import AmiServer, serving
from tests.telephony.sources.esl.player import EslServer, serving_esl

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hush-" + "0123456789abcdef" * 4


def settings(**given: Any) -> Settings:
    return load(secret_key=SECRET, **given)


def levels(found: list[Any]) -> list[str]:
    return [finding.level for finding in found]


async def test_mail() -> None:
    async with smtp() as box:
        good = {"host": box.host, "port": box.port}
        assert levels(await doctor_remote.mail(settings(smtp=good))) == ["ok"]
        for more in ({"tls": "starttls"}, {"username": "u", "password": "hush"}):
            [found] = await doctor_remote.mail(settings(smtp={**good, **more}))
            assert found.level == "bad"
            assert found.do
        assert box.mails == []
    [gone] = await doctor_remote.mail(settings(smtp=good))
    assert gone.level == "bad"


async def test_carriers() -> None:
    async with smtp() as box:
        one = {"preset": "kannel", "name": "k", "username": "u", "password": "hush"}
        near = {**one, "url": f"http://{box.host}:{box.port}/s", "prefixes": ["+33"]}
        gone = {**one, "name": "g", "url": f"http://127.0.0.1:{free_port()}/s", "prefixes": ["+1"]}
        found = await doctor_remote.carriers(settings(carriers=[near, gone]))
        assert levels(found) == ["ok", "bad", "warn"]
        assert "hush" not in str(found)
    assert levels(await doctor_remote.carriers(settings())) == ["bad"]


async def test_a_relay_that_is_not_there() -> None:
    ice = {"turn": [f"turn:127.0.0.1:{free_port()}?transport=tcp", "turn://x"], "turn_secret": "h"}
    assert levels(await doctor_remote.turn(settings(ice=ice))) == ["bad", "bad"]


async def test_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_checks, "receive_buffer", lambda: (4096, 4096))

    def feed(**more: Any) -> Settings:
        given = {"kind": "hep", "site": "s", "port": free_port(), "auth_key": "x", **more}
        return settings(feeds=[given])

    cases = [
        (feed(), ["ok"]),
        (feed(allow=["0.0.0.0/0"]), ["ok", "bad"]),
        (feed(allow=["10.0.0.0/8"], auth_key=None), ["ok", "warn", "warn"]),
        (feed(allow=[]), ["ok", "bad"]),
        (feed(host="192.0.2.1"), ["bad"]),
        (settings(), ["warn"]),
    ]
    for given, expected in cases:
        assert levels(await doctor_checks.feeds(given)) == expected


async def test_a_small_receive_buffer_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(doctor_checks, "receive_buffer", lambda: (212_992, 4 * 1024 * 1024))
    given = {"kind": "hep", "site": "s", "port": free_port(), "auth_key": "x"}
    port, buffer = await doctor_checks.feeds(settings(feeds=[given]))
    assert (port.level, buffer.level) == ("ok", "warn")
    assert "208 Kio accordée sur 4096" in buffer.text
    assert "net.core.rmem_max=4194304" in buffer.do


async def test_a_switchboard_is_signed_in_to() -> None:
    async with serving(AmiServer()) as pbx:
        for secret, level, told in (
            (pbx.secret, "ok", "connecté"),
            ("another", "bad", "refuse l'identification"),
        ):
            feed = {"kind": "ami", "site": "s", "username": pbx.username, "secret": secret}
            (finding,) = await doctor_checks.feeds(settings(feeds=[feed | {"port": pbx.port}]))
            assert (finding.level, told in finding.text) == (level, True)
    (finding,) = await doctor_checks.feeds(settings(feeds=[feed | {"port": free_port()}]))
    assert (finding.level, "ne répond pas" in finding.text) == ("bad", True)


@pytest.mark.parametrize(
    ("given", "level", "text", "do"),
    [
        ({}, "ok", "(Asterisk 22.10.0, AMI 11.0.0)", ""),
        ({"version": "24.0.1"}, "warn", "Asterisk 24.0.1", "Asterisk 22.10, 23.4"),
        ({"version": ""}, "ok", "(AMI 11.0.0)", ""),
        (
            {"version": "", "greeting": b"Asterisk Call Manager/x\r\n"},
            "warn",
            "(AMI ?)",
            "AMI 11, 12",
        ),
        ({"greeting": b"Asterisk Call Manager/1.3\r\n"}, "bad", "trop ancien", "Asterisk 12"),
        ({"greeting": b"SSH-2.0-OpenSSH_9.2\r\n"}, "bad", "n'est pas l'interface AMI", "5038"),
    ],
)
async def test_a_switchboard_s_version_is_told_and_judged(
    given: dict[str, Any], level: str, text: str, do: str
) -> None:
    async with serving(AmiServer(**given)) as pbx:
        feed = {"kind": "ami", "site": "s", "username": pbx.username, "secret": pbx.secret}
        (finding,) = await doctor_checks.feeds(settings(feeds=[feed | {"port": pbx.port}]))
        assert (finding.level, text in finding.text, do in finding.do) == (level, True, True)
        feed["tls"] = True
        (finding,) = await doctor_checks.feeds(settings(feeds=[feed | {"port": pbx.port}]))
        assert (finding.level, "ne parle pas TLS" in finding.text) == ("bad", True)


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_authority_that_cannot_be_read_is_not_the_switchboard_s_fault(
    tmp_path: Path, content: str | None
) -> None:
    authority = tmp_path / "authority.pem"
    if content is not None:
        authority.write_text(content)
    feed = {"kind": "ami", "site": "s", "username": "u", "secret": "x", "port": free_port()}
    (finding,) = await doctor_checks.feeds(
        settings(feeds=[feed | {"tls": True, "tls_ca": str(authority)}])
    )
    assert (finding.level, "authority.pem ne se lit pas" in finding.text) == ("bad", True)


async def test_a_freeswitch_s_version_is_told_and_judged() -> None:
    async with serving_esl(EslServer()) as pbx:
        feed = {"kind": "esl", "site": "s", "password": pbx.password, "port": pbx.port}
        (finding,) = await doctor_checks.feeds(settings(feeds=[feed]))
        assert (finding.level, "(FreeSWITCH 1.10.12)" in finding.text) == ("ok", True)
        pbx.version = "FreeSWITCH Version 1.6.20~64bit ( 64bit)"
        (finding,) = await doctor_checks.feeds(settings(feeds=[feed]))
        assert (finding.level, "FreeSWITCH 1.10.12" in finding.do) == ("warn", True)


async def test_a_freeswitch_is_signed_in_to() -> None:
    async with serving_esl(EslServer()) as pbx, serving_esl(EslServer(acl=False)) as closed:
        for server, password, level, told in (
            (pbx, pbx.password, "ok", "connecté"),
            (pbx, "another", "bad", "refuse l'identification"),
            (closed, pbx.password, "bad", "refuse l'identification"),
        ):
            feed = {"kind": "esl", "site": "s", "password": password, "port": server.port}
            (finding,) = await doctor_checks.feeds(settings(feeds=[feed]))
            assert (finding.level, told in finding.text) == (level, True)
    (finding,) = await doctor_checks.feeds(settings(feeds=[feed | {"port": free_port()}]))
    assert (finding.level, "ne répond pas" in finding.text) == ("bad", True)


async def test_a_presence_server_is_asked() -> None:
    async with presence("127.0.0.1:9") as switchboard:
        feed = {"kind": "dialog-info", "site": "s", "username": WATCHER, "domain": "127.0.0.1"}
        feed |= {"port": switchboard.port}
        for more, expected in (
            ({"password": PASSWORD, "transport": "tcp"}, ["ok"]),
            ({"password": PASSWORD}, ["ok"]),
            ({"password": "another"}, ["bad"]),
        ):
            found = await doctor_checks.feeds(settings(feeds=[feed | more]))
            assert levels(found) == expected, found
        assert "refuse l'identification" in found[0].text
        assert "password" in found[0].do


@pytest.mark.parametrize(
    ("name", "days", "key", "expected"),
    [
        ("v.example", 90, True, ["ok", "ok"]),
        ("v.example", 5, True, ["ok", "warn"]),
        ("v.example", -1, True, ["ok", "bad"]),
        ("other.example", 90, True, ["bad", "ok"]),
        ("v.example", 90, False, ["bad"]),
    ],
)
async def test_the_certificate(
    tmp_path: Path, name: str, days: int, expected: list[str], *, key: bool
) -> None:
    issue(tmp_path, "first.example")
    certificate, secret = issue(tmp_path, name, days, key=key)
    given = settings(public_url="https://v.example", tls_certificate=certificate, tls_key=secret)
    assert levels(await doctor_checks.certificate(given)) == expected


async def test_what_is_wrong_with_the_certificate_is_said_by_its_code(tmp_path: Path) -> None:
    certificate, key = issue(tmp_path, "v.example")
    key.write_text("no key")
    given = settings(public_url="https://v.example", tls_certificate=certificate, tls_key=key)
    (finding,) = await doctor_checks.certificate(given)
    assert finding.text == "certificate_unusable (key_unreadable)"
    assert finding.do == (
        f"{key} n'est pas une clé PEM lisible et sans mot de passe. Puis systemctl reload visio15."
    )


async def test_https_needs_somebody_who_speaks_it() -> None:
    given = {"public_url": "https://v.example"}
    assert levels(await doctor_checks.certificate(settings(**given))) == ["bad"]
    proxied = settings(**given, trusted_proxies=["127.0.0.1"])
    assert levels(await doctor_checks.certificate(proxied)) == ["ok"]


async def test_clock_and_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for state, expected in ((0, "ok"), (5, "warn"), (None, "warn")):
        monkeypatch.setattr(doctor_checks, "kernel_clock", lambda state=state: state)
        assert levels(await doctor_checks.clock(settings())) == [expected]
    usage = type(shutil.disk_usage(tmp_path))
    given = settings(data_dir=tmp_path / "not" / "yet")
    for free, expected in ((10**8, "bad"), (2 * 10**9, "warn"), (5 * 10**10, "ok")):
        full = usage(10**11, 10**11 - free, free)
        monkeypatch.setattr(doctor_checks.shutil, "disk_usage", lambda _folder, full=full: full)
        assert levels(await doctor_checks.disk(given)) == [expected]


def test_the_command_ends_with_one_and_tells_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISIO15_SECRET_KEY", SECRET)
    monkeypatch.setenv("VISIO15_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VISIO15_SMTP__PORT", str(free_port()))
    told = CliRunner().invoke(cli.main, ["doctor"])
    assert told.exit_code == 1, told.output
    for part in ("base", "SMS", "e-mail", "relais", "flux", "certificat", "horloge", "disque"):
        assert f" {part} : " in told.output
    assert "visio15 migrate" in told.output
    monkeypatch.setenv("VISIO15_PORT", "hush")
    told = CliRunner().invoke(cli.main, ["doctor"])
    assert told.exit_code == 1
    assert "port: il faut un nombre entier" in told.output
    assert "hush" not in told.output


def test_the_port_matrix_has_ports_and_no_secret() -> None:
    carrier = {"preset": "twilio", "name": "t", "account": "AC", "token": "hush"}
    text = matrix(
        settings(
            public_url="https://v.example",
            trusted_proxies=["192.0.2.0/24"],
            sms={"url": "http://gw.example:13013/s?password=hush&to={to}"},
            carriers=[carrier],
            smtp={"host": "mail.example", "port": 587, "tls": "starttls"},
            ice={"turn": ["turns:turn.example:443?transport=tcp"], "turn_secret": "hush"},
            feeds=[{"kind": "hep", "site": "s", "port": 9061, "allow": ["192.0.2.7/32"]}],
        )
    )
    for shown in ("443/tcp", "8015/tcp", "13013/tcp", "587/tcp", "9061/udp", "192.0.2.7/32"):
        assert shown in text
    assert "hush" not in text


async def test_files_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, config, key = tmp_path / "data", tmp_path / "visio15.toml", tmp_path / "key.pem"
    folder.mkdir(mode=0o700)
    for file in (folder / "visio15.db", folder / "visio15.db-wal", config, key):
        file.touch(0o600)
    certificate = tmp_path / "cert.pem"
    certificate.touch()
    given = settings(data_dir=folder, tls_certificate=str(certificate), tls_key=str(key))
    monkeypatch.setenv("VISIO15_CONFIG", str(config))
    assert levels(await doctor_private.private(given)) == ["ok"]
    config.chmod(0o640)  # the service's group may read it
    assert levels(await doctor_private.private(given)) == ["ok"]
    for file in (folder / "visio15.db-wal", config, key):
        file.chmod(0o644)
    folder.chmod(0o755)
    found = await doctor_private.private(given)
    assert levels(found) == ["bad", "bad", "bad", "warn"]
    assert [finding.do for finding in found] == [
        f"chmod 600 {folder}/visio15.db-wal",
        f"chmod o= {key}",
        f"chmod o= {config}",
        f"chmod 700 {folder}",
    ]


async def test_a_demonstration_is_never_ticked(tmp_path: Path) -> None:
    given = settings(data_dir=tmp_path, demo=True)
    [found] = await doctor_private.demonstration(given)
    assert found.level == "warn"
    assert "sans identification" in found.text
    assert levels(await doctor_remote.mail(given)) == ["warn"]
    assert await doctor_private.demonstration(settings(data_dir=tmp_path)) == []


async def test_folders_of_recordings(tmp_path: Path) -> None:
    there = {"site": "s", "name": "a", "root": str(tmp_path)}
    away = {"site": "s", "name": "b", "root": str(tmp_path / "mnt")}
    found = await recordings(settings(recordings=[there, away]))
    assert levels(found) == ["ok", "bad"]
    assert found[1].do
