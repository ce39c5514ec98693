"""Look-ups, verifying the chain, erasing a person."""
