"""Pages and sockets of incidents."""
