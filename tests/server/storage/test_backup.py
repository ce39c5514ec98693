"""`visio15 backup` while somebody writes, and `restore`: the copy is a beginning of the chain; nothing is destroyed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from server.app.settings.settings import Settings
from server.audit.service.chain import ChainVerification
from server.cli.main import main
from server.core.audit_entries import Actor
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site, SiteStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from tests.lab.process import until
from tests.server.storage.test_writers import NOW
from tests.server.stray import stray

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.databases import Databases

SECRET = "k" * 64


@dataclass
class Shell:
    """The commands on one database."""

    url: str

    async def __call__(self, *arguments: str, secret: str = SECRET) -> Result:
        settings = Settings(database=self.url, secret_key=secret)
        lazy = type("Lazy", (), {"settings": settings})()
        command = main.get_command(None, arguments[0])  # type: ignore[arg-type]
        return await asyncio.to_thread(CliRunner().invoke, command, list(arguments[1:]), obj=lazy)

    @asynccontextmanager
    async def storage(self) -> AsyncIterator[Transactions]:
        engine = make_engine(self.url)
        try:
            yield Transactions(engine, Seal(SECRET))
        finally:
            await engine.dispose()

    async def found(self) -> int:
        """Rows of a whole chain."""
        async with self.storage() as storage:
            verdict, _ = await ChainVerification(storage).verify("s")
        assert verdict.intact
        return verdict.count


async def write(storage: Transactions) -> None:
    async with storage() as work:
        event = stray("a.b", "x:1", personal={"to": "+33612345678"})
        await Journal(work).append(Actor("desk", "s", None, "192.0.2.9"), event, NOW)
        await work.commit()


@pytest.fixture
def empty(databases: Databases) -> Iterator[Shell]:
    """Where a copy is put back."""
    url = databases.empty()
    yield Shell(url)
    databases.drop(url)


@pytest.fixture
def full(database_url: str) -> Shell:
    """A database with one site and five rows of audit."""

    async def fill() -> None:
        await schema.upgrade(database_url)
        async with Shell(database_url).storage() as storage:
            async with storage() as work:
                await SiteStore(work).add(
                    Site("s", "rivage", "SAMU", "S", "r@x", SitePolicy()), NOW
                )
                await work.commit()
            for _ in range(5):
                await write(storage)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(fill())
    loop.close()
    return Shell(database_url)


async def test_a_copy_taken_under_load_is_a_beginning_of_the_chain(
    full: Shell, empty: Shell, tmp_path: Path
) -> None:
    written, copied = 0, asyncio.Event()

    async def load(storage: Transactions) -> None:
        nonlocal written
        while not copied.is_set():
            await write(storage)
            written += 1

    async with full.storage() as storage:
        writers = [asyncio.ensure_future(load(storage)) for _ in range(3)]  # noqa: TID251
        await until(lambda: written >= 10, "ten rows are written")
        before = written
        taken = await full("backup", str(tmp_path / "copy"))
        during = written - before
        copied.set()
        await asyncio.gather(*writers)
        assert taken.exit_code == 0, taken.output
        assert during > 0, "nobody wrote meanwhile"
        back = await empty("restore", str(tmp_path / "copy"))
        assert back.exit_code == 0, back.output
        rows = await empty.found()
        assert 5 + before <= rows <= 5 + written
        async with empty.storage() as other:
            head = (await ChainVerification(other).verify("s"))[0].head
        assert head in taken.output
        assert (await ChainVerification(storage).verify("s", head))[1], (
            "not a beginning of the live chain"
        )
    assert [file.name for file in tmp_path.iterdir()] == ["copy"]
    assert (tmp_path / "copy").stat().st_mode & 0o077 == 0


async def test_a_database_that_holds_something_is_not_replaced_unless_told(
    full: Shell, tmp_path: Path
) -> None:
    copy = str(tmp_path / "copy")
    assert (await full("backup", copy)).exit_code == 0
    async with full.storage() as storage:
        await write(storage)
    refused = await full("restore", copy)
    assert refused.exit_code == 1
    assert "--force" in refused.output
    assert await full.found() == 6
    assert (await full("restore", copy, "--force")).exit_code == 0
    assert await full.found() == 5
    async with full.storage() as storage:  # and it works
        await write(storage)
    assert (await full("restore", copy, "--force")).exit_code == 0


async def test_a_copy_is_never_overwritten(full: Shell, tmp_path: Path) -> None:
    (tmp_path / "copy").write_bytes(b"precious")
    assert "existe déjà" in (await full("backup", str(tmp_path / "copy"))).output
    assert (tmp_path / "copy").read_bytes() == b"precious"
    assert (await full("backup", str(tmp_path / "none" / "copy"))).exit_code == 1


async def test_what_is_no_copy_changes_nothing(full: Shell, empty: Shell, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    assert (await full("backup", str(copy))).exit_code == 0
    cut = tmp_path / "cut"
    cut.write_bytes(copy.read_bytes()[: copy.stat().st_size // 2])
    other = tmp_path / "other"
    other.write_bytes(b"PK\x03\x04 something else")
    for file in (cut, other, tmp_path / "missing"):
        assert (await full("restore", str(file), "--force")).exit_code == 1
        assert await full.found() == 5
        assert (await empty("restore", str(file))).exit_code == 1
    assert (await empty("restore", str(copy))).exit_code == 0


async def test_a_copy_that_cannot_be_believed_needs_force(
    full: Shell, empty: Shell, tmp_path: Path
) -> None:
    copy = str(tmp_path / "copy")
    assert (await full("backup", copy)).exit_code == 0
    refused = await empty("restore", copy, secret="z" * 64)
    assert refused.exit_code == 1
    assert "secret_key" in refused.output
    forced = await empty("restore", copy, "--force", secret="z" * 64)
    assert forced.exit_code == 1
    assert "BROKEN at 1" in forced.output
    assert await empty.found() == 5  # with the right key it is whole


async def test_a_copy_of_a_later_release_is_refused(
    full: Shell, empty: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = str(tmp_path / "copy")
    assert (await full("backup", copy)).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(schema, "known", lambda: frozenset({"0000"}))
        refused = await empty("restore", copy)
    assert refused.exit_code == 1
    assert "inconnu" in refused.output
    assert (await empty("restore", copy)).exit_code == 0


async def test_missing_client_programs_are_said_in_a_sentence(
    full: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, databases: Databases
) -> None:
    if databases.kind == "sqlite":
        pytest.skip("SQLite needs no program")
    monkeypatch.setenv("PATH", str(tmp_path))
    refused = await full("backup", str(tmp_path / "copy"))
    assert refused.exit_code == 1
    assert "postgresql-client" in refused.output
