"""The caller's page: link, tap, camera."""
