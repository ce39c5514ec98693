"""The auditor's pages: search, one call or video, links to review."""
