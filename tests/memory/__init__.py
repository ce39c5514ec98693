"""Memory over whole sessions: invited, sent, tapped, signalled, ended; what each leaves behind in the server's process.

Usage: scripts/netns .venv/bin/python -m tests.memory [--sessions 2000] [--every 200] [--desks 3] [--types]
"""
