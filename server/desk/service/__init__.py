"""The view of a desk, the sessions of its shift, hand-over."""
