"""A wrong configuration is told whole, before anything starts, and no secret is ever in a message."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from server.app.settings.settings import ConfigurationError, Settings, load
from server.cli import main as cli
from server.core.net.hosts import known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "hush-" + "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Nothing of the machine's own environment; sets what a test names."""
    for name in list(os.environ):
        if name.startswith("VISIO15_"):
            monkeypatch.delenv(name)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"VISIO15_{name}", value)

    return put


def problems(**overrides: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as wrong:
        load(**overrides)
    assert str(wrong.value) == "\n".join(wrong.value.problems)
    return wrong.value.problems


def where(found: list[str]) -> set[str]:
    return {problem.partition(":")[0] for problem in found}


# --- all at once -----------------------------------------------------------------------------------
def test_every_problem_is_told_at_once(environment: Callable[..., None], tmp_path: Path) -> None:
    environment(
        SECRET_KEY="short",
        PUBLIC_URL="visio15.example",
        PORT="99999",
        DEMO="perhaps",
        LINK_MINUTES="0",
        GRACE_SECONDS="soon",
        LOG_LEVEL="LOUD",
        TLS_CERTIFICATE=str(tmp_path / "none.pem"),
        FEEDS="{not json",
        SMS='{"method": "PUT", "accepted": "(", "urls": "http://x"}',
        SMTP='{"port": "x", "tls": "yes"}',
        ICE='{"turn": ["turn:turn.example"], "ttl": 1}',
        TYPO="1",
        CONFIG=str(tmp_path / "none.toml"),
    )
    assert where(problems()) == {
        "VISIO15_CONFIG",
        "VISIO15_TYPO",
        "secret_key",
        "public_url",
        "port",
        "demo",
        "link_minutes",
        "grace_seconds",
        "log_level",
        "tls_certificate",
        "feeds",
        "sms.url",
        "sms.method",
        "sms.accepted",
        "sms.urls",
        "smtp.port",
        "smtp.tls",
        "ice.ttl",
        "ice.turn_secret",
    }


def test_nothing_at_all_asks_for_the_one_thing_it_needs() -> None:
    assert where(problems()) == {"secret_key"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"public_url": "https://"}, "public_url"),
        ({"public_url": "https://visio15.example/path"}, "public_url"),
        ({"public_url": "ftp://visio15.example"}, "public_url"),
        ({"public_url": "javascript:alert(1)"}, "public_url"),
        ({"public_url": "https://[::1"}, "public_url"),
        ({"public_url": "https://somebody@visio15.example"}, "public_url"),
        ({"extra_origins": ["https://visio15.example", "second.example"]}, "extra_origins.1"),
        ({"extra_origins": ["https://second.example/path"]}, "extra_origins.0"),
        ({"spoken_address": "samu 37.example/c"}, "spoken_address"),
        ({"spoken_address": "/c"}, "spoken_address"),
        ({"ice": {"turn": ["turn:t.example"]}}, "ice.turn_secret"),
        ({"feeds": [{"kind": "hep"}]}, "feeds.0.hep.site"),
        ({"feeds": [{"kind": "hep", "site": "s", "allow": ["everybody"]}]}, "feeds.0.hep.allow.0"),
        ({"feeds": [{"kind": "hep", "site": "s", "port": 70000}]}, "feeds.0.hep.port"),
        ({"feeds": [{"kind": "smoke", "site": "s"}]}, "feeds.0"),
        ({"feeds": [{"site": "s"}]}, "feeds.0"),
        ({"feeds": [{"kind": "replay", "site": "s", "speeed": 2}]}, "feeds.0.replay.speeed"),
        ({"sms": {"url": "u", "acccepted": "x"}}, "sms.acccepted"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], named: str) -> None:
    assert where(problems(secret_key=SECRET, **given)) == {named}


