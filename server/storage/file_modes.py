"""The files of an SQLite database: for the user of the service alone, whatever its umask.

SQLite gives its -wal, -shm and -journal the mode of the database itself.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

from server.core.errors import StorageUnavailable

OWN_FILE: Final = 0o600
OWN_FOLDER: Final = 0o700
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
BESIDE: Final = ("", "-wal", "-shm", "-journal")


def make_private(file: Path) -> None:
    """Make the file, empty, and its folder, unless they are there. Raises StorageUnavailable."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=OWN_FOLDER)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWN_FILE))
    except OSError as fault:
        raise StorageUnavailable(type(fault).__name__) from fault


def open_to_others(file: Path) -> list[Path]:
    """Return those of the database's files that others may read or write."""
    return [each for each in _files(file) if _mode(each) & OTHERS]


def close_to_others(file: Path) -> list[Path]:
    """Take the files from others and return those that needed it; one of another owner stays as it is.

    A folder that was there before is not ours to close: the doctor tells.
    """
    closed = []
    for each in open_to_others(file):
        with suppress(OSError):
            each.chmod(OWN_FILE)
            closed.append(each)
    return closed


def _files(file: Path) -> list[Path]:
    return [file.with_name(file.name + end) for end in BESIDE]


def _mode(file: Path) -> int:
    try:
        return file.stat().st_mode
    except OSError:
        return 0
