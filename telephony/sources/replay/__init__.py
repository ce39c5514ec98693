"""Captured traffic, told again: for the demonstration (`feed`, `remint`) and for `visio15 replay` (`recorded`).

`recorded` reads files of every other source; `capture` and `link_types` read pcap files, `clocks` finds the senders
whose clocks disagree.
"""
