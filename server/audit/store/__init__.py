"""Tables and rows of audit."""
