"""The life of a session, and what may pass between phone and desk: pure, time is an argument."""
