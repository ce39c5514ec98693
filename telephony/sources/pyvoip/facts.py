"""Reads a *notification call*: a short INVITE whose headers say what happened to another call.

Pure. The switchboard places it to a dedicated extension (contrib/): X-Line15-Call-ID or a NENA id in
Call-Info, X-Line15-Sip-Call-ID, X-Line15-Caller, X-Line15-Station, X-Line15-Event.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from telephony.model.facts import (
    Alias,
    Aliased,
    AliasType,
    Answered,
    Direction,
    Fact,
    HungUp,
    Rang,
)
from telephony.model.number import parse_number

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from telephony.sip.message import SipMessage

EVENTS: Final = ("ring", "answer", "hangup")
_MAX_VALUE: Final = 256


def facts_from_notice(
    message: SipMessage, at: datetime, source: str, stations: Collection[str] = ()
) -> list[Fact]:
    """Tell what a notification call reports; empty when it carries no identifier.

    The leg is that of `X-Line15-Sip-Call-ID`, the one every feed that sees SIP reports too. Without
    an event it reports an answer. `stations` limits those believed; empty means any.
    """
    sip_call_id = message.first("x-line15-sip-call-id")
    names = [
        (AliasType.PRIVATE_HEADER, message.first("x-line15-call-id"), "X-Line15-Call-ID"),
        *((AliasType.NENA_CALLID, value, "Call-Info") for value in message.nena_ids[0]),
        (AliasType.SIP_CALL_ID, sip_call_id, "X-Line15-Sip-Call-ID"),
    ]
    aliases = [
        (Alias(kind, value), why) for kind, value, why in names if 0 < len(value) <= _MAX_VALUE
    ]
    event = message.first("x-line15-event").lower() or "answer"
    if not aliases or event not in EVENTS:
        return []
    first = aliases[0][0].value
    leg = f"sip:{sip_call_id}" if 0 < len(sip_call_id) <= _MAX_VALUE else f"notice:{first}"
    if event == "hangup":
        return [HungUp(leg, at, source, "bye")]
    station = message.first("x-line15-station")
    known = station if station and (not stations or station in stations) else None
    caller = parse_number(message.first("x-line15-caller"))
    facts: list[Fact] = [Aliased(leg, at, source, alias, why) for alias, why in aliases]
    facts.append(Rang(leg, at, source, caller, None, known, Direction.INCOMING))
    if event == "answer":
        facts.append(Answered(leg, at, source))
    return facts
