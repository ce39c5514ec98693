"""Numbers: however they are written, one E.164 form, never shown whole by accident."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat

from telephony import Number, NumberKind, parse_number
from telephony.model.number import is_ambiguous
from tests.telephony.strategies import PASTED, pasted


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
    assert Number("+687751234").national == "+687 75.12.34", "six digits are nobody's elsewhere"


@pytest.mark.parametrize(
    "text",
    ["", "15", "112", "1501", "anonymous", "sip:anonymous@anonymous.invalid", "+33", "0000000000",
     "http://0612345678", "06123456789012345678", "0612345678" * 100, "tel:", "<>"],
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


@given(PASTED)
def test_what_is_shown_of_any_country_reads_back(text: str) -> None:
    """What a desk shows is typed, and put into its field, again."""
    number = parse_number(text)
    assert number is None or parse_number(number.national) == number


@given(st.integers(601_000_000, 638_999_999) | st.integers(740_000_000, 789_999_999))
def test_what_is_shown_nationally_reads_back(digits: int) -> None:
    number = parse_number(f"+33{digits}")
    if number is not None:
        assert parse_number(number.national) == number


# --- what people paste (github.com/signalapp/Signal-Android/issues/11630, verbb/hyper/issues/86,
# glific/glific/issues/4815, woocommerce/woocommerce/issues/58000, joost/phony_rails/issues/120)
@pytest.mark.parametrize(
    "text",
    [
        "\u202d+33 6 12 34 56 78\u202c",  # contacts of Windows and Apple
        "\u206806 12 34 56 78\u2069",  # Android
        "\u200e0612345678",
        "\u202a+33612345678\u202c",
        "\ufeff0612345678\u200b",
        "06\u202f12\u202f34\u202f56\u202f78",  # Word
        "06\u200912\u200734\u300056\u00a078",
        "06\u201112\u201134\u201156\u201178",
        "+33\u20136\u201312345678",
        "+33\u22126\u221212345678",
        "+33\ufe0d612345678",  # out of a PDF
        "06/12/34/56/78",
        "06·12·34·56·78",
        "[06] 12 34 56 78",
        "(+33) 6 12 34 56 78",
        "++33612345678",
        "０６１２３４５６７８",
        "＋３３ ６ １２ ３４ ５６ ７８",
        "٠٦١٢٣٤٥٦٧٨",
        "+٣٣٦١٢٣٤٥٦٧٨",
        "06\t12\t34\t56\t78\r\n",
        "Tél. : 06 12 34 56 78",
        "☎ 06 12 34 56 78.",
        "« 06 12 34 56 78 »",
        "Mme Durand, 06 12 34 56 78",
        "*31#0612345678",
        "#31# 06 12 34 56 78",
    ],
)
def test_reads_what_people_paste(text: str) -> None:
    assert parse_number(text) == Number("+33612345678")


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 5O 78",  # the letter O
        "0612345678 (portable)",
        "06 12 34 56 …",  # cut short by a screen
        "+49 151 234567…",
        "…612345678",
        "+336•••••78",
        "0612345678²",
        "0612345678#",
        "0,0612345678",
        "15 0612345678",
        "0612345678 / 0145678901",
        "06 12 34 56 78 ; 06 98 76 54 32",
        "5551234567",
        '"<0612345678>"',
    ],
)
def test_guesses_nothing(text: str) -> None:
    assert parse_number(text) is None


@given(pasted(PASTED))
def test_reads_what_libphonenumber_reads(text: str) -> None:
    """The same number, or more than it reads; but never what may be two persons'."""
    assume(not is_ambiguous(text))
    try:
        theirs = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        theirs = None
    ours = parse_number(text)
    assert ours is not None
    if theirs is not None and phonenumbers.is_valid_number(theirs):
        assert ours.e164 == phonenumbers.format_number(theirs, PhoneNumberFormat.E164)


@given(st.from_regex(r"(\+|00|0|33|0033|)[0-9 ]{6,13}", fullmatch=True, alphabet="0123456789+ "))
def test_never_reads_another_number_than_libphonenumber(text: str) -> None:
    ours = parse_number(text)
    try:
        theirs = phonenumbers.parse(text, "FR")
    except phonenumbers.NumberParseException:
        return
    if ours is not None and phonenumbers.is_valid_number(theirs):
        assert ours.e164 == phonenumbers.format_number(theirs, PhoneNumberFormat.E164)


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("+330612345678", "+33612345678"),
        ("00330612345678", "+33612345678"),
        ("0033 (0)6 12 34 56 78", "+33612345678"),
        ("+39 (0)6 12345678", "+390612345678"),  # Italy keeps its zero
        ("+41 (0)79 123 45 67", "+41791234567"),
        ("687738358", "+33687738358"),  # a spreadsheet took the zero
        ("376312345", "+33376312345"),
        ("+687751234", "+687751234"),
        ("+376312345", "+376312345"),
        ("41791234567", "+41791234567"),
        ("39347123456", "+39347123456"),
        ("00919262175513", "+919262175513"),
        ("0596123456", "+596596123456"),  # a block not yet assigned
        ("0709123456", "+596709123456"),
        ("0709012345", "+590709012345"),
        ("0709212345", "+262709212345"),
        ("0709312345", "+594709312345"),
        ("0709352345", "+262709352345"),
    ],
)
def test_national_and_foreign_writings(text: str, e164: str) -> None:
    assert parse_number(text) == Number(e164)


