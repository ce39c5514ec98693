"""Numbers: however they are written, one E.164 form, never shown whole by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import Number, NumberKind, parse_number


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("0612345678", "+33612345678"),
        ("06 12 34 56 78", "+33612345678"),
        ("06.12.34.56.78", "+33612345678"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("sip:+33612345678@operateur.example;user=phone", "+33612345678"),
        ("sips:0612345678@[2001:db8::1]:5061", "+33612345678"),
        ("tel:+33-6-12-34-56-78", "+33612345678"),
        ("tel:0612345678;phone-context=+33", "+33612345678"),
        ('"Appelant, M." <sip:0612345678@x>;tag=1', "+33612345678"),
        ("0247000000", "+33247000000"),
        # a block the plan has not assigned yet, written without doubt
        ("+33711223344", "+33711223344"),
        ("07 11 22 33 44", "+33711223344"),
    ],
)
def test_reads_what_people_and_switchboards_write(text: str, e164: str) -> None:
    assert parse_number(text) == Number(e164)


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("0692123456", "+262692123456"),
        ("0693123456", "+262693123456"),
        ("0639391234", "+262639391234"),
        ("0690001234", "+590690001234"),
        ("0694201234", "+594694201234"),
        ("0696201234", "+596696201234"),
        ("0262161234", "+262262161234"),
        ("0590201234", "+590590201234"),
    ],
)
def test_an_overseas_number_written_nationally_gets_its_own_territory(text: str, e164: str) -> None:
    assert parse_number(text) == Number(e164)
    assert parse_number(text, "RE") == Number(e164)


@pytest.mark.parametrize(
    ("e164", "kind"),
    [
        ("+33612345678", NumberKind.MOBILE),
        ("+33711223344", NumberKind.MOBILE),
        ("+262692123456", NumberKind.MOBILE),
        ("+32470123456", NumberKind.MOBILE),
        ("+33247000000", NumberKind.LANDLINE),
        ("+33978123456", NumberKind.OTHER),
    ],
)
def test_tells_whether_an_sms_can_arrive(e164: str, kind: NumberKind) -> None:
    assert Number(e164).kind is kind


def test_is_read_aloud_as_its_region_does() -> None:
    assert Number("+33612345678").national == "06 12 34 56 78"
    assert Number("+262692123456").national == "0692 12 34 56"
    assert Number("+32470123456").national == "+32 470 12 34 56"


@pytest.mark.parametrize(
    "text",
    ["", "15", "112", "1501", "anonymous", "sip:anonymous@anonymous.invalid", "+33", "0000000000",
     "http://0612345678", "06123456789012345678", "0612345678" * 100, "tel:", "<>", "+٣٣٦١٢٣٤٥٦٧٨"],
)  # fmt: skip
def test_refuses_what_is_no_number(text: str) -> None:
    assert parse_number(text) is None


def test_is_masked_wherever_it_is_printed() -> None:
    number = Number("+33612345678")
    assert str(number) == f"{number}" == "+336•••••78"
    assert "2345" not in repr(number)
    assert "2345" not in repr([number])


@pytest.mark.parametrize("text", ["0612345678", "+0612345678", "+33 6", "", "+336123456789012345"])
def test_holds_e164_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        Number(text)


@given(st.text(max_size=80), st.sampled_from(["FR", "RE", "BE", "fr", "", "??"]))
def test_never_raises(text: str, region: str) -> None:
    number = parse_number(text, region)
    assert number is None or parse_number(number.e164) == number


@given(st.integers(601_000_000, 638_999_999) | st.integers(740_000_000, 789_999_999))
def test_what_is_shown_nationally_reads_back(digits: int) -> None:
    number = parse_number(f"+33{digits}")
    if number is not None:
        assert parse_number(number.national) == number
