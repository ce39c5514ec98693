"""Use cases of line15."""
