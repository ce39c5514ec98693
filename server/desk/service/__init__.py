"""Use cases of desk."""
