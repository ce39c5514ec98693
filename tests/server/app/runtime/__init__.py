"""The runtime: life cycle, loops, start and stop."""
