"""Messages and their states, which carrier is next, contacts, the text of an SMS: pure, time is an argument."""
