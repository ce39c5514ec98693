"""Each part of the server is built in one place: a room's wire, or the wiring of the whole."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
#: The wiring of the whole, above the rooms' wires.
WHOLE = ("app/wiring.py", "app/features.py", "app/foundation.py")
#: Where the classes stand of which a server has one: use cases, what speaks to the outside, what all stand on.
PARTS = {"service", "files", "mail", "outbox", "passwords", "transactions", "seal", "bus"}
MODULES = {"server.web.metrics", "server.web.pages"}
MOST_BY_POSITION = 4
#: Of a value: what a row or a message is made of.
MOST_OF_A_VALUE = 5
#: A name and its columns.
LISTS = {"Table"}


def modules() -> Iterator[tuple[str, bool]]:
    """Every module of the server, and whether it wires."""
    for file in sorted((ROOT / "server").rglob("*.py")):
        inside = file.relative_to(ROOT / "server")
        wires = "wire" in inside.with_suffix("").parts or str(inside) in WHOLE
        yield str(file.relative_to(ROOT)), wires


def is_part(class_: type) -> bool:
    return class_.__module__ in MODULES or bool(PARTS & set(class_.__module__.split(".")))


def built(file: str, source: str) -> Iterator[tuple[int, type]]:
    """Which parts a module builds, and in which line; those that it defines itself are its own affair."""
    tree = ast.parse(source)
    classes: dict[str, type] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("server"):
            module = importlib.import_module(node.module or "")
            for alias in node.names:
                found = getattr(module, alias.name, None)
                if inspect.isclass(found) and is_part(found):
                    classes[alias.asname or alias.name] = found
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            class_ = classes.get(node.func.id)
            if class_ is not None:
                yield node.lineno, class_


@cache
def wired() -> dict[type, set[str]]:
    """The parts that wires build, and the modules that do."""
    found: dict[type, set[str]] = {}
    for file, wires in modules():
        for _, class_ in built(file, (ROOT / file).read_text()) if wires else ():
            found.setdefault(class_, set()).add(file)
    return found


def strays(file: str, source: str) -> list[str]:
    """What a module builds that a wire builds."""
    return [
        f"{file}:{line} builds {class_.__name__}"
        for line, class_ in built(file, source)
        if class_ in wired()
    ]


def test_what_a_wire_builds_nothing_else_builds() -> None:
    assert not [
        stray
        for file, wires in modules()
        if not wires
        for stray in strays(file, (ROOT / file).read_text())
    ]


def test_each_part_is_built_by_one_wire() -> None:
    assert not {class_.__name__: files for class_, files in wired().items() if len(files) > 1}


@pytest.mark.parametrize(
    "source",
    [
        "from server.administration.service.admin import Admin\nAdmin(1, 2, 3, 4)",
        "from server.storage.transactions import Transactions as Units\nUnits(1, 2)",
        "def late():\n    from server.core.seal import Seal\n    return Seal('k')",
    ],
)
def test_a_second_place_is_found(source: str) -> None:
    assert strays("server/cli/late.py", source)


def test_few_parts_are_given_by_position() -> None:
    """Beyond these, a name stands at each: two of a kind are never mistaken for each other."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    parts = wired()
    assert len(parts) > 40
    for class_ in parts:
        parameters = inspect.signature(class_).parameters.values()
        assert len([one for one in parameters if one.kind in kinds]) <= MOST_BY_POSITION, class_


def unnamed(file: str, source: str) -> list[str]:
    """Calls of a class with many arguments by position, and calls that hide how many there are."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        found += [
            f"{file}:{node.lineno} splats what stands there"
            for one in node.args
            if isinstance(one, ast.Starred) and isinstance(one.value, ast.Tuple | ast.List)
        ]
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        is_class = called.lstrip("_")[:1].isupper() and called not in LISTS
        if is_class and len(node.args) > MOST_OF_A_VALUE:
            found.append(f"{file}:{node.lineno} gives {called} {len(node.args)} by position")
    return found


def test_many_arguments_are_given_by_name() -> None:
    assert not [
        found for file, _ in modules() for found in unnamed(file, (ROOT / file).read_text())
    ]


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("Site(1, 2, 3, 4, 5, 6)", True),
        ("_Parts(1, 2, 3, 4, 5, 6)", True),
        ("sites.Site(1, 2, 3, 4, 5, 6)", True),
        ("link_message(*(1, 2), name=3)", True),
        ("link_message(*[1, 2], name=3)", True),
        ("Site(1, 2, 3, 4, 5, policy=6)", False),
        ("link_message(*pair, name=3)", False),
        ("Table('t', metadata, 1, 2, 3, 4, 5)", False),
    ],
)
def test_a_call_without_names_is_found(source: str, *, refused: bool) -> None:
    assert bool(unnamed("server/late.py", source)) is refused
