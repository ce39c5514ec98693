"""The database: engine, transactions, revision, copies. Each room has its own tables."""
