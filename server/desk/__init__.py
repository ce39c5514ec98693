"""The regulator's page: its view, its socket, hand-over."""
