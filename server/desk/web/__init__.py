"""Page B, its socket, and who sits at which station."""
