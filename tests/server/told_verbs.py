"""Every function of the journal, called twice: with everything it takes, and with as little as it takes."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import server.core.journal as package
from server.core.journal.entries import Entry, entry
from server.core.journal.messages import MessageChange
from server.core.journal.payload import Absent

AT = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
GIVEN: dict[Any, Any] = {str: "slug", int: 3, bool: True, datetime: AT, float: 1.5}
#: What only some values of a parameter make a verb's subject.
KNOWN = {"kind": "session"}


def functions() -> dict[str, Callable[..., Entry]]:
    """The verbs' functions, by module and name."""
    found: dict[str, Callable[..., Entry]] = {}
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        for name, value in vars(import_module(module.name)).items():
            if (
                inspect.isfunction(value)
                and not name.startswith("_")
                and value.__module__ == module.name
                and get_type_hints(value).get("return") is Entry
                and value is not entry
            ):
                found[f"{module.name.rpartition('.')[2]}.{name}"] = value
    return found


def _value(hint: Any, name: str, *, least: bool) -> Any:
    if get_origin(hint) is UnionType:
        kinds = [one for one in get_args(hint) if one is not Absent]
        return None if least and NoneType in kinds else _value(kinds[0], name, least=least)
    if get_origin(hint) is Sequence:
        return () if least else ("one", "two")
    if hint is MessageChange:
        return MessageChange(**_arguments(MessageChange.__init__, least=least))
    return KNOWN.get(name, GIVEN[hint])


def _arguments(function: Callable[..., Any], *, least: bool) -> dict[str, Any]:
    hints = get_type_hints(function, {**vars(import_module(function.__module__))})
    return {
        name: _value(hints[name], name, least=least)
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self" and not (least and parameter.default is not parameter.empty)
    }


def entries() -> Iterator[tuple[str, Entry]]:
    """An entry of each function, full and spare."""
    for name, function in functions().items():
        for least in (False, True):
            yield (
                f"{name}-{'spare' if least else 'full'}",
                function(**_arguments(function, least=least)),
            )