@pytest.mark.parametrize(
    "text",
    [
        "00612345678",
        "00 6 12 34 56 78",
        "0 0612345678",
        "00687751234",
        "00376123456",
        "00711223344",
    ],
)
def test_two_zeros_that_may_be_an_outside_line_are_refused(text: str) -> None:
    """0 and 06 87 75 12 34, or +687 75 12 34: two persons."""
    assert parse_number(text) is None
    assert is_ambiguous(text)
    assert parse_number("0032479123456") == Number("+32479123456")
    assert parse_number("00479123456", "BE") is None, "in other plans too"


@pytest.mark.parametrize(
    "text",
    [
        "chambre 4 07 22 34 56 78",  # +40 722 345 678 in Romania
        "appt 5 06 87 65 43 21",  # +506 8765 4321 in Costa Rica
        "lit 2 06 21 23 45 67",
        "chambre 212 06 12 34 56 78",  # +212 6 12 34 56 78 in Morocco
        "213. 06 61 23 45 67",
        "39 06 12 34 56 78",  # +39 06 1234 5678 in Rome
        "225 07 12 34 56 78",
        "4. 07 22 34 56 78",
        "(4) 07 22 34 56 78",
        "[4] 07 22 34 56 78",
        "4) 07 22 34 56 78",
        "4 - 07 22 34 56 78",
        "4 (0)7 22 34 56 78",
        "40722345678",
        "sip:40722345678@pbx.example",
        "*31#40722345678",
        "004 07 22 34 56 78",  # a room of the ground floor
        "4 33 6 12 34 56 78",  # +43 3612 345678 in Austria
        "chambre 49 33 6 12 34 56 78",
        # one reading only, which leaves digits over: they are not the number's
        "2. 06 12 34 56 78",
        "15 0612345678",
        "33 0692 12 34 56",
    ],
)
def test_digits_before_a_french_number_make_no_foreign_one(text: str) -> None:
    """A room, a bed, a place in a list, a prefix of the switchboard."""
    assert parse_number(text) is None
    assert is_ambiguous(text)


@pytest.mark.parametrize(
    "text", ["33 06 12 34 56 78", "33. 06 12 34 56 78", "(33) 6 12 34 56 78", "Tél. 33612345678"]
)
def test_a_prefix_that_makes_the_same_number_is_taken(text: str) -> None:
    assert parse_number(text) == Number("+33612345678")
    assert parse_number("590 0690 00 12 34") == Number("+590690001234")
    assert not is_ambiguous(text)


@pytest.mark.parametrize(
    "text",
    ["chambre 41 791234567", "Mme Popescu, 40 21 123 45 67", "№ 41 791234567", "(41) 791234567"],
)
def test_no_country_code_is_guessed_after_words_or_brackets(text: str) -> None:
    """The first digits may belong to the words; with `+` or `00` they do not."""
    assert parse_number(text) is None
    assert is_ambiguous(text)
    assert parse_number("Mme Popescu, 0040 722 345 678") == Number("+40722345678")
    assert parse_number("M. Diallo : 00225 07 12 34 56 78") == Number("+2250712345678")
    assert parse_number("Oksana +38 067 123 45 67") == Number("+380671234567")


@given(
    st.sampled_from(["", "chambre ", "lit n° ", "(", "[", "- ", "*31#"]),
    # not 0040 nor 00225, which are codes of countries
    st.from_regex(r"0?[1-9][0-9]{0,3}|00[1-9]", fullmatch=True, alphabet="0123456789"),
    st.sampled_from([" ", ". ", ") ", " - ", "/", "\u00a0", "] "]),
    st.sampled_from(["0", "33", "33 ", "0033 ", "0033 (0)", "+33 "]),
    st.from_regex(r"[1-9][0-9]{8}", fullmatch=True, alphabet="0123456789"),
    st.sampled_from(["", " ", "."]),
)
def test_what_stands_before_a_french_number_never_makes_another(
    words: str, before: str, between: str, prefix: str, digits: str, grouping: str
) -> None:
    written = grouping.join([digits[0], *(digits[at : at + 2] for at in range(1, 9, 2))])
    french = parse_number(f"0{digits}")
    assume(f"{before}{prefix}" != "07000")  # a machine, which takes no SMS
    found = parse_number(f"{words}{before}{between}{prefix}{written}")
    assert found in {None, french, parse_number(f"+33{digits}")}


