"""How much is allowed in which time."""
