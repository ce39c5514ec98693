"""Says at the end of a long log once more what failed: `python -m tests.failures FOLDER`, of JUnit files."""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

MOST_LINES = 12  # of one failure


def failures(folder: Path) -> list[str]:
    """Return the name of each test that failed, each followed by the beginning of what it said."""
    found = []
    for file in sorted(folder.glob("*.xml")):
        if not file.stat().st_size:
            found.append("a run of tests was ended before its end")
            continue
        for case in ET.parse(file).iter("testcase"):  # noqa: S314 - pytest wrote it a moment ago
            for fault in (*case.iter("failure"), *case.iter("error")):
                said = fault.get("message", "").splitlines()[:MOST_LINES]
                name = f"{case.get('classname')}::{case.get('name')}"
                found.append("\n".join((name, *(f"    {line}" for line in said))))
    return found


if __name__ == "__main__":
    sys.stdout.writelines(f"\n{one}\n" for one in failures(Path(sys.argv[1])))
