"""Pages and sockets of identity."""
