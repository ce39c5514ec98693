"""Decisions of reconcile: pure, time is an argument."""
