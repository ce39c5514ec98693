"""The command `visio15`."""
