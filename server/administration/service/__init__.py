"""Sites, stations, users and secrets, changed from the command line."""
