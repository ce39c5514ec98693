"""A call as an auditor, or another program, reads it: times in ISO 8601 UTC, nothing abbreviated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from telephony.model.call import Call


def graph(calls: Iterable[Call]) -> dict[str, Any]:
    """Write calls as JSON values. Holds personal data: numbers are not masked."""
    return {"calls": [call_to_json(call) for call in calls]}


def call_to_json(call: Call) -> dict[str, Any]:
    """Write one call: `caller` is the outside party in E.164; open ends are null."""
    return {
        "id": call.id,
        "caller": call.number.e164 if call.number else None,
        "direction": call.direction.value,
        "state": call.state.value,
        "started": iso(call.started),
        "answered": iso(call.answered),
        "ended": iso(call.ended),
        "end_certain": call.end_certain,
        "certain": call.certain,
        "inferred": call.inferred,
        "evidence": list(call.evidence),
        "aliases": [
            {
                "type": record.alias.type.value,
                "value": record.alias.value,
                "source": record.source,
                "from": iso(record.valid_from),
                "to": iso(record.valid_to),
                "why": record.why,
            }
            for record in call.aliases
        ],
        "stations": [
            {
                "station": span.station,
                "state": span.state.value,
                "from": iso(span.start),
                "to": iso(span.end),
            }
            for span in call.stations
        ],
        "holds": [{"from": iso(span.start), "to": iso(span.end)} for span in call.holds],
        "recordings": [
            {"ref": span.ref, "from": iso(span.start), "to": iso(span.end)}
            for span in call.recordings
        ],
        "related": [
            {"call": each.call, "why": each.why, "from": iso(each.start), "to": iso(each.end)}
            for each in call.related
        ],
    }


def iso(when: datetime | None) -> str | None:
    """Write a time as `2026-11-22T18:45:36.520055Z`."""
    return None if when is None else when.isoformat(timespec="microseconds").replace("+00:00", "Z")
