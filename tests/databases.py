"""Databases for tests: files of SQLite, or databases in a cluster of PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.postgres import Postgres


class Databases(Protocol):
    """Makes and drops them; a database is named by the product's URL."""

    kind: str

    def empty(self) -> str:
        """Make an empty one."""

    def copy(self, url: str) -> str:
        """Make a copy of one nobody is connected to."""

    def drop(self, url: str) -> None:
        """Throw one away."""

    def content(self, url: str) -> bytes:
        """Return everything that stands in one nobody is connected to."""


@dataclass(frozen=True)
class Furnished:
    """A database with something in it, copied for each test that wants one of its own."""

    databases: Databases
    url: str

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Give the URL of a copy; it is gone after the block."""
        url = self.databases.copy(self.url)
        try:
            yield url
        finally:
            self.databases.drop(url)


class SqliteDatabases:
    """One file each."""

    kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def empty(self) -> str:
        return f"sqlite+aiosqlite:///{self._folder}/{next(self._numbers)}/visio15.db"

    def copy(self, url: str) -> str:
        made = self.empty()
        self._file(made).parent.mkdir()
        shutil.copy(self._file(url), self._file(made))
        return made

    def drop(self, url: str) -> None:
        shutil.rmtree(self._file(url).parent, ignore_errors=True)

    def content(self, url: str) -> bytes:
        return b"".join(file.read_bytes() for file in sorted(self._file(url).parent.iterdir()))

    def _file(self, url: str) -> Path:
        return Path(make_url(url).database or "")


REFILL = """
DO $$
DECLARE one text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;  -- in any order, foreign keys aside
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    EXECUTE format('TRUNCATE public.%I RESTART IDENTITY CASCADE', one);
  END LOOP;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    EXECUTE format('INSERT INTO public.%1$I SELECT * FROM kept.%1$I', one);
  END LOOP;
  COMMENT ON TABLE public.site IS NULL;  -- the mark of a demonstration
END $$
"""
KEEP = """
DO $$
DECLARE one text;
BEGIN
  CREATE SCHEMA kept;
  FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', one);
  END LOOP;
END $$
"""


class PostgresDatabases:
    """One database each; a copy that is dropped is filled again for the next test, ten times faster than a new one."""

    kind = "postgres"

    def __init__(self, cluster: Postgres) -> None:
        self.cluster = cluster
        self._numbers = itertools.count(1)
        self._free: dict[str, list[str]] = {}  # by original: copies to be filled again
        self._copied: dict[str, str] = {}

    def empty(self) -> str:
        return self.cluster.create(f"test{next(self._numbers)}")

    def copy(self, url: str) -> str:
        if free := self._free.get(url):
            made = free.pop()
            self.cluster.sql(REFILL, database=_name(made))
            return made
        made = self.cluster.create(f"test{next(self._numbers)}", _name(url))
        self.cluster.sql(KEEP, database=_name(made))
        self._copied[made] = url
        return made

    def drop(self, url: str) -> None:
        if original := self._copied.get(url):
            self._free.setdefault(original, []).append(url)
        else:
            self.cluster.drop(_name(url))

    def content(self, url: str) -> bytes:
        return self.cluster.dump(_name(url)).encode()


def _name(url: str) -> str:
    return make_url(url).database or ""
