"""A video session: its life, its rooms, signalling, remote help, stills."""
