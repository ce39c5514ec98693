"""Every message that a page may send, as models; docs/protocol.md lists the same (a test compares them)."""
