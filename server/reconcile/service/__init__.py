"""Use cases of reconcile."""
