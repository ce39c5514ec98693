"""Decisions of desk: pure, time is an argument."""
