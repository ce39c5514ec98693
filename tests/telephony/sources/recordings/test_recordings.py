"""What names of files and rtpengine's metadata tell, and what a watched folder gives away."""

from __future__ import annotations

import os
import wave
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import (
    Alias,
    Aliased,
    AliasType,
    FeedState,
    FoundRecording,
    NamePattern,
    PatternError,
    RecordingStarted,
    RecordingStopped,
    begin_known,
    wav_seconds,
)
from telephony.sources.recordings.feed import RecordingsFeed, RecordingsFolder
from telephony.sources.recordings.names import bounded
from telephony.sources.recordings.rtpengine import read_metadata

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HERE = Path(__file__).parents[2] / "recordings"
WAV = HERE / "20261122-184536-15-+33612345678-samu37-1795373136.0.wav"
[META] = (HERE / "rtpengine" / "metadata").iterdir()
LINKED = Alias(AliasType.LINKEDID, "samu37-1795373136.0")
START = datetime(2026, 11, 22, 18, 45, 36, tzinfo=UTC)


def test_the_name_a_real_asterisk_gave() -> None:
    found = NamePattern(timezone="UTC").read(f"/var/spool/asterisk/monitor/{WAV.name}")
    assert found
    assert found.aliases == (LINKED,)
    assert found.number
    assert found.number.e164 == "+33612345678"
    assert (found.started, found.slack) == (START, 1.0)
    local = NamePattern(timezone="Europe/Paris").read(WAV.name)
    assert local
    assert local.started == START - timedelta(hours=1)


@pytest.mark.parametrize(
    ("pattern", "name", "names"),
    [
        (r"(?P<uniqueid>\d+\.\d+)\.wav", "1795373136.0.wav", [AliasType.UNIQUEID]),
        (r"(?P<callid>.+)_(?P<date>\d+)\.mp3", "a@b_1795373136.mp3", [AliasType.SIP_CALL_ID]),
        (r"(?P<nena>urn.+)\.ogg", "urn:x.ogg", [AliasType.NENA_CALLID]),
        (r"(?P<date>\d{14})_(?P<number>\d+)\.gsm", "20261122184536_0612345678.gsm", []),
    ],
)
def test_other_recorders(pattern: str, name: str, names: list[AliasType]) -> None:
    found = NamePattern(pattern, "UTC").read(name)
    assert found
    assert [alias.type for alias in found.aliases] == names
    assert found.started in {START, None}


@pytest.mark.parametrize(
    "name", ["", "x.wav", "20261122-184536-15--1.0.txt.wav", "a" * 300, "20261122-184536-15-.wav"]
)
def test_a_name_that_does_not_fit_says_nothing(name: str) -> None:
    assert NamePattern().read(name) is None


@pytest.mark.parametrize("pattern", ["(", "x", "(?P<who>.*)(?P<date>.*)"])
def test_a_pattern_that_reads_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        NamePattern(pattern)
    with pytest.raises(PatternError):
        NamePattern(timezone="Europe/Atlantis")


def test_the_hour_that_comes_twice() -> None:
    """A local time in it may be wrong by an hour, until the file's own end says which it was."""
    name = "20261025-023000-15-+33612345678-1.0.wav"
    found = NamePattern().read(name)
    assert found
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (found.started, found.slack) == (first, 3600.0)
    later = bounded(found, 60.0, first + timedelta(hours=1, seconds=65))
    assert (later.started, later.slack) == (first + timedelta(hours=1), 1.0)
    copied = bounded(found, 60.0, first + timedelta(days=2))
    assert (copied.started, copied.stopped, copied.slack) == (first, None, 3600.0)


def test_how_long_it_sounds() -> None:
    data = WAV.read_bytes()
    assert wav_seconds(data[:4096], len(data)) == 6.0
    unfinished = data[:40] + b"\0\0\0\0"
    assert wav_seconds(unfinished, 44 + 16_000) == 1.0
    assert wav_seconds(b"OggS", 100) is None


@given(st.binary(max_size=200), st.integers(0, 10**9))
def test_no_header_breaks_it(head: bytes, size: int) -> None:
    wav_seconds(head, size)
    wav_seconds(b"RIFF\0\0\0\0WAVE" + head, size)


@given(st.text(max_size=300))
def test_no_name_and_no_metadata_break_it(text: str) -> None:
    NamePattern().read(text)
    read_metadata(text)
    read_metadata(META.read_text() + text)


