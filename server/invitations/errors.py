"""Refusals of invitations."""

from server.core.errors import Conflict, NotFound, TooMany


class AlreadyInvited(Conflict):
    """A session for the same contact and call has not ended: a second one is made on purpose only.

    Facts: `session`, its `station`, and `by`, the name of who made it.
    """

    code = "already_invited"


class InvitationLinkRevoked(Conflict):
    """The regulator withdrew the link."""

    code = "link_revoked"


class SpokenCodeWrong(NotFound):
    """No live code has these digits, or another browser used it: the answer is the same."""

    code = "code_wrong"


class SpokenCodeThrottled(TooMany):
    """Too many wrong codes from this address."""

    code = "code_throttled"


class SpokenCodesTooMany(TooMany):
    """So many codes wait to be typed that they could be guessed."""

    code = "code_too_many"
