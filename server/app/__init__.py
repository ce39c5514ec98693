"""The application: settings, wiring, life."""
