"""Use cases: load, decide, save, audit, commit, then perform."""
