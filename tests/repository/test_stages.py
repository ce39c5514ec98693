"""The other database: which tests scripts/test runs again on PostgreSQL."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

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
