"""scripts/js_imports names an import that crosses a room, a circle, and what no page loads; nothing else."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def check(root: Path) -> list[str]:
    """What it says of this tree, line by line."""
    ran = subprocess.run(
        [ROOT / "scripts" / "js_imports", f"{root}/"], capture_output=True, text=True, check=False
    )
    assert bool(ran.stderr) == bool(ran.returncode)
    assert not ran.stdout
    return ran.stderr.splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("static/js", "static/css", "templates"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def test_the_tree_that_is_shipped_holds(tree: Path) -> None:
    assert check(tree) == []


@pytest.mark.parametrize(
    ("script", "line", "said"),
    [
        (
            "lib/times.js",
            'import { sdp } from "../rtc/sdp.js";',
            "static/js/lib/times.js: lib may not import rtc/sdp.js",
        ),
        (
            "rtc/lenses.js",
            'import { FIRST } from "../caller/phase.js";',
            "static/js/rtc/lenses.js: rtc may not import caller/phase.js",
        ),
        (
            "rtc/lenses.js",
            'const later = () => import("../watching/line.js");',
            "static/js/rtc/lenses.js: rtc may not import watching/line.js",
        ),
        (
            "rtc/lenses.js",
            '/** @typedef {import("../desk/keys.js").Key} Key */',
            "static/js/rtc/lenses.js: rtc may not import desk/keys.js",
        ),
        (
            "watching/sight.js",
            'export { LINE } from "../desk/words.js";',
            "static/js/watching/sight.js: watching may not import desk/words.js",
        ),
        (
            "observer/main.js",
            'import {\n  LINE,\n} from "../desk/words.js";',
            "static/js/observer/main.js: observer may not import desk/words.js",
        ),
        (
            "desk/help/point.js",
            'const all = await fetched("caller/help.js");',
            "static/js/desk/help/point.js: desk may not import caller/help.js",
        ),
        (
            "rtc/sdp.js",
            'import "./peer.js";',
            "a circle: rtc/peer.js → rtc/sdp.js → rtc/peer.js",
        ),
        (
            "desk/keys.js",
            'import { gone } from "./gone.js";',
            "static/js/desk/keys.js: there is no desk/gone.js",
        ),
    ],
)
def test_what_crosses_a_room_is_named(tree: Path, script: str, line: str, said: str) -> None:
    path = tree / "static" / "js" / script
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert said in check(tree)


@pytest.mark.parametrize("unused", ["js/desk/unused.js", "css/desk/unused.css"])
def test_what_no_page_loads_is_named(tree: Path, unused: str) -> None:
    (tree / "static" / unused).write_text("")
    assert check(tree) == [f"static/{unused}: no page loads it"]


def test_a_type_alone_loads_nothing(tree: Path) -> None:
    (tree / "static/js/desk/only_types.js").write_text(
        "/** @typedef {string} Name */\nexport {};\n"
    )
    user = tree / "static/js/desk/keys.js"
    user.write_text(f'{user.read_text()}/** @typedef {{import("./only_types.js").Name}} Name */\n')
    assert check(tree) == ["static/js/desk/only_types.js: no page loads it"]


def test_a_script_stands_in_a_folder(tree: Path) -> None:
    (tree / "static/js/alone.js").write_text("")
    assert check(tree) == [
        "static/js/alone.js: stands in no folder",
        "static/js/alone.js: no page loads it",
    ]


def test_what_a_template_loads_is_there(tree: Path) -> None:
    (tree / "static/css/selftest/main.css").unlink()
    (tree / "static/js/demo/outbox.js").unlink()
    assert check(tree) == [
        "templates: there is no static/js/demo/outbox.js",
        "templates: there is no static/css/selftest/main.css",
    ]
