"""A dedicated extension that receives notification calls, through pyVoIP in a child process (docs/adr/0001)."""
