"""The audit log, looked up, verified, erased from."""
