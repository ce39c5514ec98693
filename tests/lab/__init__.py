"""The real parts the tests talk to: telephony, SMS, e-mail, TURN, browsers, the server itself.

Each part is an async context manager with a folder, ports and a log of its own. It is there when `async with` enters,
and gone, by its process id, when it leaves.
"""
