"""Decisions of invitations: pure, time is an argument."""
