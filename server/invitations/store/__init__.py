"""Tables and rows of invitations."""
