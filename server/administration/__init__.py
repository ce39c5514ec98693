"""Sites, stations, users and secrets, for the command line."""
