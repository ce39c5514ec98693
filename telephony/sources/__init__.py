"""Where facts come from: one folder a source, and what they share.

In each folder, where it has something to hold: `codec` (bytes to messages; imports nothing of ours but telephony/sip),
`facts` (messages to facts; no I/O), `feed` (the connection; what the runner keeps alive) and `source` (its settings,
and all that the rest of the product may ask; listed in telephony/registry.py). Shared: `source` and `feed` (the shape
of both, and a feed's health), `tcp` (who signs in and asks), `receive_buffer`, `versions`. Only `replay`, which reads
what the others speak, imports another source.
"""
