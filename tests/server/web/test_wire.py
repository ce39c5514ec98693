"""Every refusal has its code, its status and its close code; the codes are a promise. Sentences: test_sentences.py."""

from __future__ import annotations

import re
from typing import Final

import pytest

import server.app.rules  # noqa: F401 - it knows the refusals of every room
from server.core.errors import AppError, StorageUnavailable, walk
from server.web.status import WIRE, close_code_of, status_of

#: What may be on the wire; a command of the administrator has refusals of its own.
KINDS: Final = [kind for kind in walk() if kind.__module__.endswith(".errors")]
#: The contract with pages, gateways and statistics: a code is never renamed.
CODES: Final = {
    400: "alias_malformed candidate_left_out candidate_malformed carrier_refused contact_missing email_impossible"
    " host_unknown invalid launch_too_large link_reason_missing message_malformed message_out_of_order"
    " message_too_large message_unknown name_missing number_ambiguous number_impossible number_landline"
    " picture_malformed picture_too_large sdp_audio sdp_codec"
    " sdp_data_channel sdp_malformed sdp_refused sdp_too_large site_policy_unreadable webhook_key_malformed"
    " webhook_malformed webhook_too_large webhook_too_many",
    401: "bad_credentials code_expired not_signed_in sign_in_over webhook_expired"
    " webhook_signature_wrong webhook_unsigned",
    403: "cookies_missing forbidden launch_expired launch_signature_wrong launch_unsigned"
    " observer_removed origin_foreign"
    " snapshot_not_allowed xsrf_refused",
    404: "call_unknown code_wrong link_unknown not_found photo_unknown recording_erased recording_missing"
    " recording_outside recording_unknown snapshot_erased snapshot_unknown station_unknown wire_unknown",
    409: "already_invited call_ambiguous conflict incident_changed launch_replayed link_changed link_expired"
    " link_revoked offer_gone open_elsewhere phone_away selftest_running session_ended station_taken taken_over"
    " viewers_full"
    " webhook_body_conflict webhook_replayed wire_gap",
    429: "code_throttled code_too_many help_flood login_throttled message_flood picture_too_many pointer_flood"
    " selftest_spent snapshot_too_many too_many too_many_messages too_many_reports webhook_flood",
    500: "error",
    503: "carrier_unavailable demonstration_refused recordings_away schema_mismatch storage_unavailable"
    " unavailable webhook_not_ready wires_full",
}


def test_walk_finds_what_is_defined() -> None:
    assert StorageUnavailable in KINDS
    assert len(KINDS) == len(set(KINDS))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_each_refusal_has_a_code_of_its_own(kind: type[AppError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
    assert "code" in vars(kind)
    assert [other for other in KINDS if other.code == kind.code] == [kind]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_each_refusal_has_its_status_and_its_close_code(kind: type[AppError]) -> None:
    status, close = status_of(kind()), close_code_of(kind())
    assert kind.code in CODES[status].split()
    assert close == (1011 if status == 500 else 4000 + status)


def test_no_code_of_the_contract_is_gone() -> None:
    promised = {code for codes in CODES.values() for code in codes.split()}
    assert promised == {kind.code for kind in KINDS}


def test_every_refusal_but_the_root_belongs_to_one_family() -> None:
    for kind in KINDS:
        families = [family for family in WIRE if issubclass(kind, family)]
        assert len(families) == (kind is not AppError), kind


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_a_refusal_shows_its_code_and_what_was_noted(kind: type[AppError]) -> None:
    assert str(kind()) == kind.code
    assert str(kind("slug")) == kind("slug").detail == "slug"
