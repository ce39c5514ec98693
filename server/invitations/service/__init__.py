"""Inviting, the caller's side of a link, codes read aloud, hooks for others."""
