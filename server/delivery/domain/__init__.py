"""Decisions of delivery: pure, time is an argument."""
