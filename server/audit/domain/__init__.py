"""Decisions of audit: pure, time is an argument."""
