"""The administrator's commands: what they do, what they refuse, and that the audit says who did it."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click import Group
from click.testing import CliRunner, Result

from server.app.settings.settings import Settings
from server.cli.admin import site, station, user
from server.cli.audit import audit
from server.storage import schema

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = (site, station, user, audit)
PASSWORD = "correct horse battery staple"


@dataclass
class _Lazy:
    settings: Settings


@dataclass
class Shell:
    """Runs commands on a database of its own."""

    file: Path
    settings: Settings

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        main = Group("visio15", commands={group.name or "": group for group in GROUPS})
        return CliRunner().invoke(main, arguments, obj=_Lazy(self.settings), input=stdin)

    def rows(self, query: str) -> list[tuple[object, ...]]:
        connection = sqlite3.connect(self.file)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.commit()
            connection.close()


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """A database that nobody has migrated."""
    file = tmp_path / "visio15.db"
    url = f"sqlite+aiosqlite:///{file}"
    return Shell(file, Settings(data_dir=tmp_path, database=url, secret_key="s" * 32))


@pytest.fixture
def shell(empty: Shell) -> Shell:
    """A migrated database."""
    asyncio.run(schema.upgrade(empty.settings.database_url))
    return empty


@pytest.fixture
def site(shell: Shell) -> Shell:
    """One site."""
    done = shell(
        "site", "add", "rivage", "SAMU rivage", "--referent", "r@x.fr", "--sms-sender", "SAMU"
    )
    assert done.exit_code == 0, done.output
    return shell


def add_user(
    shell: Shell, identifier: str = "Marie", *more: str, password: str = PASSWORD
) -> Result:
    given = ("--site", "rivage", "--name", "Marie Durand", "--role", "regulator")
    contact = more or ("--email", "m@x.fr", "--mobile", "06 12 34 56 78")
    arguments = ("user", "add", identifier, *given, *contact, "--password-stdin")
    return shell(*arguments, stdin=f"{password}\n")


def test_sites_stations_and_users(site: Shell) -> None:
    assert site("station", "add", "rivage", "201", "Poste 1", "--webcam").exit_code == 0
    assert add_user(site).exit_code == 0
    assert "rivage\tSAMU rivage" in site("site", "list").output
    assert "201\tPoste 1\twebcam" in site("station", "list", "rivage").output
    assert "marie\tMarie Durand\tregulator\tactive" in site("user", "list").output
    ((mobile, hashed),) = site.rows("SELECT mobile, password_hash FROM user")
    assert mobile == "+33612345678"
    assert str(hashed).startswith("$argon2id$")


def test_every_change_is_audited_as_the_command_line_s(site: Shell) -> None:
    add_user(site)
    site("user", "role", "marie", "auditor")
    site("user", "password", "marie", "--password-stdin", stdin="another long password\n")
    for command in ("disable", "enable", "revoke", "unlock"):
        assert site("user", command, "marie").exit_code == 0
    rows = site.rows("SELECT source, action FROM audit ORDER BY seq")
    assert {source for source, _ in rows} == {"cli"}
    assert [action for _, action in rows] == [
        "site.added",
        "user.added",
        "user.role_set",
        "user.password_reset",
        "user.disabled",
        "user.enabled",
        "user.sessions_revoked",
        "user.unlocked",
    ]
    chain = repr(site.rows("SELECT * FROM audit"))
    assert "marie" not in chain.lower()
    assert "@" not in chain


def test_a_password_is_asked_for_and_never_an_argument(site: Shell) -> None:
    arguments = ["user", "add", "jo", "--site", "rivage", "--name", "Jo", "--role", "arm"]
    done = site(*arguments, "--email", "j@x.fr", stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0, done.output
    assert PASSWORD not in done.output
    (users,) = (group for group in GROUPS if group.name == "user")
    parameters = [one for command in users.commands.values() for one in command.params]
    options = {option for one in parameters for option in one.opts}
    assert "--password" not in options


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (
            ("site", "add", "rivage", "Autre", "--referent", "r@x.fr", "--sms-sender", "S"),
            "conflict",
        ),
        (("site", "add", "Bad Key", "X", "--referent", "r@x.fr", "--sms-sender", "S"), "invalid"),
        (
            ("site", "add", "b", "X", "--referent", "nobody", "--sms-sender", "S"),
            "email_impossible",
        ),
        (("site", "add", "b", "X", "--referent", "r@x.fr", "--sms-sender", "S" * 12), "invalid"),
        (("site", "add", "b", " ", "--referent", "r@x.fr", "--sms-sender", "S"), "invalid"),
        (("station", "add", "nowhere", "201", "Poste"), "not_found"),
        (("station", "add", "rivage", "2 0 1", "Poste"), "invalid"),
        (("user", "disable", "nobody"), "not_found"),
        (("audit", "verify", "--site", "nowhere"), "not_found"),
    ],
)
def test_refusals_are_one_line(site: Shell, arguments: tuple[str, ...], code: str) -> None:
    done = site(*arguments)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {code}")
    assert len(done.output.strip().splitlines()) == 1


def test_users_are_checked(site: Shell) -> None:
    assert add_user(site, "marie").exit_code == 0
    assert "conflict" in add_user(site, "MARIE").output
    assert "password_length" in add_user(site, "jo", password="short").output
    assert "number_impossible" in add_user(site, "jo", "--mobile", "12").output
    assert "email_impossible" in add_user(site, "jo", "--email", "a@b@c").output
    assert "identifier" in add_user(site, "j o").output
    assert len(site.rows("SELECT id FROM user")) == 1


def test_a_contact_for_the_code_is_needed(site: Shell) -> None:
    arguments = ["user", "add", "jo", "--site", "rivage", "--name", "Jo", "--role", "arm"]
    done = site(*arguments, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert "contact_for_code" in done.output


def test_verify_says_what_it_read(site: Shell) -> None:
    add_user(site)
    done = site("audit", "verify", "--site", "rivage")
    assert done.exit_code == 0
    assert "2 rows" in done.output
    ((head,),) = site.rows("SELECT hash FROM audit WHERE seq = 2")
    assert f"head {head}" in done.output
    assert site("audit", "verify", "--head", str(head)).exit_code == 0
    site.rows("DELETE FROM audit WHERE seq = 2")
    assert site("audit", "verify").exit_code == 0
    cut = site("audit", "verify", "--head", str(head))
    assert cut.exit_code == 1
    assert "removed or rewritten" in cut.output


def test_verify_names_the_first_broken_row(site: Shell) -> None:
    add_user(site)
    site("user", "disable", "marie")
    site.rows("UPDATE audit SET action = 'user.enabled' WHERE seq = 2")
    broken = site("audit", "verify")
    assert broken.exit_code == 1
    assert "BROKEN at 2" in broken.output


def test_a_database_of_another_release_is_refused(empty: Shell) -> None:
    done = empty("site", "list")
    assert done.exit_code == 1
    assert "schema_mismatch (empty)" in done.output
