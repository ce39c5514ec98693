"""Whether a number or an address can receive the link, and what to do instead when it cannot."""

from pydantic import EmailStr, TypeAdapter, ValidationError

from server.delivery.errors import (
    EmailImpossible,
    NumberAmbiguous,
    NumberImpossible,
    NumberLandline,
)
from telephony import Number, NumberKind, is_ambiguous, parse_number

_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)


def read_number(text: str) -> Number:
    """Return the number somebody typed or pasted, or raise what to do instead."""
    number = parse_number(text)
    if number is None:
        raise NumberAmbiguous if is_ambiguous(text) else NumberImpossible
    return number


def check_mobile(text: str) -> str:
    """Return the E.164 form of a number that can receive an SMS, or raise what to do instead."""
    number = read_number(text)
    if number.kind is NumberKind.LANDLINE:
        raise NumberLandline
    if number.kind is not NumberKind.MOBILE:
        raise NumberImpossible("not_mobile")
    return number.e164


def check_email(text: str) -> str:
    """Return the address in a form a mail relay accepts."""
    try:
        return _EMAIL.validate_python(text.strip())
    except ValidationError:
        raise EmailImpossible from None
