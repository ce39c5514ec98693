"""The switchboard: Kamailio, presence, and the phones that call."""
