"""The synthetic caller: a phone in a process of its own."""
