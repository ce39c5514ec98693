"""Decisions of identity: pure, time is an argument."""
