"""Builds the catalogue of recordings, what looks for them, and what plays them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.recordings.files import FolderAudio, WatchedFolder, watch
from server.recordings.service import Listening, RecordingCatalogue
from server.recordings.settings import RecordingsSettings
from server.storage.wire import Foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingParts:
    """What others may use of recordings."""

    catalogue: RecordingCatalogue
    listening: Listening
    folders: tuple[WatchedFolder, ...]
    close: Callable[[], object]


def wire_recordings(base: Foundation, settings: Sequence[RecordingsSettings]) -> RecordingParts:
    """Build it."""
    audio = FolderAudio(settings)
    catalogue = RecordingCatalogue(
        transactions=base.transactions,
        clock=base.clock,
        ids=base.ids,
        seal=base.seal,
        files=audio,
        failed=base.failed,
    )
    return RecordingParts(
        catalogue=catalogue,
        listening=Listening(base.transactions, base.clock, audio, catalogue),
        folders=tuple(watch(settings, base.clock)),
        close=audio.close,
    )
