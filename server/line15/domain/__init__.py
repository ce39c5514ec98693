"""Calls as they are stored, links to them, signatures, the words of a feed: pure, time is an argument."""
