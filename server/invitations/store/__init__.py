"""Invitations and codes read aloud, as rows."""

from server.invitations.store import invitations, spoken

__all__ = ["invitations", "spoken"]
