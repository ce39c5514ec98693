"""What goes into the audit: one function a verb (by subject), payloads as types, the list of verbs, and the chain."""
