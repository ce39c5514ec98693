"""Reporting an incident, and what becomes of it."""
