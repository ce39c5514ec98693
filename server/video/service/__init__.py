"""What happens to a session, its room and its picture."""
