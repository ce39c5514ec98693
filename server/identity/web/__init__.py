"""The pages of signing in, and handlers that know who asks."""
