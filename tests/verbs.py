"""The table of docs/audit.md, from the list of verbs; tests/repository/test_journal.py compares them.

.venv/bin/python -m tests.verbs --write
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from server.core.journal.verbs import VERBS

if TYPE_CHECKING:
    from server.core.journal.verbs import Verb

FILE = Path(__file__).parent.parent / "docs/audit.md"
WRITE = ".venv/bin/python -m tests.verbs --write"
BEGIN, END = "<!-- verbs -->", "<!-- end -->"
HEAD = "| action | on the page | subject | data | sealed | of a video |\n|---|---|---|---|---|---|"


def _line(verb: Verb) -> str:
    keys, sealed = (
        [one.name.rstrip("_") for one in fields(half)] for half in (verb.payload, verb.sealed)
    )
    cells = [
        f"`{verb.action}`",
        verb.said,
        ", ".join(sorted(verb.subjects)),
        ", ".join(keys),
        ", ".join(sealed),
        "yes" if verb.of_video else "",
    ]
    return "| " + " | ".join(cells) + " |"


def written(text: str) -> str:
    """The page with the table as the list has it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join([HEAD, *(_line(verb) for verb in VERBS.values())])
    return f"{before}{BEGIN}\n{table}\n{END}{after}"


if __name__ == "__main__" and "--write" in sys.argv:
    FILE.write_text(written(FILE.read_text()))
