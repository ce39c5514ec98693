"""SMS carriers, one module each, and one line in registry.py; docs/adr/0035-rooms.md lists the steps to add one."""
