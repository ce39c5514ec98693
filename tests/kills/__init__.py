"""SIGKILL under load: whatever was acknowledged arrives, and what arrives twice is known (I3, docs/adr/0019).

Usage: scripts/netns .venv/bin/python -m tests.kills [--kills 60] [--database sqlite|postgres] [--receipts …] [--seed N]
"""
