"""scripts/browsers names what a phone of the floor cannot read, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(static: Path) -> str:
    """What it says of this folder."""
    ran = subprocess.run(
        [ROOT / "scripts" / "browsers", f"{static}/"], capture_output=True, text=True, check=False
    )
    assert bool(ran.stderr) == bool(ran.returncode)
    assert not ran.stdout
    return ran.stderr


@pytest.fixture
def static(tmp_path: Path) -> Path:
    for kind in ("js", "css"):
        shutil.copytree(ROOT / "static" / kind, tmp_path / kind)
    return tmp_path


def test_what_is_shipped_is_read_by_the_floor(static: Path) -> None:
    assert check(static) == ""


@pytest.mark.parametrize(
    ("file", "line", "named"),
    [
        ("js/base/guard.js", "let x = () => 1;", "above ES5"),
        ("js/caller/main.js", "class A { static { } }", "static block"),
        ("js/caller/main.js", "class A { @@no }", "above ES2022"),
        ("js/caller/camera/trouble.js", "await null;", "await outside of a function"),
        ("js/caller/phase.js", "const x = /(?<=a)b/;", "look behind"),
        ("js/observer/main.js", "const x = [1].at(-1);", ".at()"),
        ("js/lib/dom.js", "structuredClone({});", "structuredClone"),
        ("js/rtc/sdp.js", "Object.hasOwn({}, 'a');", "Object.hasOwn"),
        ("css/caller/main.css", "main { height: 100dvh; }", "dvh"),
        (
            "css/desk/third_parties.css",
            "main { color: color-mix(in srgb, red, blue); }",
            "colour functions",
        ),
    ],
)
def test_what_is_above_is_named(static: Path, file: str, line: str, named: str) -> None:
    path = static / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    said = check(static)
    assert f"static/{file}" in said
    assert named in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("js/caller/main.js", "export const x = [1].at?.(-1);"),
        ("js/desk/main.js", "export const x = [1].at(-1);"),
        ("css/caller/main.css", "main { height: 100vh; height: 100dvh; }"),
    ],
)
def test_what_asks_first_or_goes_to_desks_only_is_left_alone(
    static: Path, file: str, line: str
) -> None:
    path = static / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert check(static) == ""
