"""Third persons invited to look."""
