"""The test of a PC and its network."""
