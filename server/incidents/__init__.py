"""Incidents and remarks of professionals."""
