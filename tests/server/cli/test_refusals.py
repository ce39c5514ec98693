"""Real commands run into real refusals: one line with the code and the shell's sentence, and no word of a screen."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from click.testing import CliRunner, Result

from server.administration.service.admin import LONGEST_PASSWORD, SHORTEST_PASSWORD
from server.cli.main import main
from server.core.words.for_caller import ALOUD
from server.core.words.for_doctor import SENTENCES as DOCTOR
from server.core.words.for_observer import SENTENCES as OBSERVER
from server.core.words.for_shell import SENTENCES as SHELL
from server.storage import schema
from tests.lab.server import ROOT, VISIO15

if TYPE_CHECKING:
    from pathlib import Path

PASSWORD: Final = "correct horse battery staple"
NEW_SITE: Final = ("--referent", "r@x.fr", "--sms-sender", "SAMU")
NEW_USER: Final = ("--site", "rivage", "--name", "Jo", "--role", "arm", "--password-stdin")


@dataclass(frozen=True)
class Shell:
    """An administrator's shell, on one SQLite file."""

    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / "visio15.db"

    @property
    def url(self) -> str:
        return f"sqlite+aiosqlite:///{self.file}"

    @property
    def env(self) -> dict[str, str]:
        return {
            "VISIO15_DATABASE": self.url,
            "VISIO15_DATA_DIR": str(self.folder),
            "VISIO15_SECRET_KEY": "s" * 64,
        }

    def __call__(self, *arguments: str, stdin: str = f"{PASSWORD}\n", **env: str) -> Result:
        return CliRunner().invoke(main, arguments, input=stdin, env={**self.env, **env})

    def is_of(self, revision: str) -> None:
        """Make the file one of another release."""
        connection = sqlite3.connect(self.file)
        with connection:
            connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
            connection.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        connection.close()


def migrated(folder: Path) -> Shell:
    shell = Shell(folder)
    asyncio.run(schema.upgrade(shell.url))
    return shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A site with a station, a user and somebody on its list; a refusal changes nothing of it."""
    shell = migrated(tmp_path_factory.mktemp("shell"))
    for command in (
        ("site", "add", "rivage", "SAMU rivage", *NEW_SITE),
        ("station", "add", "rivage", "201", "Poste 1"),
        ("user", "add", "marie", *NEW_USER, "--email", "m@x.fr"),
        ("site", "observer", "add", "rivage", "SMUR", "--mobile", "0612345678"),
    ):
        done = shell(*command)
        assert done.exit_code == 0, done.output
    return shell


def refused(done: Result, key: str, detail: str = "", **facts: object) -> None:
    """The last line has the code and the shell's own sentence; nothing is what a screen says."""
    code, _, slug = key.partition(".")
    told = f" ({slug or detail})" if slug or detail else ""
    line = f"Error: {code}{told}: {SHELL[key].format(**facts)}"
    assert done.output.strip().splitlines()[-1:] == [line]
    assert done.exit_code == 1
    assert nothing_of_a_screen(done.output)


