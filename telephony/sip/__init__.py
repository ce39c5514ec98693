"""SIP and SDP: read, written, answered. What several sources share.

`message` reads, `write` writes and frames, `digest` answers a challenge, `sdp` and `offer_answer` say who hears whom.
No sockets, and nothing of ours outside this folder.
"""
