"""How line 15 is built: `calls` for commands, too, `lines` for the server."""
