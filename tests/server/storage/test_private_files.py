"""What the server keeps is for its own account, whatever its umask, and what an earlier release left open is closed."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.demo import run as demo
from server.storage import backup, schema
from server.storage.engine import make_engine
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Furnished

pytestmark = pytest.mark.sqlite


@pytest.fixture(autouse=True)
def careless() -> Iterator[None]:
    """Nothing is kept from anybody by the umask."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """Each file and folder below, and itself, with what others may do; empty when they may do nothing."""
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    return {str(path): oct(mode) for path, mode in found.items() if mode & 0o077}


def url_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/visio15.db"


async def test_a_new_database_is_closed_and_so_is_what_stands_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    await schema.upgrade(url_of(folder))
    engine = make_engine(url_of(folder))
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql("DELETE FROM throttle")
            beside = {path.name for path in folder.iterdir()}
            assert modes(folder) == {}
    finally:
        await engine.dispose()
    assert {"visio15.db", "visio15.db-wal", "visio15.db-shm"} <= beside


async def test_copies_and_what_is_put_back_are_closed(tmp_path: Path) -> None:
    await schema.upgrade(url_of(tmp_path / "a"))
    copies = tmp_path / "copies"
    copies.mkdir(0o700)
    await backup.backup(url_of(tmp_path / "a"), copies / "copy.db")
    async with backup.restored(url_of(tmp_path / "b"), copies / "copy.db", force=False):
        assert modes(tmp_path / "b") == {}
    assert modes(copies) == {}
    assert modes(tmp_path / "b") == {}


async def test_the_demonstration_keeps_everything_to_itself(tmp_path: Path) -> None:
    await demo.prepare(tmp_path / "d", 8015, "10.99.0.1")
    assert len(list((tmp_path / "d").rglob("*"))) >= 8
    assert modes(tmp_path / "d") == {}


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    """A server whose database an earlier release left as its umask had it."""

    def leave_open(server: Any) -> None:
        Path(server.engine.url.database).chmod(0o644)

    with running(io_loop, furnished_database, tmp_path, before=leave_open) as house:
        yield house


async def test_files_that_were_open_are_closed_at_start(house: Running) -> None:
    await house.signed_in("regulator")
    file = Path(house.server.engine.url.database or "")
    found = await asyncio.to_thread(lambda: sorted(file.parent.glob(file.name + "*")))
    assert len(found) >= 2
    assert {stat.S_IMODE(each.stat().st_mode) for each in found} == {0o600}
