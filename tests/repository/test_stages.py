"""What scripts/test does: which tests run again on PostgreSQL, and what its end says of those that failed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.failures import MOST_LINES, failures

ROOT = Path(__file__).resolve().parents[2]
#: A file each: a database of its own, a furnished house, a server that runs; none at all, and only a file's.
ASKING = {
    "tests/server/storage/test_writers.py",
    "tests/server/audit/test_erasure.py",
    "tests/server/desk/test_craft.py",
}
OTHERS = {"tests/server/core/test_addresses.py", "tests/server/storage/test_one_hop.py"}


def test_on_the_other_database_run_those_that_ask_for_one() -> None:
    asked = [sys.executable, "-m", "pytest", "--database", "postgres", "--collect-only", "-qq"]
    ran = subprocess.run(
        [*asked, *sorted(ASKING | OTHERS)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert set(re.findall(r"^(tests/\S+?\.py)", ran.stdout, re.MULTILINE)) == ASKING


def test_the_end_of_the_log_says_what_failed(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text(
        "def test_good(): pass\n"
        "def test_wrong(): raise OSError('the disk is full' + '\\nand more' * 50)\n"
        "def test_unready(nothing): pass\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--junitxml",
        str(tmp_path / "one.xml"),
        "test_one.py",
    ]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    (tmp_path / "two.xml").touch()
    wrong, unready, ended = failures(tmp_path)
    assert wrong.startswith("test_one::test_wrong\n    OSError: the disk is full\n    and more\n")
    assert wrong.count("\n") == MOST_LINES
    assert unready.startswith("test_one::test_unready\n")
    assert ended == "a run of tests was ended before its end"
