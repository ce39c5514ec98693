"""AMI: the manager interface of an Asterisk, over TCP or TLS. After each cut the switchboard is asked what it has."""
