"""Decisions of line15: pure, time is an argument."""
