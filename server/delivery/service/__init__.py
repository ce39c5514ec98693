"""Sends what is queued: lanes, carriers one after the other, SMS counted."""
