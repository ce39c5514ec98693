"""`visio15 site secret` and `launches`: shown once, two at a time, written down."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from server.app.settings.settings import Settings
from server.cli.site import site
from server.storage import schema

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class _Lazy:
    settings: Settings


@dataclass
class Shell:
    settings: Settings
    file: Path

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(site, arguments, obj=_Lazy(self.settings))

    def make(self) -> tuple[str, str]:
        """A new secret: (kid, value)."""
        made = self("secret", "rivage")
        assert made.exit_code == 0, made.output
        lines = dict(line.split("\t") for line in made.stdout.splitlines())
        return lines["kid"], lines["secret"]

    def listed(self) -> dict[str, str]:
        shown = self("secret", "rivage", "--list").stdout
        return {kid: state for kid, _, state in (line.split("\t") for line in shown.splitlines())}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    file = tmp_path / "visio15.db"
    url = f"sqlite+aiosqlite:///{file}"
    shell = Shell(Settings(data_dir=tmp_path, database=url, secret_key="s" * 32), file)
    asyncio.run(schema.upgrade(url))
    added = ("--referent", "r@example.org", "--sms-sender", "SAMU15")
    assert shell("add", "rivage", "SAMU", *added).exit_code == 0
    return shell


def test_two_secrets_at_a_time(shell: Shell) -> None:
    (first, one), (second, two) = shell.make(), shell.make()
    assert len(one) == 64
    assert one != two
    assert set(shell.listed().values()) == {"active"}
    third, _ = shell.make()
    states = shell.listed()
    assert states[first].startswith("retired")
    assert (states[second], states[third]) == ("active", "active")


def test_retired_at_once(shell: Shell) -> None:
    kid, _ = shell.make()
    assert shell("secret", "rivage", "--retire", kid).exit_code == 0
    assert shell.listed()[kid].startswith("retired")
    again = shell("secret", "rivage", "--retire", kid)
    assert (again.exit_code, "not_found" in again.output) == (1, True)
    assert shell("secret", "nowhere").exit_code == 1


def test_no_value_stands_in_the_database(shell: Shell) -> None:
    _, value = shell.make()
    assert value.encode() not in shell.file.read_bytes()


def test_the_rule_for_launches(shell: Shell) -> None:
    def policy() -> dict[str, str]:
        with closing(sqlite3.connect(shell.file)) as connection:
            (found,) = connection.execute("SELECT policy FROM site").fetchone()
        return dict(json.loads(found))

    assert policy() == {"launch_signature": "required"}, "of a new site"
    assert shell("launches", "rivage", "sometimes").exit_code == 2
    assert shell("launches", "rivage", "optional").exit_code == 0
    assert policy() == {"launch_signature": "optional"}
    connection = sqlite3.connect(shell.file)
    actions = [row[0] for row in connection.execute("SELECT action FROM audit ORDER BY seq")]
    connection.close()
    assert actions == ["site.added", "site.policy_set"]
