"""Refusals of contacts and carriers."""

from server.core.errors import Invalid, TooMany, Unavailable


class NumberImpossible(Invalid):
    """No telephone number has this form."""

    code = "number_impossible"


class NumberAmbiguous(Invalid):
    """A number abroad, or a French one behind the 0 of an outside line, the number of a room or a prefix."""

    code = "number_ambiguous"


class NumberLandline(Invalid):
    """A landline cannot receive the link."""

    code = "number_landline"


class EmailImpossible(Invalid):
    """No mailbox has this form."""

    code = "email_impossible"


class ContactMissing(Invalid):
    """Neither a mobile nor an address was given."""

    code = "contact_missing"


class TooManyMessages(TooMany):
    """The hour's SMS of this site or to this number are used up: against a runaway bill and harassment."""

    code = "too_many_messages"


class CarrierUnavailable(Unavailable):
    """The gateway did not accept the message; it is tried again."""

    code = "carrier_unavailable"


class CarrierRefused(Invalid):
    """The gateway refuses this message for good."""

    code = "carrier_refused"
