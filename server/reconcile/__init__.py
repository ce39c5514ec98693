"""Calls and videos brought together afterwards: by rule, by CDR, by hand."""
