"""Decisions of recordings: pure, time is an argument."""
