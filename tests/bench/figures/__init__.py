"""One figure each, beside its floor."""
