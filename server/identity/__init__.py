"""Who is a professional here, signed in, and allowed to do what."""
