"""Visio15's server: muted video sessions, each linked to its line-15 call."""

__version__ = "0.1.0"
