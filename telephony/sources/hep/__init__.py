"""HEP3: copies of its SIP that a proxy or a switchboard sends over UDP. Passive: nothing is asked, calls bear no risk.

`facts` observes the SIP, whoever copied it: `replay` uses it too. `pairing` finds the two legs of one call where a
switchboard gives each its own Call-ID; `transfers` follows REFER.
"""
