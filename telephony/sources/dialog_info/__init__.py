"""Dialog-info: SUBSCRIBE to the dialogs of each station (RFC 4235), over UDP or TCP.

`codec` reads a document, `dialects` says what it means by who wrote it. `subscriber` is the SIP conversation without
I/O, `line` the socket under it.
"""