@pytest.mark.parametrize("url", ["https://visio15.chu-orléans.example", "https://v.example."])
@pytest.mark.parametrize("key", ["public_url", "extra_origins"])
def test_a_name_that_browsers_write_otherwise_is_refused(url: str, key: str) -> None:
    """They compare origins letter by letter, and an SMS would lose the accents."""
    [problem] = problems(secret_key=SECRET, **{key: url if key == "public_url" else [url]})
    assert "xn--" in problem
    assert "point final" in problem


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.touch()
    [problem] = problems(secret_key=SECRET, tls_certificate=file)
    assert "tls_key" in problem


# --- unknown names ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["PUBLC_URL", "SMS_URL", "DATABASE_URL", "SECRET"])
def test_a_misspelt_variable_is_told(environment: Callable[..., None], name: str) -> None:
    environment(SECRET_KEY=SECRET, **{name: "x"})
    assert where(problems()) == {f"VISIO15_{name}"}


def test_other_programs_variables_are_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIO_PORT", "x")
    monkeypatch.setenv("PORT", "x")
    assert load(secret_key=SECRET).port == 8015


# --- secrets ---------------------------------------------------------------------------------------
def everything() -> dict[str, Any]:
    """Settings with a secret wherever there can be one; each holds the word `hush`."""
    return {
        "secret_key": SECRET,
        "database": "postgresql+asyncpg://visio15:hush-db@db.example/visio15",
        "sms": {
            "url": "http://gateway.example/send?password=hush-sms&to={to}",
            "method": "POST",
            "body": '{"key": "hush-body"}',
            "headers": {"Authorization": "Bearer hush-header"},
        },
        "smtp": {"username": "visio15", "password": "hush-smtp"},
        "ice": {"turn": ["turn:t.example"], "turn_secret": "hush-turn"},
        "feeds": [
            {"kind": "hep", "site": "s", "auth_key": "hush-hep"},
            {
                "kind": "pyvoip",
                "site": "s",
                "server": "pbx.example",
                "extension": "1699",
                "password": "hush-sip",
            },
        ],
    }


def test_no_secret_is_printed() -> None:
    settings = load(**everything())
    assert settings.sms
    for shown in (
        repr(settings),
        str(settings),
        f"{settings}",
        repr(settings.sms),
        str(settings.feeds),
    ):
        assert "hush" not in shown
    assert "hush" not in settings.model_dump_json(exclude={"database"})


@pytest.mark.parametrize("break_", ["port", "demo", "link_minutes", "log_level", "extra"])
def test_no_secret_is_in_a_problem(break_: str) -> None:
    assert "hush" not in str(problems(**{**everything(), break_: "hush-value"}))


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE", "SMS", "SMTP", "ICE", "FEEDS", "PORT"])
@pytest.mark.parametrize(
    "value", ["hush", '{"hush": 1', '["hush"]', '{"password": ["hush"]}', '{"url": {"hush": 1}}']
)
def test_no_value_of_the_environment_is_in_a_problem(
    environment: Callable[..., None], name: str, value: str
) -> None:
    environment(**{"SECRET_KEY": SECRET, name: value, "TYPO": "hush"})
    with pytest.raises(ConfigurationError) as wrong:
        load()
    told = re.sub(r"(sms|smtp|ice|feeds)(\.\w+)*\.hush", "", str(wrong.value))  # a key, not a value
    assert "hush" not in told
    assert wrong.value.__cause__ is None
    assert wrong.value.__context__ is None


def test_the_command_line_tells_all_and_ends_with_two(environment: Callable[..., None]) -> None:
    environment(SECRET_KEY="hush", PORT="hush", TYPO="hush")
    result = CliRunner().invoke(cli.main, ["serve"])
    assert result.exit_code == 2
    for name in ("secret_key", "port", "VISIO15_TYPO"):
        assert name in result.output
    assert "hush" not in result.output
    assert "Traceback" not in result.output


# --- where a value comes from ----------------------------------------------------------------------
@pytest.fixture
def config_file(environment: Callable[..., None], tmp_path: Path) -> Path:
    file = tmp_path / "visio15.toml"
    environment(CONFIG=str(file))
    return file


