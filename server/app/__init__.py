"""The application: settings, wiring, routes, start and stop."""
