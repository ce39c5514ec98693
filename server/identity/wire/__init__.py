"""How sign-in is built: `accounts` for commands, too, `sign_in` for the server."""
