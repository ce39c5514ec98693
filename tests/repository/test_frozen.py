"""What others see stays what it was: tests/frozen.json is compared with the running code (tests/frozen.py says how)."""

from __future__ import annotations

import difflib
import json

import pytest

from tests.frozen import FILE, PARTS, WRITE, built, collect, lines, written

SHOWN = 60  # lines of a difference


@pytest.mark.parametrize("part", PARTS)
def test_what_others_see_is_what_it_was(part: str) -> None:
    was = lines(json.loads(FILE.read_text())[part])
    now = lines(collect([part])[part])
    if was != now:
        names = f"{FILE.name}, {part}", "now"
        diff = list(difflib.unified_diff(was.splitlines(), now.splitlines(), *names, lineterm=""))
        more = f"… and {len(diff) - SHOWN} lines more" if len(diff) > SHOWN else ""
        told = [
            "What others see has changed:",
            *diff[:SHOWN],
            more,
            f"If it was asked for: {WRITE}",
        ]
        pytest.fail("\n".join(filter(None, told)), pytrace=False)


def test_the_file_is_as_the_command_writes_it() -> None:
    text = FILE.read_text()
    assert text == lines(json.loads(text))
    assert set(json.loads(text)) == set(PARTS)


def test_every_message_that_is_built_is_written() -> None:
    assert {kind for page in written().values() for kind in page} == set(built())