def test_a_file_gives_what_the_environment_does_not(
    environment: Callable[..., None], config_file: Path
) -> None:
    config_file.write_text(
        f'secret_key = "{SECRET}"\nport = 8001\nlink_minutes = 5\n'
        '[smtp]\nhost = "mail.example"\nport = 2525\n'
        '[[feeds]]\nkind = "hep"\nsite = "rivage"\nallow = ["192.0.2.0/24"]\n'
    )
    environment(PORT="8002", SMTP__PORT="2526")
    settings = load(link_minutes=7)
    assert (settings.port, settings.link_minutes, settings.grace_seconds) == (8002, 7, 1800)
    assert settings.smtp
    assert (settings.smtp.host, settings.smtp.port) == ("mail.example", 2526)
    assert settings.feeds[0].site == "rivage"


def test_a_group_may_be_one_value(environment: Callable[..., None]) -> None:
    environment(SECRET_KEY=SECRET, SMTP=json.dumps({"host": "mail.example", "tls": "starttls"}))
    environment(FEEDS=json.dumps([{"kind": "replay", "site": "rivage"}]))
    settings = load()
    assert settings.smtp
    assert settings.smtp.tls == "starttls"
    assert settings.feeds[0].kind == "replay"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (b"secret_key = = 'hush'", "VISIO15_CONFIG"),
        (b"\xff\xfe hush", "VISIO15_CONFIG"),
        (f"secret_key = '{SECRET}'\nprot = 1".encode(), "prot"),
        (f"secret_key = '{SECRET}'\n[sms]\nurl = 'u'\nhost = 'h'".encode(), "sms.host"),
    ],
)
def test_a_wrong_file_is_told(config_file: Path, text: bytes, named: str) -> None:
    config_file.write_bytes(text)
    found = problems()
    assert where(found) == {named}
    assert "hush" not in str(found)


def test_a_file_that_is_not_there_is_told(config_file: Path) -> None:
    assert where(problems(secret_key=SECRET)) == {"VISIO15_CONFIG"}
    config_file.mkdir()
    assert where(problems(secret_key=SECRET)) == {"VISIO15_CONFIG"}


# --- what follows from them ------------------------------------------------------------------------
def test_settings_are_frozen() -> None:
    settings = load(secret_key=SECRET)
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("url", "kept", "secure"),
    [
        ("https://visio15.example/", "https://visio15.example", True),
        ("http://127.0.0.1:8015", "http://127.0.0.1:8015", False),
        ("HTTPS://Visio15.CHU.example:8443", "https://visio15.chu.example:8443", True),
        ("https://xn--orlans-dva.example", "https://xn--orlans-dva.example", True),
        ("https://[2001:DB8::7]:8015", "https://[2001:db8::7]:8015", True),
    ],
)
def test_the_public_address(url: str, kept: str, *, secure: bool) -> None:
    settings = load(secret_key=SECRET, public_url=url)
    assert (settings.public_url, settings.secure) == (kept, secure)
    assert load(secret_key=SECRET, extra_origins=[url]).extra_origins == (kept,)
    hosts = known(settings.addresses, settings.allowed_hosts)
    assert hosts.knows(kept.partition("://")[2])


def test_the_database_is_in_the_data_folder(tmp_path: Path) -> None:
    settings = load(secret_key=SECRET, data_dir=tmp_path)
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/visio15.db"
    assert isinstance(settings, Settings)


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        ([{"root": "monitor"}], "recordings.0.root: donnez le chemin complet"),
        ([{"root": "/"}], "recordings.0.root: donnez le chemin complet"),
        ([{"root": "/m", "pattern": "("}], "l'expression n'est pas valable"),
        ([{"root": "/m", "pattern": "(?P<what>.*)"}], "aucun groupe connu"),
        ([{"root": "/m", "timezone": "Mars"}], "fuseau horaire"),
        ([{"root": "/m"}, {"root": "/n"}], "le même name"),
        ([{"root": "/m"}, {"root": "/m/n", "site": "samu45"}], "ne peuvent pas partager"),
    ],
)
def test_a_folder_of_recordings_that_cannot_be(folders: list[dict[str, str]], said: str) -> None:
    several = [{"site": "samu37", **folder} for folder in folders]
    [problem] = problems(secret_key=SECRET, recordings=several)
    assert said in problem
