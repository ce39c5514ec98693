"""Which versions of a switchboard Visio15 was tried with: the one table, for whoever says so. Pure."""

from __future__ import annotations

import re
from typing import Final

#: By product, as it names itself; 22.10 stands for its corrections too. AMI is the interface of an Asterisk, whose
#: version is all it tells some accounts.
TRIED: Final = {
    "Asterisk": ("22.10", "23.4"),
    "AMI": ("11", "12"),
    "FreeSWITCH": ("1.10.12",),
}


def tried_instead(switchboard: str) -> str:
    """Name the versions that were tried, where the one a switchboard says it has was not.

    Nothing where it was, and where nothing is claimed of such a switchboard. Takes what `FeedHealth.switchboard` holds.
    """
    product, _, version = switchboard.partition(",")[0].partition(" ")
    versions = TRIED.get(product, ())
    if any(re.match(re.escape(each) + r"(?![0-9])", version) for each in versions):
        return ""
    return f"{product} {', '.join(versions)}" if versions else ""
