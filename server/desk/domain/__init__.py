"""The funnel of a video, and the sentences to read aloud: pure, time is an argument."""
