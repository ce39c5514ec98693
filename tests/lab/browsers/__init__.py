"""Real browsers, and the gestures of a person in them."""
