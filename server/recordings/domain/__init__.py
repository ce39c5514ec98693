"""Which call a recording is of, when its sound begins, parts of a file: pure."""
