"""The audio of calls: where the recorder put it, listening to it."""