# --- rtpengine 10.5.3.5, its own file: a call made with the ng protocol, only the folder's name changed
def test_a_real_metadata_file() -> None:
    found = read_metadata(META.read_text())
    assert found
    name = "a84b4c76e66710%40pbx.example-ddbfee3372e9be34.pcap"
    assert found.ref == f"/var/spool/rtpengine/pcaps/{name}"
    assert set(found.aliases) == {
        Alias(AliasType.SIP_CALL_ID, "a84b4c76e66710@pbx.example"),
        Alias(AliasType.NENA_CALLID, "urn:emergency:uid:callid:0a6f5b2c:samu37.example"),
        Alias(AliasType.PRIVATE_HEADER, "urn:emergency:uid:callid:0a6f5b2c:samu37.example"),
    }
    assert found.started == datetime(2026, 11, 22, 23, 30, 16, 132000, UTC)
    # The call ended 3 s later; "call end time" says when rtpengine forgot it, half a minute after.
    assert found.stopped == datetime(2026, 11, 22, 23, 30, 19, 135000, UTC)


def test_metadata_without_milliseconds_and_unfinished() -> None:
    text = META.read_text()
    plain = "\n".join(line for line in text.splitlines() if not line.startswith("Timestamp"))
    found = read_metadata(plain, "Europe/Paris")
    assert found
    assert found.started == datetime(2026, 11, 22, 22, 30, 16, tzinfo=UTC)
    assert found.stopped == datetime(2026, 11, 22, 22, 30, 49, tzinfo=UTC)
    assert read_metadata(text[: text.index("call end")]) is None
    assert read_metadata("") is None


# --- github.com/sipwise/rtpengine/issues/877, 2023 (begun in mid-call), 1142 (text after the metadata)
def case(name: str) -> str:
    return (HERE.parent / "cases" / "17-rtpengine-metadata" / f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("name", "zone"),
    [("a-mid-call", "UTC"), ("c-local-zone", "Europe/Paris"), ("c-local-zone", "UTC")],
)
def test_a_recording_begun_in_mid_call_has_no_known_beginning(name: str, zone: str) -> None:
    """Only that of the call is written, in the zone of the machine; the end in milliseconds says which that is."""
    found = read_metadata(case(name), zone)
    assert found
    assert found.started == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert found.stopped == datetime(2026, 3, 2, 9, 10, 0, 759000, UTC)
    assert found.slack >= 600, "anywhere up to its end"
    assert not begin_known(found.started, found.stopped, found.slack)
    assert [type(fact) for fact in found.facts("rtpengine")] == [Aliased, RecordingStopped]


def test_text_after_the_metadata_and_a_second_start() -> None:
    found, twice = read_metadata(case("b-noise-after")), read_metadata(case("d-two"))
    assert found
    assert twice
    emergency = "urn:emergency:uid:callid:abc:samu37.example"
    for each in (found, twice):
        assert Alias(AliasType.NENA_CALLID, emergency) in each.aliases
        assert each.started == datetime(2026, 3, 2, 9, 0, 0, 262000, UTC)
        assert each.stopped == datetime(2026, 3, 2, 9, 1, 0, 471000, UTC)
        assert begin_known(each.started, each.stopped, each.slack)
    assert (found.slack, twice.slack) == (0.5, 1.5), "begun twice, it may count from either"


def test_an_end_before_its_start_is_no_time() -> None:
    text = case("b-noise-after").replace("started ms: 1772442000", "started ms: 1772449000")
    found = read_metadata(text)
    assert found
    assert found.started is None


@pytest.mark.parametrize(
    "lines",
    [
        # the difference of the two ends moves the start before the first year
        [
            "Timestamp terminated ms(x): 1795978982000",
            "call start time: 0001-01-01T00:10:00",
            "call end time: 9999-12-31T23:59:59",
        ],
        # begun twice, 3,000 years apart
        [
            "Timestamp started ms: 0000000000",
            "Timestamp started ms: 99999999999999",
            "call end time: 2026-11-29T19:23:32",
        ],
        ["call start time: 0001-01-01T00:10:00", "call end time: 2026-11-29T19:23:32"],
    ],
)
def test_times_that_no_recording_has_are_none(lines: list[str]) -> None:
    """What is written of one file stops neither the folder nor the search for its call."""
    found = read_metadata("\n".join(["/rec/pcaps/c1%40x-0123456789abcdef.pcap", *lines, ""]))
    assert found
    assert found.started is None
    assert timedelta(seconds=found.slack) < timedelta(days=1)


def test_it_is_told_in_facts() -> None:
    found = FoundRecording("/r/x.wav", (LINKED,), None, START, START + timedelta(seconds=6))
    named, started, stopped = found.facts("folder")
    assert isinstance(named, Aliased)
    assert named.alias == LINKED
    assert isinstance(started, RecordingStarted)
    assert isinstance(stopped, RecordingStopped)
    assert {fact.leg for fact in (named, started, stopped)} == {"recording:/r/x.wav"}
    assert FoundRecording("/r/x.wav", (LINKED,)).facts("folder") == ()


