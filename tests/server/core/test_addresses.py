"""One /64 counts as one, everywhere an address is a key: the rule, and that nothing goes around it."""

from __future__ import annotations

import ast
import re
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.net.addresses import read_address, source_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where requests come in: web, and the pages and use cases of each room.
ASKED = re.compile(r"web/|\w+/(service|web)[/.]")
SERVER = Path(__file__).resolve().parents[3] / "server"
#: What may be given the raw address of a peer, besides functions that only hand it on: the record, and the rule.
ENDS = {"Actor", "source_of"}

v4 = st.ip_addresses(v=4).map(IPv4Address)
v6 = st.ip_addresses(v=6).map(IPv6Address)


@pytest.mark.parametrize(
    ("address", "counts_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:C000:201", "192.0.2.1"),
        ("64:ff9b::192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("fe80::2%7", "fe80::/64"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("192.0.2.1%x", "192.0.2.1%x"),
        ("", ""),
        (None, ""),
        ("no address", "no address"),
    ],
)
def test_under_which_name_an_address_counts(address: str | None, counts_as: str) -> None:
    assert source_of(address) == counts_as


@given(v6, st.integers(0, 2**64 - 1))
def test_no_address_of_a_network_escapes_the_others(found: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(found) >> 64 << 64 | host)
    if {0, 0x64FF9B << 96} & {int(each) >> 64 << 64 for each in (found, neighbour)}:
        return  # IPv4 in IPv6 clothes: below
    assert source_of(str(found)) == source_of(str(neighbour)) == source_of(found.exploded)


@given(v4, v4)
def test_an_ipv4_address_counts_as_itself_however_it_is_written(
    one: IPv4Address, other: IPv4Address
) -> None:
    forms = [str(one), f"::ffff:{one}", f"::ffff:{int(one) >> 16:x}:{int(one) & 0xFFFF:x}"]
    assert {source_of(form) for form in [*forms, f"64:ff9b::{one}"]} == {str(one)}
    assert (source_of(str(other)) == str(one)) == (one == other)


@given(st.text(max_size=40))
def test_whatever_is_no_address_counts_as_it_is(text: str) -> None:
    if read_address(text) is None:
        assert source_of(text) == text


# --- the rule of the house: no key is made of a raw address ---------------------------------------
def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SERVER.rglob("*.py")):
        yield path.relative_to(SERVER).as_posix(), ast.parse(path.read_text())


def test_only_the_headers_of_proxies_are_read_besides() -> None:
    """Whoever takes addresses apart in another place has another rule."""
    reading = {
        name
        for name, tree in modules()
        if ASKED.match(name)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and any(a.name == "ipaddress" for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "ipaddress")
    }
    assert reading == {"web/http/forwarded.py"}


def takes_one(function: ast.AST) -> bool:
    """Tell whether a function takes a peer's address, by the name that all of ours give it."""
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return any(
        each.arg == "address" and each.annotation and ast.unparse(each.annotation) == "str | None"
        for each in (*function.args.args, *function.args.kwonlyargs)
    )


def keeps_one(node: ast.AST) -> bool:
    """Tell whether a class keeps a peer's address."""
    return isinstance(node, ast.ClassDef) and any(
        isinstance(each, ast.AnnAssign) and ast.unparse(each) == "address: str | None"
        for each in node.body
    )


def misused(tree: ast.AST, may_take: set[str]) -> list[str]:
    """Return where a raw address goes into anything but the record, the rule, or what hands it on.

    A line has one too, whatever carries it: its `address` is raw in its turn.
    """
    handed_on = {
        id(value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in may_take
        for value in (*node.args, *(keyword.value for keyword in node.keywords))
    } | {
        id(node.value)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name == "address"
        for node in function.body
        if isinstance(node, ast.Return)
    }
    raw: list[ast.expr] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (node.attr == "remote_ip" or ast.unparse(node) in {"asked.address", "self.address"})
    ]
    raw += [
        node
        for function in ast.walk(tree)
        if takes_one(function)
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id == "address"
    ]
    return [f"line {each.lineno}: {ast.unparse(each)}" for each in raw if id(each) not in handed_on]


def test_no_key_is_made_of_a_raw_address() -> None:
    trees = {n: tree for n, tree in modules() if ASKED.match(n)}
    del trees["web/http/forwarded.py"]  # finds out who the peer is, and sets it
    nodes = [node for tree in trees.values() for node in ast.walk(tree)]
    may_take = ENDS | {
        node.name  # type: ignore[attr-defined]
        for node in nodes
        if takes_one(node) or keeps_one(node)
    }
    assert {"redeem", "request_code", "_address", "_Asked"} <= may_take
    found = {n: wrong for n, tree in trees.items() if (wrong := misused(tree, may_take))}
    assert not found


@pytest.mark.parametrize(
    "does",
    [
        "self.paces.check(self.request.remote_ip, now)",
        "self._seen[self.request.remote_ip] = 1",
        "self._seen[self.address] = 1",
        "key = f'{self.request.remote_ip}:{token}'",
        "self._seal.lookup('address', address)",
        "return address in self._blocked",
        "self._counts[address] += 1",
    ],
)
def test_the_rule_would_notice(does: str) -> None:
    assert misused(ast.parse(f"def act(self, address: str | None): {does}"), ENDS)
