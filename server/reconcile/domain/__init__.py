"""How a video is matched to a call, and how CDR files are read: pure."""
