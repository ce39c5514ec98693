"""Where facts come from: one folder a source, and what they share.

In each folder, where it has something to hold: `codec` (bytes to messages; imports nothing of ours but telephony/sip),
`facts` (messages to facts; no I/O) and `feed` (the connection; what the runner keeps alive). Shared: `feed` (the shape
of a feed, its health), `tcp`, `receive_buffer`, `versions`. Sources do not import each other; only `replay`, which
reads what the others speak, imports them.
"""
