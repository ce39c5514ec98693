"""One frozen settings model; each room has its own group."""
