"""Messages that leave: rows first, sent after, at least once (I3)."""