@given(
    st.from_regex(r"[1-9][0-9]?", fullmatch=True, alphabet="0123456789"),
    st.from_regex(r"0[1-9][0-9]{8}", fullmatch=True, alphabet="0123456789"),
)
def test_nor_do_digits_that_touch_it(before: str, digits: str) -> None:
    assert parse_number(f"{before}{digits}") in {None, parse_number(digits)}


@pytest.mark.parametrize(
    "text",
    [
        "06 12 34 56 7",
        "061234567",
        "075389925",
        "+33061234567",
        "0033061234567",
        "+33 (0)6 12 34 56 7",
        "069212345",
        "+41 079123456",
        "tel:061234567;phone-context=+33",
    ],
)
def test_a_number_with_a_digit_missing_is_none(text: str) -> None:
    """Its first zero is that of the trunk, and no digit of the number."""
    assert parse_number(text) is None
    assert not is_ambiguous(text)


@pytest.mark.parametrize(
    "text",
    [
        "07001234567890",
        "+33 7001234567890",
        "0033 700 1234567890",
        "tel:07001234567890;phone-context=+33",
    ],
)
def test_a_machine_has_fourteen_digits(text: str) -> None:
    """M2M and eCall numbers of metropolitan France, since 2012."""
    number = parse_number(text)
    assert number == Number("+337001234567890")
    assert number.kind is NumberKind.OTHER
    assert number.national == "07 00 12 34 56 78 90"
    assert parse_number("+33700123456789") is None


# --- phone-context (github.com/sipcapture/heplify-server/issues/30, pjsip/pjproject/issues/2417; RFC 3966, 5.1.5)
@pytest.mark.parametrize(
    ("uri", "e164"),
    [
        ("tel:621123456;phone-context=+352", "+352621123456"),
        ("sip:621123456;phone-context=+352@ims.example;user=phone", "+352621123456"),
        ("sip:621123456@ims.example;user=phone;phone-context=+352", "+352621123456"),
        ("tel:0612345678;phone-context=+33", "+33612345678"),
        ("tel:612-34-56-78;phone-context=+33", "+33612345678"),
        ("tel:0479123456;phone-context=+32", "+32479123456"),
        ("sip:0479123456;phone-context=+32@gw;user=phone", "+32479123456"),
        ("sip:0479123456;PHONE-CONTEXT=%2B32@gw", "+32479123456"),
        ("tel:0479123456;isub=1;phone-context=+32;ext=1", "+32479123456"),
        ("tel:612345678;phone-context=+41", "+41612345678"),  # Basel
        ("tel:555-0123;phone-context=+1-202", "+12025550123"),
        ("tel:06 12345678;phone-context=+39", "+390612345678"),
        ("tel:+33612345678;phone-context=x.example", "+33612345678"),
        ("tel:0692123456;phone-context=+262", "+262692123456"),
        ("tel:0711223344;phone-context=+33", "+33711223344"),
        ("sip:06%2012%2034%2056%2078@h", "+33612345678"),
        ("sip:+33612345678;verstat=TN-Validation-Passed@h;user=phone", "+33612345678"),
        # a domain tells no country, and a private plan is nobody's
        ("tel:0039347123456;phone-context=x.example", None),
        ("tel:310080120073501;phone-context=ims.mnc008.mcc310.3gppnetwork.org", None),
        ("tel:0479123456;phone-context=pbx.example", None),
        ("tel:0479123456;phone-context=+32;phone-context=+33", None),
        ("tel:0479123456;phone-context=", None),
        ("tel:15;phone-context=+33", None),
        ("tel:0692123456;phone-context=+33", None),
        ("tel:0039347123456;phone-context=+33", None),
        ("sip:161 201 11111@10.0.0.1", None),
    ],
)
def test_a_local_number_is_of_the_country_of_its_context(uri: str, e164: str | None) -> None:
    number = parse_number(uri)
    assert (number.e164 if number else None) == e164
    assert parse_number(f'"A, B" <{uri}>;tag=1') == number


@given(
    st.from_regex(r"[0-9]{3,14}", fullmatch=True),
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
)
def test_no_local_number_leaves_its_country(local: str, code: int) -> None:
    number = parse_number(f"tel:{local};phone-context=+{code}")
    assert number is None or phonenumbers.parse(number.e164).country_code == code
