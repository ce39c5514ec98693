"""Tables and rows of identity."""
