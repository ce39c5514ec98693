"""Connected pages: by a WebSocket, or by requests where none comes up."""
