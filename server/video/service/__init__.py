"""Use cases of video."""
