"""Invitations: the links sent to phones, and the codes read aloud."""
