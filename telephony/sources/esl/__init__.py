"""ESL: the event socket of a FreeSWITCH, over TCP. After each cut the switchboard is asked what it has."""
