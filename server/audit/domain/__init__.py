"""The chain verified, and the record that an auditor sees: pure."""
