"""Paths are made in one typed way: a dictionary of arguments would lose what mypy knows of a handler."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
TYPED = ROOT / "server" / "web" / "routing.py"
UNTYPED = {"URLSpec", "Rule", "url"}  # take a dictionary of arguments
#: Tornado's hook, which takes whatever the dictionary has.
HOOK = "initialize"


def untyped(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in UNTYPED:
                yield f"{node.lineno}: {name}(…)"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == HOOK:
            yield f"{node.lineno}: {HOOK}"
        elif isinstance(node, ast.Tuple) and _is_path(node):
            yield f"{node.lineno}: a tuple as a path"


def _is_path(node: ast.Tuple) -> bool:
    """Whether Application would take it for a path: pattern, handler, dictionary."""
    match node.elts:
        case [ast.Constant(value=str()) | ast.JoinedStr(), ast.Name(), ast.Dict()]:
            return True
    return False


def test_only_one_module_makes_paths() -> None:
    found = {
        f"{file.relative_to(ROOT)}:{line}"
        for file in (ROOT / "server").rglob("*.py")
        if file != TYPED
        for line in untyped(file.read_text())
    }
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        'URLSpec(r"/desk", DeskPage, {"web": web})',
        'tornado.web.url(r"/desk", DeskPage, {})',
        "Rule(LinkAsSentMatches(CALLER), CallerPageAsSent, base)",
        'Application([(r".*", ToTls, {"phone_url": phone_url})])',
        "class DeskPage:\n    def initialize(self, web): ...",
    ],
)
def test_an_untyped_path_is_seen(source: str) -> None:
    assert list(untyped(source))


def test_a_typed_path_is_none() -> None:
    assert not list(untyped('path(r"/desk", DeskPage, web=web)'))
