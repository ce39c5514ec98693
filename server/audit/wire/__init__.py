"""How the audit is built: `chain` for commands, too, `lookup` for the server."""
