"""Sealed by signature (I7): every method of every store, asked by another site for what is not its own."""

from __future__ import annotations

import ast
import asyncio
import importlib
import inspect
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest
from sqlalchemy.exc import IntegrityError

import server
from server.core.db.sealing import BY_TOKEN, EVERYWHERE, name_of
from server.core.errors import AppError
from server.core.limits.throttle import Throttle
from server.core.personal import lookup_of
from server.core.seal import Seal
from server.core.sites import Site
from server.line15.domain.calls import SpanRow
from server.line15.store.calls import CallStore
from server.line15.store.history import HistoryStore
from server.storage import schema
from server.storage.engine import make_engine
from server.storage.transactions import Transactions
from tests.server.storage.sealed_cases import CASES, Asked
from tests.server.storage.two_sites import NOW, NUMBER, A, B, OneSite, furnish, rows

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from server.core.db.unit_of_work import UnitOfWork
    from tests.databases import Databases

SEAL = Seal("k" * 32)


def _stores() -> Iterator[type]:
    """Find every store, in whatever package it stands."""
    root = Path(server.__file__).parent
    for file in sorted(root.rglob("*.py")):
        for name in re.findall(
            r"^class (\w+Store)\b", file.read_text(encoding="utf-8"), re.MULTILINE
        ):
            parts = file.relative_to(root.parent).with_suffix("").parts
            yield getattr(importlib.import_module(".".join(parts)), name)


def _methods() -> dict[str, Callable[..., Any]]:
    return {
        f"{store.__name__}.{name}": method
        for store in _stores()
        for name, method in vars(store).items()
        if not name.startswith("_") and inspect.isroutine(method)
    }


METHODS = _methods()
DECLARED = {name for name, method in METHODS.items() if name_of(method) in BY_TOKEN | EVERYWHERE}
SEALED = sorted(METHODS.keys() - DECLARED)


def _carries_site(kind: object) -> bool:
    """Whether a value of this class names its site, or is one."""
    return kind is Site or (
        is_dataclass(kind) and any(one.name == "site" and one.type is str for one in fields(kind))
    )


# --- the rule --------------------------------------------------------------------------------------
def test_there_are_stores() -> None:
    assert len({name.partition(".")[0] for name in METHODS}) > 20
    assert all(
        inspect.iscoroutinefunction(one) or inspect.isasyncgenfunction(one)
        for one in METHODS.values()
    )


def test_every_method_has_a_case_and_no_case_is_left_over() -> None:
    assert CASES.keys() == METHODS.keys()


@pytest.mark.parametrize("name", SEALED)
def test_the_site_comes_first(name: str) -> None:
    """The site, or a value that carries its own; anything else is declared with `by_token` or `everywhere`."""
    first = list(inspect.signature(METHODS[name]).parameters)[1]
    kind = get_type_hints(METHODS[name])[first]
    assert (first == "site" and kind is str) or _carries_site(kind)


def test_what_is_for_all_sites_says_so() -> None:
    named = {n for n in METHODS if n.endswith("_everywhere") or n == "SiteStore.all"}
    assert named == {name for name, one in METHODS.items() if name_of(one) in EVERYWHERE}
    assert not BY_TOKEN & EVERYWHERE
    for name in DECLARED:
        assert "site" not in inspect.signature(METHODS[name]).parameters, name


def _rows_of(hint: object) -> Iterator[type]:
    """Find the classes of rows in what a method returns."""
    if is_dataclass(hint):
        assert isinstance(hint, type)
        yield hint
    for inner in get_args(hint):
        yield from _rows_of(inner)


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_a_row_found_without_a_site_has_it(name: str) -> None:
    """Whoever has only a token gets the site with the row. A throttle is a keyed hash, of no site."""
    for kind in _rows_of(get_type_hints(METHODS[name])["return"]):
        assert kind in {Site, Throttle} or "site" in {one.name for one in fields(kind)}


# --- every method, asked ----------------------------------------------------------------------------
@dataclass(frozen=True)
class TwoSites:
    """A database with two sites in it; no test commits."""

    url: str
    a: OneSite
    b: OneSite

    @asynccontextmanager
    async def asked(self, by: str) -> AsyncIterator[Asked]:
        engine = make_engine(self.url)
        try:
            async with Transactions(engine, SEAL)() as uow:
                lookup = lookup_of(SEAL, "number", NUMBER) or ""
                own = self.a if by == A else self.b
                yield Asked(uow=uow, own=own, a=self.a, lookup=lookup)
        finally:
            await engine.dispose()


async def _furnished(url: str) -> TwoSites:
    await schema.upgrade(url)
    engine = make_engine(url)
    async with Transactions(engine, SEAL)() as uow:
        found = TwoSites(url, await furnish(uow, A), await furnish(uow, B))
        await uow.commit()
    await engine.dispose()
    return found


