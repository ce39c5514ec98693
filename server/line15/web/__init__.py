"""Pages and sockets of line15."""
