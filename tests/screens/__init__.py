"""The pictures of the docs: real pages of a real house, made by one command."""
