"""The values that everything else speaks of: what was observed, what the calls are, and telephone numbers.

`facts` is what a source reports, `call` what the correlator makes of it, `number` the E.164 number both hold. Nothing
here listens, decides over time or knows a protocol.
"""
