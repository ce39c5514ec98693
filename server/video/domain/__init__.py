"""Decisions of video: pure, time is an argument."""
