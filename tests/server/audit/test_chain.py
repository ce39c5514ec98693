"""The chain shows any change of any row or payload, and survives every erasure (I4)."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.audit.domain.chain import UNREADABLE, ChainVerdict, ChainVerifier, verify
from server.core.audit_entries import GENESIS, AuditRow, canonical, commitment, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    Linked = tuple[AuditRow, tuple[bytes, str] | None]

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
DATA = st.dictionaries(st.text(max_size=6), JSON, max_size=4)
CHAINS = st.lists(st.tuples(st.text("abc.", min_size=1, max_size=9), DATA), min_size=1, max_size=8)


def build(events: Sequence[tuple[str, dict[str, Any]]]) -> list[Linked]:
    chain: list[Linked] = []
    prev = GENESIS
    for seq, (action, data) in enumerate(events, 1):
        salt, payload = os.urandom(16), canonical({"address": f"192.0.2.{seq}"})
        row = AuditRow(
            "s",
            seq,
            NOW + timedelta(seconds=seq),
            "desk",
            action,
            "x:1",
            None,
            "c",
            "u",
            json.loads(canonical(data)),
            commitment(salt, payload),
            prev,
            "",
        )
        row = replace(row, hash=digest(row))
        prev = row.hash
        chain.append((row, (salt, payload)))
    return chain


def read(chain: Sequence[Linked]) -> ChainVerdict:
    verifier = ChainVerifier()
    for row, payload in chain:
        verifier.feed(row, payload)
    return verifier.verdict()


@given(CHAINS)
def test_an_honest_chain_is_whole(events: list[tuple[str, dict[str, Any]]]) -> None:
    chain = build(events)
    assert read(chain) == ChainVerdict(len(chain), chain[-1][0].hash, None)
    assert verify(row for row, _ in chain).intact


def changed(row: AuditRow, name: str, data: st.DataObject) -> AuditRow:
    value = getattr(row, name)
    if isinstance(value, int):
        return replace(row, **{name: value + data.draw(st.sampled_from([-1, 1, 100]))})
    if isinstance(value, datetime):
        return replace(row, **{name: value + timedelta(microseconds=data.draw(st.integers(1, 9)))})
    if isinstance(value, dict):
        return replace(
            row, **{name: data.draw(DATA.filter(lambda d: canonical(d) != canonical(value)))}
        )
    return replace(row, **{name: data.draw(st.text(max_size=70).filter(lambda t: t != value))})


@given(CHAINS, st.data())
def test_any_change_of_any_field_is_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    at = data.draw(st.integers(0, len(chain) - 1))
    name = data.draw(st.sampled_from([field.name for field in fields(AuditRow)]))
    row, payload = chain[at]
    chain[at] = (changed(row, name, data), payload)
    assert not read(chain).intact


@given(CHAINS, st.data())
def test_a_change_that_is_hashed_again_is_found_unless_it_is_the_last(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build([*events, ("last", {})])
    at = data.draw(st.integers(0, len(chain) - 2))
    row = replace(chain[at][0], actor="somebody-else")
    chain[at] = (replace(row, hash=digest(row)), chain[at][1])
    assert read(chain).broken_at == at + 2


@given(CHAINS, st.data())
def test_any_change_of_a_payload_is_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    at = data.draw(st.integers(0, len(chain) - 1))
    row, (salt, text) = chain[at][0], chain[at][1] or UNREADABLE
    other = data.draw(
        st.sampled_from([(salt, text + " "), (bytes(16), text), UNREADABLE, (salt, "{}")])
    )
    chain[at] = (row, other)
    assert read(chain).broken_at == at + 1


@given(CHAINS, st.data())
def test_erasing_payloads_breaks_nothing(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build(events)
    erased = data.draw(st.sets(st.integers(0, len(chain) - 1)))
    whole = [(row, None if i in erased else payload) for i, (row, payload) in enumerate(chain)]
    assert read(whole).intact


@given(CHAINS, st.data())
def test_rows_removed_repeated_or_exchanged_are_found(
    events: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    chain = build([*events, ("a", {}), ("b", {})])
    at = data.draw(st.integers(0, len(chain) - 2))
    for broken in (
        [*chain[:at], *chain[at + 1 :]],
        [*chain[: at + 1], *chain[at:]],
        [*chain[:at], chain[at + 1], chain[at], *chain[at + 2 :]],
    ):
        assert not read(broken).intact


@given(CHAINS)
def test_a_cut_end_is_found_by_a_head_noted_elsewhere(
    events: list[tuple[str, dict[str, Any]]],
) -> None:
    chain = build([*events, ("last", {})])
    for rows, met in ((chain, True), (chain[:-1], False)):
        verifier = ChainVerifier(chain[-1][0].hash)
        for row, payload in rows:
            verifier.feed(row, payload)
        assert verifier.verdict().intact
        assert verifier.met == met


def test_what_has_no_stable_form_is_our_mistake() -> None:
    for value in (object(), b"x", {1, 2}):
        with pytest.raises(TypeError):
            canonical({"value": value})
    with pytest.raises(ValueError, match="JSON"):
        canonical({"value": float("nan")})