@pytest.fixture(scope="module")
def two_sites(databases: Databases) -> Iterator[TwoSites]:
    url = databases.empty()
    loop = asyncio.new_event_loop()  # not asyncio.run, which forgets the test's own loop
    yield loop.run_until_complete(_furnished(url))
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    databases.drop(url)


@dataclass(frozen=True)
class Outcome:
    """What came back, and which rows of each site are other ones than before."""

    result: object
    changed_a: set[str]
    changed_b: set[str]

    @property
    def of_a(self) -> bool:
        return self.result is True or A in repr(self.result) or bool(self.changed_a)

    @property
    def of_b(self) -> bool:
        return B in repr(self.result) or bool(self.changed_b)


async def _told(name: str, asked: Asked) -> Outcome:
    uow = asked.uow
    before = [await rows(uow, mark) for mark in (A, B)]
    result = await _answer(uow, name, asked)
    after = [await rows(uow, mark) for mark in (A, B)]
    return Outcome(result, before[0] ^ after[0], before[1] ^ after[1])


async def _answer(uow: UnitOfWork, name: str, asked: Asked) -> object:
    """Return the answer; None for a refusal, which is not allowed to have changed anything either."""
    point = await uow.connection.begin_nested()
    try:
        return await CASES[name](asked)
    except AppError:
        return None
    except IntegrityError:  # the id is taken, by a row that this site cannot see
        await point.rollback()
        return None


@pytest.mark.parametrize("name", SEALED)
async def test_another_site_finds_and_changes_nothing(name: str, two_sites: TwoSites) -> None:
    async with two_sites.asked(B) as asked:
        told = await _told(name, asked)
        assert not told.of_a, told


@pytest.mark.parametrize("name", SEALED)
async def test_its_own_site_does(name: str, two_sites: TwoSites) -> None:
    """So that no case above finds nothing by mistake."""
    async with two_sites.asked(A) as asked:
        told = await _told(name, asked)
        assert told.of_a
        assert not told.of_b, told


@pytest.mark.parametrize("name", sorted(n for n in DECLARED if name_of(METHODS[n]) in BY_TOKEN))
async def test_a_token_leads_to_its_own_row_alone(name: str, two_sites: TwoSites) -> None:
    async with two_sites.asked(A) as asked:
        told = await _told(name, asked)
        assert told.of_a
        assert not told.of_b, told
        if told.result is not None and not isinstance(told.result, Throttle):
            row: Any = told.result
            assert (row.id if isinstance(row, Site) else row.site) == two_sites.a.site.id


@pytest.mark.parametrize("name", sorted(n for n in DECLARED if name_of(METHODS[n]) in EVERYWHERE))
async def test_the_housekeeping_sees_both(name: str, two_sites: TwoSites) -> None:
    async with two_sites.asked(A) as asked:
        told = await _told(name, asked)
        both = told.of_a and told.of_b
        assert both or told.result == 2 or isinstance(told.result, datetime), told


async def test_the_record_of_a_call_tells_of_no_call_of_another_site(two_sites: TwoSites) -> None:
    a, b = two_sites.a, two_sites.b
    async with two_sites.asked(B) as asked:
        related = SpanRow("related", f"{b.call.id} transfer", NOW, None)
        await HistoryStore(asked.uow).add_spans(a.site.id, a.call.id, [related])
        assert (await CallStore(asked.uow).record(b.site.id, b.call.id)).named_by == ()
        await HistoryStore(asked.uow).add_spans(b.site.id, b.nameless.id, [related])
        named = (await CallStore(asked.uow).record(b.site.id, b.call.id)).named_by
        assert named == ((b.nameless.id, "transfer"),)


# --- no check by hand -------------------------------------------------------------------------------
#: Comparisons with a site that seal nothing.
HARMLESS = {
    "source.site == site.key",  # which of the configured feeds are whose
    "s.id == asked.user.site",  # in whose chain a sign-in is written
    "found.site != self.site",  # what the site has decided since the page was opened
}


def _compared() -> Iterator[str]:
    root = Path(server.__file__).parent
    for file in root.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Compare):
                continue
            sides = [
                one for one in (node.left, *node.comparators) if isinstance(one, ast.Attribute)
            ]
            column = any(
                isinstance(one.value, ast.Attribute) and one.value.attr == "c" for one in sides
            )
            if any(one.attr == "site" for one in sides) and not column:
                yield ast.unparse(node)


def test_no_service_compares_sites_by_hand() -> None:
    """A row of another site never comes out of a store, so there is nothing to compare."""
    assert {one for one in _compared() if not one.endswith("is None")} == HARMLESS
