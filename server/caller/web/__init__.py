"""Pages and sockets of caller."""
