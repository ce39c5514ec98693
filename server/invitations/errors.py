"""Refusals of invitations."""

from server.core.errors import Conflict, NotFound, TooMany


class AlreadyInvited(Conflict):
    """A session for the same contact and call has not ended: a second one is made on purpose only.

    Facts: `session`, its `station`, and `by`, the name of who made it.
    """

    code = "already_invited"
    message = "Une session de ce contact n’est pas terminée : renvoyez le lien, ou créez exprès une autre session."


class InvitationLinkRevoked(Conflict):
    """The regulator withdrew the link."""

    code = "link_revoked"
    message = "Ce lien a été annulé."


class SpokenCodeWrong(NotFound):
    """No live code has these digits, or another browser used it: the answer is the same."""

    code = "code_wrong"
    message = "Ce code n'est pas valable : relisez-le, ou demandez-en un nouveau au médecin."


class SpokenCodeThrottled(TooMany):
    """Too many wrong codes from this address."""

    code = "code_throttled"
    message = "Trop de codes faux depuis cette connexion : attendez quelques minutes."


class SpokenCodesTooMany(TooMany):
    """So many codes wait to be typed that they could be guessed."""

    code = "code_too_many"
    message = "Trop de codes attendent d'être saisis : envoyez un SMS ou un e-mail, ou réessayez plus tard."
