"""Builds the lines of the sites, and what reads and feeds them."""

from dataclasses import dataclass

from server.line15.service.call_events import Webhook
from server.line15.service.health import LineHealthReader
from server.line15.service.launch import Launch
from server.line15.service.lines import Lines
from server.line15.service.states import LineStates
from server.storage.wire import Foundation
from telephony.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class LineParts:
    """What others may use of line 15."""

    lines: Lines
    launch: Launch
    webhook: Webhook
    health: LineHealthReader
    states: LineStates


def wire_lines(base: Foundation, supervisor: Supervisor) -> LineParts:
    """Build it; `supervisor` keeps the runners going."""
    lines = Lines(base.transactions, base.clock, base.ids, supervisor)
    return LineParts(
        lines=lines,
        launch=Launch(base.transactions, base.clock, base.ids, base.seal),
        webhook=Webhook(base.transactions, base.clock, lines, base.bus),
        health=LineHealthReader(lines, base.clock),
        states=LineStates(lines, base.bus),
    )
