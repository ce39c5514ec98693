"""Builds what a desk is shown, and how it hands over."""

from dataclasses import dataclass

from server.core.words.translations import ReadAloudTranslator
from server.desk.service.handover import HandOvers
from server.desk.service.recent import Recent
from server.desk.service.view import DeskView
from server.line15.service.lines import Lines
from server.storage.wire import Foundation
from server.video.service.rooms import Rooms


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskParts:
    """What others may use of the desk."""

    view: DeskView
    recent: Recent
    handover: HandOvers


def wire_desk(
    base: Foundation, *, lines: Lines, rooms: Rooms, translator: ReadAloudTranslator
) -> DeskParts:
    """Build it; `translator` has the sentences that are read aloud."""
    return DeskParts(
        view=DeskView(
            transactions=base.transactions,
            clock=base.clock,
            lines=lines,
            rooms=rooms,
            translator=translator,
        ),
        recent=Recent(base.transactions, base.clock),
        handover=HandOvers(base.transactions, base.clock, base.bus),
    )
