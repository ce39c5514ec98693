"""Pages and sockets of desk."""
