"""Starts, watches and stops a built server: life cycle, loops, listener, readiness, systemd."""