def nothing_of_a_screen(said: str) -> bool:
    screens = (*DOCTOR.values(), *ALOUD.values(), *OBSERVER.values())
    return not any(sentence in said for sentence in screens)


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        (("site", "add", "rivage", "Autre", *NEW_SITE), "conflict.site_key"),
        (("site", "add", "Bad Key", "X", *NEW_SITE), "invalid.site_key"),
        (("site", "add", "b", " ", *NEW_SITE), "invalid.name"),
        (("site", "add", "b", "X", *NEW_SITE[:3], "S" * 12), "invalid.sms_sender"),
        (("site", "add", "b", "X", "--referent", "nobody", *NEW_SITE[2:]), "email_impossible"),
        (("site", "secret", "nowhere"), "not_found.site"),
        (("site", "secret", "rivage", "--retire", "none"), "not_found.secret"),
        (("site", "launches", "nowhere", "optional"), "not_found.site"),
        (("site", "snapshots", "nowhere", "store"), "not_found.site"),
        (("site", "observer", "list", "nowhere"), "not_found.site"),
        (("site", "observer", "remove", "rivage", "X"), "not_found.observer"),
        (("site", "observer", "add", "rivage", "X"), "invalid.one_contact"),
        (
            ("site", "observer", "add", "rivage", "SMUR", "--email", "s@x.fr"),
            "conflict.observer_name",
        ),
        (("site", "observer", "add", "rivage", "X", "--mobile", "0147200001"), "number_landline"),
        (
            ("site", "observer", "add", "rivage", "X", "--mobile", "0800123456"),
            "number_impossible.not_mobile",
        ),
        (("station", "add", "rivage", "201", "Poste"), "conflict.station_extension"),
        (("station", "add", "rivage", "2 0 1", "Poste"), "invalid.extension"),
        (("station", "add", "nowhere", "202", "Poste"), "not_found.site"),
        (("station", "list", "nowhere"), "not_found.site"),
        (("user", "add", "Marie", *NEW_USER, "--email", "j@x.fr"), "conflict.user_identifier"),
        (("user", "add", "j o", *NEW_USER, "--email", "j@x.fr"), "invalid.identifier"),
        (("user", "add", "jo", *NEW_USER), "invalid.contact_for_code"),
        (("user", "add", "jo", *NEW_USER, "--mobile", "12"), "number_impossible"),
        (("user", "add", "jo", *NEW_USER, "--mobile", "00612345678"), "number_ambiguous"),
        (("user", "list", "--site", "nowhere"), "not_found.site"),
        *(
            (("user", verb, "nobody"), "not_found.user")
            for verb in ("disable", "enable", "revoke", "unlock")
        ),
        (("user", "role", "nobody", "arm"), "not_found.user"),
        (("user", "password", "nobody", "--password-stdin"), "not_found.user"),
        (("audit", "verify", "--site", "nowhere"), "not_found.site"),
        (("forget", "nowhere", "--yes"), "not_found.site"),
        (("forget", "rivage", "--yes"), "number_impossible"),
    ],
    ids=lambda value: " ".join(value[:3]) if isinstance(value, tuple) else value,
)
def test_a_command_is_refused_in_words_for_a_shell(
    shell: Shell, arguments: tuple[str, ...], key: str
) -> None:
    refused(shell(*arguments), key)


def test_a_short_password_is_told_its_bounds(shell: Shell) -> None:
    arguments = ("user", "add", "jo", *NEW_USER, "--email", "j@x.fr")
    refused(shell(*arguments, stdin="short\n"), "invalid.password_length")
    assert f"{SHORTEST_PASSWORD} à {LONGEST_PASSWORD} signes" in SHELL["invalid.password_length"]


@pytest.mark.parametrize(
    ("more", "key"),
    [
        (("--site", "nowhere"), "not_found.site"),
        (("--site", "rivage", "--timezone", "Nowhere/City"), "invalid.timezone"),
    ],
)
def test_call_detail_records(shell: Shell, tmp_path: Path, more: tuple[str, ...], key: str) -> None:
    file = tmp_path / "calls.csv"
    file.write_text("id,start,end\n")
    refused(shell("cdr", "import", str(file), *more), key)


#: Whatever opens the database looks at its schema first.
OPENS: Final = (
    ("site", "list"),
    ("user", "unlock", "marie"),
    ("audit", "verify"),
    ("forget", "rivage", "--yes"),
    ("site", "secret", "rivage"),
)


@pytest.mark.parametrize("arguments", OPENS, ids=" ".join)
@pytest.mark.parametrize(
    ("revision", "key"), [("", "schema_mismatch.empty"), ("0001", "schema_mismatch.older")]
)
def test_a_database_that_is_to_be_migrated(
    tmp_path: Path, arguments: tuple[str, ...], revision: str, key: str
) -> None:
    shell = Shell(tmp_path)
    if revision:
        shell.is_of(revision)
    refused(shell(*arguments), key)


#: These take a database of an earlier release, or none.
MIGRATES: Final = (("migrate",), ("migrate", "--down"))


