"""Signing in and out, its limits, and how long it lasts."""
