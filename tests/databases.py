"""Databases for tests: files of SQLite, or databases in a cluster of PostgreSQL."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
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

    def _file(self, url: str) -> Path:
        return Path(make_url(url).database or "")


class PostgresDatabases:
    """One database each."""

    kind = "postgres"

    def __init__(self, cluster: Postgres) -> None:
        self.cluster = cluster
        self._numbers = itertools.count(1)

    def empty(self) -> str:
        return self.cluster.create(f"test{next(self._numbers)}")

    def copy(self, url: str) -> str:
        return self.cluster.create(f"test{next(self._numbers)}", make_url(url).database or "")

    def drop(self, url: str) -> None:
        self.cluster.drop(make_url(url).database or "")
