"""Where an invitation may go: mobiles of every territory and country, landlines refused with what to do instead."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.errors import Invalid
from server.core.words.for_caller import aloud
from server.core.words.for_doctor import for_doctor
from server.delivery.domain.contacts import check_email, check_mobile
from server.delivery.errors import (
    EmailImpossible,
    NumberAmbiguous,
    NumberImpossible,
    NumberLandline,
)


# --- mobiles ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "e164"),
    [
        ("0612345678", "+33612345678"),
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("06-12-34-56-78", "+33612345678"),
        (" 0612345678 ", "+33612345678"),
        ("06\u00a012\u00a034\u00a056\u00a078", "+33612345678"),
        ("+33612345678", "+33612345678"),
        ("\u202d+33 6 12 34 56 78\u202c", "+33612345678"),  # out of an address book
        ("٠٦١٢٣٤٥٦٧٨", "+33612345678"),
        ("++33612345678", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("0756123456", "+33756123456"),
        ("0692123456", "+262692123456"),  # La Réunion
        ("0693123456", "+262693123456"),
        ("+262692123456", "+262692123456"),
        ("0639012345", "+262639012345"),  # Mayotte
        ("0639123456", "+262639123456"),  # there too, a block that no operator has yet
        ("0690123456", "+590690123456"),  # Guadeloupe, Saint-Martin, Saint-Barthélemy
        ("0691123456", "+590691123456"),
        ("0694123456", "+594694123456"),  # Guyane
        ("0696123456", "+596696123456"),  # Martinique
        ("+508551234", "+508551234"),  # Saint-Pierre-et-Miquelon
        ("+68987123456", "+68987123456"),  # Polynésie française
        ("+687751234", "+687751234"),  # Nouvelle-Calédonie
        ("+32470123456", "+32470123456"),  # Belgique
        ("+41791234567", "+41791234567"),  # Suisse
        ("+4915123456789", "+4915123456789"),
        ("+447911123456", "+447911123456"),
        ("+393123456789", "+393123456789"),
        ("+34612345678", "+34612345678"),
        ("+351912345678", "+351912345678"),
        ("+212612345678", "+212612345678"),
        ("+213551234567", "+213551234567"),
        ("+352621123456", "+352621123456"),
        ("+12025550123", "+12025550123"),  # there, mobiles cannot be told from landlines
    ],
)
def test_a_mobile_of_anywhere_is_taken(typed: str, e164: str) -> None:
    assert check_mobile(typed) == e164


@pytest.mark.parametrize(
    "typed",
    [
        "0123456789",
        "01 44 49 20 20",
        "+33144492020",
        "0262123456",  # La Réunion
        "0269601234",  # Mayotte
        "0590201234",  # Guadeloupe
        "0594301234",  # Guyane
        "0596601234",  # Martinique
        "+3222345678",
        "+41443001234",
    ],
)
def test_a_landline_is_refused_with_what_to_ask(typed: str) -> None:
    with pytest.raises(NumberLandline) as refused:
        check_mobile(typed)
    assert refused.value.code == "number_landline"
    assert "portable" in aloud(refused.value)


@pytest.mark.parametrize(
    "typed",
    [
        "15",
        "112",
        "18",
        "3114",
        "1601",
        "36 15",
        "+",
        "0",
        "06",
        "06123456789012345678",
        "061234567",
        "abc",
        "06 ABCDEFGH",
        "zéro six",
        "0612345678 ou 0698765432",
        "06123\n45678",
        "06123456\x0078",
        "0800123456",  # free call
        "0899123456",  # premium rate
        "+999123456789",
        "+33912345",
        "06 12 34 56 7",  # a digit is missing
        "caller@example.org",
        "sip:15@pbx.example",
        "x" * 254,
    ],
)
def test_what_takes_no_sms_is_refused(typed: str) -> None:
    with pytest.raises(NumberImpossible) as refused:
        check_mobile(typed)
    assert refused.value.code == "number_impossible"
    assert aloud(refused.value)


@pytest.mark.parametrize(
    "typed", ["00612345678", "00 687 75 12 34", "chambre 4 07 22 34 56 78", "4. 06 12 34 56 78"]
)
def test_what_may_be_two_persons_is_refused_with_how_to_write_it(typed: str) -> None:
    """+687 75 12 34 in New Caledonia, or 0 for an outside line and 06 87 75 12 34; a room, or a country's code."""
    with pytest.raises(NumberAmbiguous) as refused:
        check_mobile(typed)
    assert refused.value.code == "number_ambiguous"
    assert "+" in for_doctor(refused.value)
    assert "chambre" in for_doctor(refused.value)


def test_a_machine_takes_no_sms() -> None:
    with pytest.raises(NumberImpossible):
        check_mobile("07001234567890")


@given(st.one_of(st.text(), st.text("+0123456789 ()-.", max_size=20)))
def test_anything_typed_is_a_mobile_or_refused(typed: str) -> None:
    try:
        found = check_mobile(typed)
    except (NumberAmbiguous, NumberImpossible, NumberLandline):
        return
    assert re.fullmatch(r"\+[1-9][0-9]{6,14}", found)
    assert check_mobile(found) == found


# --- addresses -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("jeanne@example.fr", "jeanne@example.fr"),
        (" jeanne@example.fr ", "jeanne@example.fr"),
        ("Jeanne.Martin+samu@Example.FR", "Jeanne.Martin+samu@example.fr"),
        ("j_m-1@mail.chu-tours.fr", "j_m-1@mail.chu-tours.fr"),
        ("o'neil@example.ie", "o'neil@example.ie"),
        ("Jeanne Martin <jeanne@example.fr>", "jeanne@example.fr"),  # pasted from a mail program
    ],
)
def test_an_address_is_taken(typed: str, address: str) -> None:
    assert check_email(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        "jeanne",
        "@example.fr",
        "jeanne@",
        "jeanne@example",
        "jeanne@@example.fr",
        "jeanne@example..fr",
        ".jeanne@example.fr",
        "jeanne martin@example.fr",
        "jeanne@exam ple.fr",
        "jeanne@example.fr\nBcc: all@example.fr",
        "jeanne@example.fr\r\n.\r\nMAIL FROM:<x@y.fr>",
        "jeanne@example.fr, paul@example.fr",
        "jeanne@example.fr;paul@example.fr",
        "jeanne@-example.fr",
        "jeanne@[127.0.0.1]",
        "jeanne@localhost",
        "jeanne@" + "a" * 250 + ".fr",
        "0612345678",
        "",
        "\x00",
        "\ud800@example.fr",
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(EmailImpossible) as refused:
        check_email(typed)
    assert refused.value.code == "email_impossible"
    assert aloud(refused.value)


@given(st.one_of(st.emails(), st.text(), st.text("a.@-+<>, \r\n", max_size=20)))
def test_any_address_is_taken_or_refused(typed: str) -> None:
    try:
        found = check_email(typed)
    except Invalid:
        return
    assert found.count("@") == 1
    assert found.isprintable()
    assert not re.search(r"[\s<>,;]", found)
    assert check_email(found) == found
