"""Every verb of the audit: what its function makes is what is stored, read back, and said in French."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.audit_entries import canonical
from server.core.journal import payloads, sessions
from server.core.journal.entries import entry
from server.core.journal.payload import Payload
from server.core.journal.payloads import (
    Address,
    Contact,
    Followed,
    Moved,
    Nothing,
    Reason,
    StateChange,
)
from server.core.journal.verbs import FOLLOWED, VERBS, facts, held, kept, sentence
from tests.server.told_verbs import entries

if TYPE_CHECKING:
    from server.core.journal.entries import Entry

TOLD = dict(entries())
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KEYS = sorted({one.name.rstrip("_") for verb in VERBS.values() for one in fields(verb.payload)})
ANY_DATA = JSON | st.dictionaries(st.sampled_from(KEYS), JSON, max_size=6)


def test_every_verb_has_its_function() -> None:
    assert {one.verb.action for one in TOLD.values()} == set(VERBS)


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_what_is_written_is_what_is_read(told: Entry) -> None:
    stored = json.loads(canonical(told.payload.data()))
    verb = VERBS[told.verb.action]
    assert verb.payload.read(stored) == told.payload
    shown = dict(facts(verb.action, stored))
    assert json.loads(canonical(shown)) == stored
    assert [key for key in shown if key in stored] == list(told.payload.data())
    sealed = json.loads(canonical(told.personal.data()))
    assert not sealed or verb.sealed.read(sealed) == told.personal


def test_every_verb_is_said_in_french_and_no_two_alike() -> None:
    said = [verb.said for verb in VERBS.values()]
    assert len(set(said)) == len(said)
    assert all(one[0].isupper() and one[-1].isalpha() and "'" not in one for one in said)
    assert sentence("session.left") == "Vidéo terminée"
    assert sentence("session.cloned") == "session.cloned", "what a later release wrote"


def test_every_type_can_be_read_and_is_used() -> None:
    kinds = {
        one
        for one in vars(payloads).values()
        if isinstance(one, type) and is_dataclass(one) and issubclass(one, Payload)
    }
    for kind in kinds:
        kind.read({})
    used = {half for verb in VERBS.values() for half in (verb.payload, verb.sealed)}
    assert used == kinds - {Payload, Address}


@given(action=st.sampled_from([*sorted(VERBS), "session.cloned", ""]), data=ANY_DATA)
def test_whatever_a_row_holds_is_shown(action: str, data: object) -> None:
    shown = facts(action, data)
    held = data if isinstance(data, dict) else {"data": data}
    assert {key for key, _ in shown} == set(held)
    for key, value in shown:
        alone = isinstance(value, tuple) and value == (held[key],)
        assert alone or json.dumps(value) == json.dumps(held[key])


@given(data=ANY_DATA)
def test_every_type_reads_whatever_there_is(data: object) -> None:
    for verb in VERBS.values():
        read = verb.payload.read(data)
        again = verb.payload.read(json.loads(json.dumps(read.data())))
        assert again == read, "what was read can be written"


def test_a_station_alone_or_in_a_list_is_the_same() -> None:
    assert Moved.read({"to": "202"}) == Moved.read({"to": ["202"]}) == Moved(to=("202",))
    change = StateChange.read({"from": ["201"], "to": {"a": 1}, "reason": 7})
    assert (change.from_, change.to, change.reason) == (None, None, None)


def test_a_row_is_read_as_a_type_only_if_its_verb_holds_it() -> None:
    row = {"from": "live", "to": "ended"}
    assert held("session.left", row, StateChange) == StateChange(from_="live", to="ended")
    assert held("session.followed", row, StateChange) is None
    assert held("session.cloned", row, StateChange) is None, "what a later release wrote"
    assert VERBS[FOLLOWED.action] is FOLLOWED
    assert FOLLOWED.payload is Followed


def test_what_is_sealed_is_stored_as_it_always_was() -> None:
    sealed = {
        name: json.loads(canonical(one.personal.data()))
        for name, one in TOLD.items()
        if one.personal != Nothing()
    }
    assert sealed == {
        "links.invitation_created-full": {"to": "slug"},
        "links.observer_invited-full": {"name": "slug", "to": "slug"},
        "links.observer_invited-spare": {"name": "slug", "to": "slug"},
        "lookups.missed-full": {"asked": "slug"},
        "lookups.missed-spare": {"asked": "slug"},
        "lookups.searched-full": {"value": "slug"},
        "lookups.searched-spare": {"value": "slug"},
        "sessions.session_language-full": {"from": "slug", "to": "slug"},
        "sessions.session_language-spare": {"from": None, "to": "slug"},
        "sessions.session_linked-full": {"reason": "slug"},
    }


def test_the_sealed_half_is_read_as_its_verb_seals_it() -> None:
    assert kept("session.linked", {"reason": "même appelant"}, Reason) == Reason(
        reason="même appelant"
    )
    assert kept("session.linked", None, Reason) == Reason(reason=None), "erased"
    assert kept("session.left", {"reason": "x"}, Reason) is None
    assert kept("session.cloned", {"reason": "x"}, Reason) is None


def test_what_is_not_in_the_list_cannot_be_written() -> None:
    left = sessions.session_left("s", was="live", now="ended", by="desk", reason="quit")
    with pytest.raises(KeyError):
        entry("session.cloned", "session:s", Nothing(), session="s")
    with pytest.raises(TypeError):
        entry("session.left", "session:s", Nothing(), session="s")
    with pytest.raises(TypeError):
        replace(left, verb=replace(left.verb, action="session.cloned"))
    for subject in ("call:c", "session:", "session"):
        with pytest.raises(ValueError, match=r"session\.left of"):
            replace(left, subject=subject)
    with pytest.raises(ValueError, match=r"user\.enabled of user"):
        entry("user.enabled", "user:u", Nothing(), session="s")
    with pytest.raises(TypeError, match="Contact"):
        replace(left, personal=Contact(to="+33612345678"))
