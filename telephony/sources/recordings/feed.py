"""Looks into a folder where somebody else's recorder writes, and tells what came.

Nothing is copied or changed, and nothing outside the folder is looked at. Each look reads a bounded number of
entries and goes on where the last one stopped, so that a folder of any size is read, a part at a time.
"""

from __future__ import annotations

import asyncio
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from telephony.sources.feed import FeedHealth, FeedState, HealthBook, utc_now
from telephony.sources.recordings.names import FoundRecording, NamePattern, bounded, wav_seconds
from telephony.sources.recordings.rtpengine import LARGEST, read_metadata
from telephony.supervisor import asked_to_stop

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence

    #: Takes what was found; returns the references that need not be told again.
    Take = Callable[[Sequence[FoundRecording]], Awaitable[Collection[str]]]

#: A file nobody wrote to for so long (seconds) is finished.
FINISHED: Final = 15.0
_HEAD: Final = 4096
_META: Final = "rtpengine-meta-"


@dataclass(frozen=True, slots=True)
class RecordingsFolder:
    """One folder. `prefix` is what its path is called on the recorder's machine; `metadata`: rtpengine's files."""

    folder: Path
    prefix: str = ""
    metadata: bool = False
    pattern: NamePattern = field(default_factory=NamePattern)
    timezone: str = "Europe/Paris"
    depth: int = 4
    entries: int = 5000
    days: float = 7.0

    def told_as(self, inside: str) -> str:
        """Say how the recorder calls a file of this folder."""
        return f"{self.prefix or self.folder}".rstrip("/") + f"/{inside}"


class RecordingsFeed:
    """Tells the recordings of one folder, each until it is taken."""

    def __init__(
        self,
        name: str,
        watched: RecordingsFolder,
        *,
        every: float = 60.0,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.name = name
        self._watched = watched
        self._every = every
        self._clock = clock
        self._book = HealthBook(name, clock=clock)
        self._ahead: Iterator[Path] = iter(())
        self._settled: dict[str, datetime] = {}
        self._waiting: dict[str, tuple[datetime, datetime]] = {}
        self._open = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"recordings-{name}")

    def health(self) -> FeedHealth:
        """Tell how the folder fares: `down` when it cannot be read."""
        return self._book.read()

    async def run(self, take: Take) -> None:
        """Look now and then until cancelled."""
        try:
            while True:
                await self.look(take)
                await asyncio.sleep(self._every)
        finally:
            self._book.state(FeedState.DOWN)
            if asked_to_stop():  # after a fault it is run again, and needs its thread
                self._thread.shutdown(wait=False, cancel_futures=True)

    async def look(self, take: Take) -> None:
        """Look once. A slow disk holds up this feed and nothing else."""
        loop = asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self._thread, self.scan)
        except OSError:
            self._book.reject("folder")
            self._book.state(FeedState.DOWN)
            return
        self._book.state(FeedState.CONNECTED)
        if found or self._open:
            self._book.heard(len(found))
            settled = await take(found)
            now = self._clock()
            self._settled.update(dict.fromkeys(settled, now))
            self._open = len(found) > len(settled)
            for one in found:
                self._wait(one.ref, now)

    def _wait(self, ref: str, now: datetime) -> None:
        """Tell what has no call again, the less often the longer it waits."""
        first, _ = self._waiting.pop(ref, (now, now))
        if ref not in self._settled:
            again = max((now - first) / 2, timedelta(seconds=self._every))
            self._waiting[ref] = (first, now + again)

    def scan(self) -> list[FoundRecording]:
        """Read the next part of the folder. Raises OSError when the folder itself cannot be read."""
        now = self._clock()
        horizon = now - timedelta(days=self._watched.days)
        self._settled = {ref: at for ref, at in self._settled.items() if at >= horizon}
        self._waiting = {ref: at for ref, at in self._waiting.items() if at[0] >= horizon}
        root = self._watched.folder.resolve(strict=True)
        paths = list(islice(self._ahead, self._watched.entries))
        if not paths:
            self._ahead = _walk(root, root, self._watched.depth)
            paths = list(islice(self._ahead, self._watched.entries))
        found = (self._read(root, path, now, horizon) for path in paths)
        return [each for each in found if each is not None]

    def _read(
        self, root: Path, path: Path, now: datetime, horizon: datetime
    ) -> FoundRecording | None:
        """Read one file; one that is gone, young, old or of another shape is passed over."""
        if self._watched.metadata != path.name.startswith(_META):
            return None
        ref = self._watched.told_as(path.relative_to(root).as_posix())
        if self._known(ref):
            return None
        try:
            told = path.stat()
            modified = datetime.fromtimestamp(told.st_mtime, UTC)
            young = abs((now - modified).total_seconds()) < FINISHED
            if young or modified < horizon or not stat.S_ISREG(told.st_mode):
                return None
            return self._told(path, ref, told.st_size, modified)
        except OSError:
            self._book.reject("file")
            return None

    def _known(self, ref: str) -> bool:
        """Whether it was taken, or is not to be told again yet."""
        now = self._clock()
        return ref in self._settled or self._waiting.get(ref, (now, now))[1] > now

    def _told(self, path: Path, ref: str, size: int, modified: datetime) -> FoundRecording | None:
        if self._watched.metadata:
            with path.open("rb") as opened:
                text = opened.read(LARGEST).decode("utf-8", "replace")
            found = read_metadata(text, self._watched.timezone)
            if found is None:
                self._book.reject("unfinished")
            return None if found is None or self._known(found.ref) else found
        named = self._watched.pattern.read(ref)
        if named is None:
            self._book.reject("name")
            self._settled[ref] = self._clock()
            return None
        with path.open("rb") as opened:
            head = opened.read(_HEAD)
        return bounded(named, wav_seconds(head, size), modified)


def _walk(folder: Path, root: Path, depth: int) -> Iterator[Path]:
    """List the files below, names in order; a link is followed only to a file inside the folder."""
    for entry in sorted(folder.iterdir(), key=lambda each: each.name, reverse=True):
        try:
            if entry.is_symlink():
                if entry.resolve(strict=True).is_relative_to(root) and entry.is_file():
                    yield entry
            elif entry.is_dir():
                if depth > 1:
                    yield from _walk(entry, root, depth - 1)
            elif entry.is_file():
                yield entry
        except OSError:
            continue
