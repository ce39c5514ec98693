"""What pages and sockets share: base handler, sockets, connections, errors, metrics, templates, static files."""
