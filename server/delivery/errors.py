"""Refusals of contacts and carriers."""

from server.core.errors import Invalid, TooMany, Unavailable


class NumberImpossible(Invalid):
    """No telephone number has this form."""

    code = "number_impossible"
    message = "Ce numéro n'existe pas : relisez-le avec l'appelant."
    say = "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"


class NumberAmbiguous(Invalid):
    """A number abroad, or a French one behind the 0 of an outside line, the number of a room or a prefix."""

    code = "number_ambiguous"
    message = (
        "Ce numéro a deux lectures : retirez ce qui le précède (0 de sortie, chambre…), "
        "ou écrivez + et l'indicatif du pays."
    )
    say = "Pouvez-vous me redonner le numéro de votre téléphone portable, chiffre par chiffre ?"


class NumberLandline(Invalid):
    """A landline cannot receive the link."""

    code = "number_landline"
    message = "C'est un téléphone fixe : il ne reçoit pas de SMS. Demandez un mobile ou une adresse e-mail."
    say = "Quelqu'un près de vous a-t-il un téléphone portable ? Donnez-moi son numéro."


class EmailImpossible(Invalid):
    """No mailbox has this form."""

    code = "email_impossible"
    message = "Cette adresse e-mail n'est pas valable : relisez-la avec l'appelant."
    say = "Pouvez-vous m'épeler votre adresse e-mail ?"


class ContactMissing(Invalid):
    """Neither a mobile nor an address was given."""

    code = "contact_missing"
    message = "Indiquez un numéro de mobile ou une adresse e-mail."
    say = "Quel est le numéro de votre téléphone portable ?"


class TooManyMessages(TooMany):
    """The hour's SMS of this site or to this number are used up: against a runaway bill and harassment."""

    code = "too_many_messages"
    message = "Trop de SMS en une heure, pour ce numéro ou ce site : envoyez un e-mail, ou prévenez l'administrateur."
    say = "Avez-vous une adresse e-mail, ou un autre téléphone portable près de vous ?"


class CarrierUnavailable(Unavailable):
    """The gateway did not accept the message; it is tried again."""

    code = "carrier_unavailable"


class CarrierRefused(Invalid):
    """The gateway refuses this message for good."""

    code = "carrier_refused"
    message = "L'opérateur refuse ce message."
    say = "Le message ne peut pas partir vers ce numéro. Avez-vous un autre téléphone ou une adresse e-mail ?"
