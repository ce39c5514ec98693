"""Pages and sockets of audit."""
