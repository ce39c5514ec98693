"""The demonstration: the whole product on one machine."""
