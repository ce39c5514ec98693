"""Tables and rows of line15."""