@pytest.mark.parametrize("arguments", [*OPENS, *MIGRATES], ids=" ".join)
def test_a_database_of_a_later_release(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    shell = Shell(tmp_path)
    shell.is_of("ffff")
    refused(shell(*arguments, stdin="y\n"), "schema_mismatch.newer")


@pytest.mark.parametrize("arguments", [*OPENS, *MIGRATES], ids=" ".join)
def test_a_database_that_cannot_be_read(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    shell = Shell(tmp_path)
    shell.file.write_bytes(b"no database, but long enough to look like the header of one " * 20)
    refused(shell(*arguments, stdin="y\n"), "storage_unavailable", "DatabaseError")


def test_a_driver_that_is_not_installed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "asyncpg", None)
    done = shell("site", "list", VISIO15_DATABASE="postgresql+asyncpg://nobody@127.0.0.1:9/none")
    refused(done, "storage_unavailable.no_driver")


def test_a_demonstration_on_a_database_somebody_works_with(shell: Shell) -> None:
    refused(shell("migrate", VISIO15_DEMO="true"), "demonstration_refused")


def test_copies(shell: Shell, tmp_path: Path) -> None:
    copy, other, missing = tmp_path / "copy", tmp_path / "other", tmp_path / "none" / "copy"
    assert shell("backup", str(copy)).exit_code == 0
    refused(shell("backup", str(copy)), "backup_refused.exists", file=copy)
    other.write_bytes(b"PK\x03\x04 something else")
    refused(shell("restore", str(other)), "backup_refused.other_kind", file=other)
    why = os.strerror(2)
    refused(shell("restore", str(missing)), "backup_refused.file", file=missing, why=why)
    refused(shell("backup", str(missing)), "backup_refused.file", file=missing, why=why)
    refused(shell("restore", str(copy)), "backup_refused.not_empty")
    nothing = Shell(tmp_path / "nothing")
    refused(nothing("backup", str(tmp_path / "two")), "backup_refused.absent", file=nothing.file)
    done = nothing("restore", str(copy), VISIO15_SECRET_KEY="z" * 64)
    refused(done, "backup_refused.chain", sites="rivage")


def program(shell: Shell, *command: str, **env: str) -> tuple[int, list[str]]:
    """Run the program itself to its end; return its status and its last lines."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("VISIO15_")}
    done = subprocess.run(
        [*VISIO15, *command],
        env={**clean, "PYTHONPATH": str(ROOT), **shell.env, **env},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert nothing_of_a_screen(done.stdout + done.stderr)
    return done.returncode, done.stderr.strip().splitlines()


def test_the_server_does_not_start_on_it(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    sentence = SHELL["schema_mismatch.empty"]
    status, said = program(shell, "serve")
    assert (status, said[-1]) == (3, f"Démarrage impossible. schema_mismatch (empty): {sentence}")
    shell.file.write_bytes(b"no database, but long enough to look like the header of one " * 20)
    sentence = SHELL["storage_unavailable"]
    status, said = program(shell, "serve")
    assert status == 3
    assert said[-1] == f"Démarrage impossible. storage_unavailable (DatabaseError): {sentence}"


def test_neither_server_nor_demonstration_start_on_somebody_s_database(
    shell: Shell, tmp_path: Path
) -> None:
    line = f"demonstration_refused: {SHELL['demonstration_refused']}"
    status, said = program(shell, "serve", VISIO15_DEMO="true")
    assert (status, said[-1]) == (3, f"Démarrage impossible. {line}")
    data = tmp_path / "demo"
    status, said = program(shell, "demo", "--data", str(data))
    assert (status, said[-1]) == (3, f"{data} ne convient pas : --data AUTRE. {line}")


@pytest.mark.parametrize(
    ("revision", "key"), [("", "schema_mismatch.empty"), ("0001", "schema_mismatch.older")]
)
def test_the_doctor_says_the_same(tmp_path: Path, revision: str, key: str) -> None:
    shell = Shell(tmp_path)
    if revision:
        shell.is_of(revision)
    done = shell("doctor")
    code, _, slug = key.partition(".")
    assert f"✗ base : {code} ({slug})\n    → {SHELL[key]}\n" in done.output
    assert (done.exit_code, nothing_of_a_screen(done.output)) == (1, True)
