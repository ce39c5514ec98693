"""Scripts are served without comments and blanks, and mean what their source means."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from server.web.static_files import Static, lean

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))


def served(path: Path) -> str:
    return b"".join(Static.get_content(str(path))).decode()


def changed(scripts: list[tuple[str, str, str]]) -> list[str]:
    """Return the names of those whose served text is another program."""
    said = subprocess.run(
        ["node", "tests/js/served.mjs"],
        cwd=ROOT,
        input=json.dumps(scripts),
        capture_output=True,
        text=True,
        check=True,
    )
    return said.stdout.split()


def test_every_script_means_what_its_source_means() -> None:
    """A library that takes out too much, or a way of writing that it does not know, shows here."""
    assert SCRIPTS
    assert changed([(str(p), p.read_text(), served(p)) for p in SCRIPTS]) == []


def test_the_comparison_sees_a_lost_word() -> None:
    text = "const a = `x ${1 // one\n} // no comment`; /* gone */ export const b = () => { return /\\/\\//.test(a); };"
    assert changed([("same", text, text.replace("/* gone */", ""))]) == []
    assert changed([("word", text, text.replace("// no comment", ""))]) == ["word"]
    assert changed([("code", text, text.replace("return ", ""))]) == ["code"]


def test_what_is_served_is_about_half() -> None:
    whole = sum(len(p.read_bytes()) for p in SCRIPTS)
    assert sum(len(served(p)) for p in SCRIPTS) < 0.7 * whole


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.js"
    for text in ("let a = 1; // one", "let a = 22; // two"):
        path.write_text(text)
        lean.cache_clear()
        assert served(path) == text.split(" //")[0].replace(" = ", "=")


def test_other_files_are_served_as_they_are() -> None:
    sprite = ROOT / "static" / "vendor" / "lucide" / "sprite.svg"
    assert served(sprite) == sprite.read_text()
