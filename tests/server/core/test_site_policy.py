"""What a site has decided: read in one place, each key typed, unknown ones refused."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.core.errors import SitePolicyUnreadable
from server.core.site_policy import (
    WHOLE,
    LaunchPolicy,
    ListedObserver,
    SitePolicy,
    SnapshotPolicy,
    read_policy,
)
from server.core.sites import Site

SMUR = {"name": "SMUR", "channel": "sms", "to": "+33612345678"}
DECIDED: dict[str, Any] = {
    "launch_signature": "required",
    "snapshots": "store",
    "observers": [SMUR],
    "webhook": True,
    "timezone": "Indian/Reunion",
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(["store", "required", "Europe/Paris", "America", "../UTC", "a" * 300]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec=None), max_size=6)
            | st.sampled_from([*SitePolicy.model_fields, *SMUR]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


def site(stored: object) -> Site:
    return Site("id", "rivage", "SAMU", "SAMU15", "r@rivage.example", *read_policy(stored))


def test_every_key_is_tried_here() -> None:
    assert set(DECIDED) == set(SitePolicy.model_fields)
    assert set(SMUR) == set(ListedObserver.model_fields)
    assert set(get_args(ListedObserver.model_fields["channel"].annotation)) == {"sms", "email"}


@pytest.mark.parametrize("key", DECIDED)
def test_a_key_is_stored_as_it_was_read_and_no_other_is(key: str) -> None:
    stored = {key: DECIDED[key]}
    policy, unread = read_policy(stored)
    assert unread == ()
    assert policy.stored() == stored
    assert policy != SitePolicy(), "it means something"


def test_what_was_never_decided_has_a_default_and_is_not_stored() -> None:
    policy, unread = read_policy({})
    assert unread == ()
    assert policy.stored() == {}
    assert policy.launch_signature is LaunchPolicy.OPTIONAL
    assert policy.snapshots is SnapshotPolicy.NONE
    assert (policy.observers, policy.webhook, policy.timezone) == ((), False, "Europe/Paris")


def test_a_decision_leaves_the_others() -> None:
    policy, _ = read_policy(DECIDED)
    for given_, key, value in (
        ({"launch_signature": LaunchPolicy.OPTIONAL}, "launch_signature", "optional"),
        ({"snapshots": SnapshotPolicy.NONE}, "snapshots", "none"),
        ({"observers": []}, "observers", []),
        ({"webhook": False}, "webhook", False),
    ):
        assert policy.decide(**given_).stored() == {**DECIDED, key: value}
        assert read_policy(policy.decide(**given_).stored()) == (policy.decide(**given_), ())
    assert SitePolicy().decide(snapshots=SnapshotPolicy.NONE).stored() == {"snapshots": "none"}


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({"snapshotz": "store"}, "'snapshotz'"),
        ({"snapshots": "yes"}, "'snapshots'"),
        ({"launch_signature": None}, "'launch_signature'"),
        ({"webhook": 1}, "'webhook'"),
        ({"timezone": "Mars/Base"}, "'timezone'"),
        ({"timezone": "America"}, "'timezone'"),
        ({"observers": [{**SMUR, "age": 3}]}, "'observers'"),
        ({"observers": SMUR}, "'observers'"),
        ({"é": 1, "b": 2}, r"'b', '\xe9'"),
        ([], f"'{WHOLE}'"),
        (None, f"'{WHOLE}'"),
    ],
)
def test_what_is_not_known_is_refused_with_the_site_and_the_key(stored: object, named: str) -> None:
    with pytest.raises(SitePolicyUnreadable) as refused:
        site(stored).check_policy()
    assert refused.value.detail == f"rivage: {named}"


def test_what_can_be_read_of_it_stays_in_force() -> None:
    policy, unread = read_policy({**DECIDED, "snapshots": "later", "colour": "red"})
    assert unread == ("colour", "snapshots")
    assert policy.stored() == {key: DECIDED[key] for key in DECIDED if key != "snapshots"}
    assert policy.snapshots is SnapshotPolicy.NONE
    assert policy.observers == (ListedObserver(**SMUR),)
    assert read_policy({"launch_signature": "optional", "x": 1})[0].launch_signature == "optional"
    for stored in ({"launch_signatur": "required"}, {"launch_signature": "requird"}, "required"):
        assert read_policy(stored)[0].launch_signature is LaunchPolicy.REQUIRED, "when in doubt"


@given(JSON)
@example({"\ud800": 1})
@example({"timezone": "\ud800"})
@example({"timezone": "a\x00"})
@example({"observers": [{"\ud800": 1}]})
def test_any_json_is_a_policy_or_the_refusal(stored: Any) -> None:
    found = site(stored)
    if not found.unread:
        assert found.policy.stored() == stored
        found.check_policy()
        return
    with pytest.raises(SitePolicyUnreadable):
        found.check_policy()
    assert read_policy(found.policy.stored()) == (found.policy, ())
