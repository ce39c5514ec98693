"""Connections: who is let in, from which address, for how long."""
