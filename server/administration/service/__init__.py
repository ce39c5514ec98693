"""Use cases of administration."""
