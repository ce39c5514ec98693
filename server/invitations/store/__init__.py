"""Tables and rows of invitations."""

from server.invitations.store import invitations, spoken

__all__ = ["invitations", "spoken"]
