"""The audit read, and erasure in every room's tables; server/core/journal/append.py appends."""
