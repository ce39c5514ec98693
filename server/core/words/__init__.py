"""Languages, and sentences in them."""
