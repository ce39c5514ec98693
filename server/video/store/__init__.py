"""Tables and rows of video."""
