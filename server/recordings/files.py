"""The folders where recorders put their files: looked at and read, never written to.

Only a regular file that lies under a folder of the asking site is opened, each part of its path without following
links: what is swapped for a link between the look and the opening is refused too (I7).
"""

import asyncio
import hashlib
import os
import posixpath
import stat
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from server.core.clock import Clock
from server.core.errors import NotFound
from server.recordings.domain.recordings import RecordingStatus
from server.recordings.errors import RecordingMissing, RecordingOutside, RecordingsAway
from server.recordings.settings import RecordingsSettings
from telephony import wav_seconds
from telephony.sources.recordings.feed import RecordingsFeed, RecordingsFolder

THREADS: Final = 4
LOOK_SECONDS: Final = 30.0
#: What looks into a folder, with the key of its site.
WatchedFolder = tuple[str, RecordingsFeed]
T = TypeVar("T")
_HEAD: Final = 4096
_ABSENT: Final = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class AudioFileInfo:
    """What a look at a file told; `seconds` None for what does not say how long it sounds."""

    status: RecordingStatus
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Root:
    folder: Path
    prefix: str

    def inside(self, ref: str) -> str | None:
        """Return the path below this folder, None when the reference does not lie here."""
        for begins in (self.prefix, f"{self.folder}"):
            start = begins.rstrip("/") + "/"
            if begins and ref.startswith(start):
                return ref[len(start) :]
        return None if ref.startswith("/") else ref


class FolderAudio:
    """Looks at and opens the files of each site. A disk that hangs holds up these threads and nobody else."""

    def __init__(self, folders: Sequence[RecordingsSettings]) -> None:
        """Serve these folders, each to its own site."""
        self._roots: dict[str, list[_Root]] = {}
        for each in folders:
            self._roots.setdefault(each.site, []).append(_Root(each.root, each.prefix))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="recordings")

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def canonical(self, site: str, ref: str) -> str:
        """Say how the recorder calls what may be told by half a name."""
        roots = self._roots.get(site, [])
        if ref.startswith("/") or len(roots) != 1:
            return posixpath.normpath(ref) if ref.startswith("/") else ref
        base = roots[0].prefix or f"{roots[0].folder}"
        return posixpath.normpath(f"{base.rstrip('/')}/{ref}")

    async def look(self, site: str, refs: Sequence[str]) -> Sequence[AudioFileInfo]:
        """Look whether these files are there; a disk that does not answer in time leaves it unknown."""

        def all_of_them() -> list[AudioFileInfo]:
            return [self._look(site, ref) for ref in refs]

        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._off(all_of_them)
        except TimeoutError:
            return [AudioFileInfo(RecordingStatus.UNKNOWN)] * len(refs)

    def _look(self, site: str, ref: str) -> AudioFileInfo:
        try:
            descriptor = self._descriptor(site, ref)
        except RecordingMissing:
            return AudioFileInfo(RecordingStatus.MISSING)
        except (NotFound, RecordingsAway):
            return AudioFileInfo(RecordingStatus.UNKNOWN)
        try:
            head = os.pread(descriptor, _HEAD, 0)
            return AudioFileInfo(
                RecordingStatus.PRESENT, wav_seconds(head, os.fstat(descriptor).st_size)
            )
        except OSError:
            return AudioFileInfo(RecordingStatus.UNKNOWN)
        finally:
            os.close(descriptor)

    async def open(self, site: str, ref: str) -> "OpenFile":
        """Open a file of this site for reading."""
        descriptor = await self._off(lambda: self._descriptor(site, ref))
        return OpenFile(descriptor, self._threads)

    async def _off(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _descriptor(self, site: str, ref: str) -> int:
        """Open the first that is there among the site's folders."""
        refusal: NotFound | RecordingsAway = RecordingOutside()
        for root in self._roots.get(site, []):
            if (inside := root.inside(ref)) is None:
                continue
            try:
                return _open(root.folder, inside)
            except RecordingOutside:
                continue
            except (RecordingMissing, RecordingsAway) as refused:
                refusal = refused
        raise refusal


def _open(folder: Path, inside: str) -> int:
    """Open a regular file below a folder. Raises RecordingMissing, RecordingOutside, RecordingsAway."""
    parts = inside.split("/")
    if not inside or "\0" in inside or any(part in {"", ".", ".."} for part in parts):
        raise RecordingOutside
    try:
        root = folder.resolve(strict=True)
        real = root.joinpath(*parts).resolve()
        if not real.is_relative_to(root) or real == root:
            raise RecordingOutside
        descriptor = _walked(root, real.relative_to(root).parts)
    except _ABSENT:
        if not folder.is_dir():
            raise RecordingsAway from None
        raise RecordingMissing from None
    except (OSError, RuntimeError, ValueError):  # a link in the way, a loop of links, no permission
        raise RecordingsAway from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RecordingOutside
    return descriptor


def _walked(root: Path, parts: Sequence[str]) -> int:
    with ExitStack() as opened:
        at = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        opened.callback(os.close, at)
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            at = os.open(part, flags, dir_fd=at)
            opened.callback(os.close, at)
        # Not blocking: a pipe by that name would wait for its writer for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(parts[-1], flags, dir_fd=at)


class OpenFile:
    """A file open for reading; it is read in the threads of its folder."""

    def __init__(self, descriptor: int, threads: ThreadPoolExecutor) -> None:
        """Own the descriptor."""
        self._descriptor = descriptor
        self._threads = threads
        told = os.fstat(descriptor)
        self.size = told.st_size
        version = f"{told.st_ino}:{told.st_size}:{told.st_mtime_ns}"
        self.etag = f'"{hashlib.sha256(version.encode()).hexdigest()[:32]}"'

    async def read(self, offset: int, length: int) -> bytes:
        """Read a part, off the loop; empty at the end."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, os.pread, self._descriptor, length, offset)

    async def close(self) -> None:
        """Close it, once what is read has been read."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, os.close, self._descriptor)


def watch(folders: Sequence[RecordingsSettings], clock: Clock) -> list[WatchedFolder]:
    """Make what looks into each folder."""
    return [
        (
            each.site,
            RecordingsFeed(
                each.name,
                RecordingsFolder(
                    each.root,
                    prefix=each.prefix,
                    metadata=each.kind == "rtpengine",
                    pattern=each.names(),
                    timezone=each.timezone,
                    depth=each.depth,
                    entries=each.scan_entries,
                    days=each.scan_days,
                ),
                every=each.scan_seconds,
                clock=clock.now,
            ),
        )
        for each in folders
        if each.scan_seconds
    ]