# --- a folder
@dataclass
class Taker:
    """Takes what it is told to take."""

    takes: bool = True
    told: list[FoundRecording] = field(default_factory=list)

    async def __call__(self, found: Sequence[FoundRecording]) -> Collection[str]:
        self.told += found
        return [each.ref for each in found] if self.takes else []


@dataclass
class Clock:
    now: datetime = START + timedelta(minutes=5)

    def __call__(self) -> datetime:
        return self.now


def put(folder: Path, name: str = WAV.name, *, ended: float = 7.0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_bytes(WAV.read_bytes())
    at = (START + timedelta(seconds=ended)).timestamp()
    os.utime(file, (at, at))
    return file


def feed(folder: Path, clock: Clock, **changes: object) -> RecordingsFeed:
    settings = {
        "prefix": "/var/spool/asterisk/monitor/",
        "pattern": NamePattern(timezone="UTC"),
        **changes,
    }
    return RecordingsFeed("folder", RecordingsFolder(folder, **settings), clock=clock)  # type: ignore[arg-type]


async def test_a_file_is_told_until_it_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "2026" / "11")
    clock, take = Clock(), Taker(takes=False)
    watching = feed(tmp_path, clock)
    await watching.look(take)
    [found] = take.told
    assert found.ref == f"/var/spool/asterisk/monitor/2026/11/{WAV.name}"
    assert (found.started, found.seconds) == (START, 6.0)
    assert found.stopped == START + timedelta(seconds=7)
    await watching.look(take)
    assert len(take.told) == 1, "not told again at once"
    clock.now += timedelta(minutes=2)
    take.takes = True
    await watching.look(take)
    await watching.look(take)
    assert len(take.told) == 2
    assert watching.health().state is FeedState.CONNECTED


async def test_what_is_still_written_old_or_foreign_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "20261122-185030-15-+33612345678-1.0.wav", ended=295)  # five seconds ago
    put(tmp_path, "20261101-185030-15-+33612345678-2.0.wav", ended=-20 * 86400)
    put(tmp_path, "notes.txt")
    put(tmp_path / "a" / "b" / "c", "20261122-184536-15-+33612345678-3.0.wav")
    os.mkfifo(tmp_path / "20261122-184536-15-+33612345678-4.0.wav")
    take = Taker()
    await feed(tmp_path, Clock(), depth=3).look(take)
    assert take.told == []


async def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    folder, outside = tmp_path / "monitor", tmp_path / "outside"
    inside = put(folder)
    secret = put(outside, "20261122-184536-15-+33612345678-9.9.wav")
    (folder / secret.name).symlink_to(secret)
    (folder / "all").symlink_to(outside)
    (folder / "20261122-184536-15-+33612345678-5.0.wav").symlink_to(inside)
    take = Taker()
    await feed(folder, Clock()).look(take)
    names = {found.ref.rpartition("/")[2] for found in take.told}
    assert names == {WAV.name, "20261122-184536-15-+33612345678-5.0.wav"}


async def test_a_large_folder_is_read_in_parts(tmp_path: Path) -> None:
    for number in range(25):
        put(tmp_path, f"20261122-184536-15-+33612345678-{number}.0.wav")
    take = Taker()
    watching = feed(tmp_path, Clock(), entries=10)
    sizes = []
    for _ in range(3):
        before = len(take.told)
        await watching.look(take)
        sizes.append(len(take.told) - before)
    assert sizes == [10, 10, 5]


async def test_a_folder_that_goes_away_is_down_and_comes_back(tmp_path: Path) -> None:
    take = Taker()
    watching = feed(tmp_path / "mnt", Clock())
    await watching.look(take)
    assert watching.health().state is FeedState.DOWN
    put(tmp_path / "mnt")
    await watching.look(take)
    assert watching.health().state is FeedState.CONNECTED
    assert len(take.told) == 1


async def test_rtpengine_s_folder(tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    copy = tmp_path / "metadata" / META.name
    copy.write_text(META.read_text())
    (tmp_path / "metadata" / "rtpengine-meta-half.txt").write_text("half")
    at = datetime(2026, 11, 22, 23, 30, 49, tzinfo=UTC)
    for file in (tmp_path / "metadata").iterdir():
        os.utime(file, (at.timestamp(), at.timestamp()))
    take, clock = Taker(), Clock(at + timedelta(minutes=1))
    watching = feed(tmp_path, clock, metadata=True)
    await watching.look(take)
    await watching.look(take)
    assert [found.ref.rpartition("/")[2][:14] for found in take.told] == ["a84b4c76e66710"]
    assert watching.health().rejected["unfinished"] >= 1


def test_the_sample_is_what_it_says() -> None:
    with wave.open(str(WAV)) as opened:
        assert opened.getnframes() / opened.getframerate() == 6.0
