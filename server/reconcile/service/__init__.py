"""Linking by rule, by CDR import, and by hand."""
