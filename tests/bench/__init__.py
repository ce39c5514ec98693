"""Measures what people wait for, each figure beside the least that any product could need on this machine."""
