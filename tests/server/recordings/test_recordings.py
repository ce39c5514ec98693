"""The sound of a call: found, attached, checked, and heard by those who may, in parts, once in the audit."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from server.core.audit_entries import Actor
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.line15.store.history import HistoryStore
from server.recordings.domain.recordings import Recording, RecordingCertainty
from server.recordings.errors import RecordingOutside
from server.recordings.files import FolderAudio
from server.recordings.settings import RecordingsSettings
from server.recordings.store import RecordingStore
from telephony import (
    Alias,
    Aliased,
    AliasType,
    CallState,
    DatedAlias,
    FoundRecording,
    Number,
    Rang,
    RecordingSpan,
)
from tests.server.house import START, a_call, a_video
from tests.server.running import Running, running, written_logs
from tests.telephony.traces import ami_facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Furnished
    from tests.server.house import Browser

WAV = Path(__file__).parents[2] / (
    "telephony/recordings/20261122-184536-15-+33612345678-samu37-1795373136.0.wav"
)
SOUND = WAV.read_bytes()
PBX = "/var/spool/asterisk/monitor"
LINKED = (DatedAlias(Alias(AliasType.LINKEDID, "9.9"), "ami", START),)
TRACE = datetime(2026, 11, 22, 18, 45, 36, tzinfo=UTC)


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    """Two sites, each with its folder; nothing in them yet."""
    folders = []
    for site in ("rivage", "montagne"):
        root = tmp_path / site / "monitor"
        root.mkdir(parents=True)
        folders.append(
            {
                "site": site,
                "root": root,
                "prefix": f"{PBX}/",
                "timezone": "UTC",
                "scan_seconds": 86400,
            }
        )
    with running(io_loop, furnished_database, tmp_path, recordings=folders) as house:
        yield house


def put(
    house: Running, name: str = WAV.name, site: str = "rivage", ended: datetime | None = None
) -> Path:
    """Let a recorder write a file that ended then."""
    file = folder(house, site) / name
    file.write_bytes(SOUND)
    at = (ended or TRACE + timedelta(seconds=7.34)).timestamp()
    os.utime(file, (at, at))
    return file


def folder(house: Running, site: str = "rivage") -> Path:
    return next(each.root for each in house.server.settings.recordings if each.site == site)


async def look(house: Running, site: str = "rivage") -> None:
    """Look into a site's folder as the server does now and then."""
    catalogue = house.server.catalogue
    for key, feed in house.server.features.recordings.folders:
        if key == site:
            await feed.look(partial(catalogue.take, key, feed.name))


async def heard(house: Running) -> None:
    """What a real Asterisk said of one call, through the line as live facts go."""
    line = house.server.lines._lines[house.sites["rivage"].id]
    await line.runner.submit(ami_facts("asterisk-22-simple"))


async def sounds(browser: Browser, alias: str) -> list[dict[str, Any]]:
    answer = await browser.get(f"/api/v1/calls?alias={quote(alias)}")
    assert answer.code == 200, answer.body
    found: list[dict[str, Any]] = json.loads(answer.body)["calls"][0]["recordings"]
    return found


async def told(house: Running, ref: str, site: str = "rivage", **changes: Any) -> str:
    """A call of which the switchboard says that it is recorded there; the id of its recording."""
    now = house.clock.now()
    call = await a_call(house, site, **{"id_": f"c-{site}", **changes})
    name = DatedAlias(Alias(AliasType.RECORDING, ref.rpartition("/")[2]), "ami", now)
    ended = replace(
        call,
        state=CallState.ENDED,
        ended=now + timedelta(seconds=6),
        aliases=(*call.aliases, name),
        recordings=(RecordingSpan(ref, now, now + timedelta(seconds=6)),),
    )
    async with house.server.transactions() as uow:
        site_id = house.sites[site].id
        await CallStore(uow).save(site_id, ended, now)
        await house.server.catalogue.told(uow, site_id, ended, now)
        await uow.commit()
        [one] = await RecordingStore(uow).of_call(site_id, call.id)
    return one.id


# --- from the switchboard and the folder to the audit
async def test_the_audit_finds_and_plays_what_asterisk_recorded(house: Running) -> None:
    house.clock.pass_(seconds=(TRACE - START).total_seconds() + 60)
    await heard(house)
    auditor = await house.signed_in("auditor", None)
    [one] = await sounds(auditor, "samu37-1795373136.0")
    assert (one["sureness"], one["source"], one["status"]) == ("certain", "ami", "unknown")
    put(house)
    await look(house)
    await house.server.catalogue.check()
    [one] = await sounds(auditor, WAV.name)
    assert (one["status"], one["seconds"], one["slack"]) == ("present", 6.0, 0.5)
    # Told to record at ring, it holds sound from the answer on: the file's end and length say so.
    answered = datetime.fromtimestamp(1795373137.330, UTC)
    begins = datetime.fromisoformat(one["begins"])
    assert abs((begins - answered).total_seconds()) < 0.05
    answer = await auditor.get(one["href"])
    assert (answer.code, answer.body) == (200, SOUND)
    assert answer.headers["Content-Type"] == "audio/wav"
    page = (await auditor.get(f"/audit/calls/{await call_of(house)}")).body.decode()
    assert f'<audio controls preload="none" src="{one["href"]}"' in page


async def call_of(house: Running) -> str:
    [row] = await house.rows("SELECT id FROM call")
    return str(row["id"])


async def test_a_file_that_comes_when_the_call_is_long_over_finds_it_by_name(
    house: Running,
) -> None:
    house.clock.pass_(seconds=(TRACE - START).total_seconds() + 60)
    facts = [
        fact for fact in ami_facts("asterisk-22-simple") if "Recording" not in type(fact).__name__
    ]
    line = house.server.lines._lines[house.sites["rivage"].id]
    await line.runner.submit(facts)
    id_ = await call_of(house)
    house.clock.pass_(hours=5)
    line.correlator.forget(id_)
    assert line.correlator.calls() == ()
    before = len(await house.all_of("call_fact"))
    put(house)
    await look(house)
    auditor = await house.signed_in("auditor", None)
    [one] = await sounds(auditor, WAV.name)
    assert (one["sureness"], one["source"], one["why"]) == ("certain", "enregistrements", "name")
    assert len(await house.all_of("call_fact")) == before + 3, "late facts, appended"
    await look(house)
    assert len(await house.all_of("recording")) == 1
    assert (await house.actions()).count("recording.attached") == 1


async def test_a_restart_folds_the_late_facts_of_a_live_call(house: Running) -> None:
    await a_call(house, aliases=LINKED)
    put(house, "20260301-080001-15-+33612345679-9.9.wav", ended=START + timedelta(seconds=8))
    house.clock.pass_(minutes=1)
    await look(house)
    line = house.server.lines._lines[house.sites["rivage"].id]
    await line.runner.submit(
        [
            Rang("pbx:1", START, "ami", Number("+33612345679"), "15"),
            Aliased("pbx:1", START, "ami", LINKED[0].alias),
        ]
    )
    async with house.server.transactions(write=False) as uow:
        late = [fact for _, fact in await FactStore(uow).of_live(line.site, START)]
    assert {type(fact).__name__ for fact in late} >= {"RecordingStarted", "RecordingStopped"}
    before = line.correlator.calls()
    line.correlator.restore("call1", [fact for fact in late if fact.leg.startswith("recording:")])
    assert line.correlator.calls() == before
    assert len(before) == 1


async def test_a_number_alone_is_inferred_two_calls_are_offered(house: Running) -> None:
    await a_call(house, id_="one", aliases=())
    name = "20260301-080001-15-+33612345679-7.7.wav"
    put(house, name, ended=START + timedelta(seconds=8))
    house.clock.pass_(minutes=1)
    await look(house)
    [row] = await house.all_of("recording")
    assert (row["call"], row["sureness"]) == ("one", "inferred")
    assert not [r for r in await house.all_of("call_alias") if r["type"] == "recording"]
    await a_call(house, id_="two", aliases=())
    put(house, "20260301-080101-15-+33612345679-8.8.wav", ended=START + timedelta(seconds=68))
    house.clock.pass_(minutes=1)
    await look(house)
    rows = [r for r in await house.all_of("recording") if r["sureness"] == "offered"]
    assert {row["call"] for row in rows} == {"one", "two"}
    auditor = await house.signed_in("auditor", None)
    page = (await auditor.get("/audit/calls/two")).body.decode()
    assert "possible : plusieurs appels conviennent" in page
    # The switchboard knows better: what was only supposed of others is withdrawn.
    await told(house, f"{PBX}/{name}", id_="three")
    rows = await house.all_of("recording")
    assert {r["sureness"] for r in rows if r["key"] == row["key"]} == {"withdrawn", "certain"}


async def test_a_file_of_no_known_call_is_counted_and_waits(house: Running) -> None:
    put(house, ended=START)
    house.clock.pass_(minutes=1)
    await look(house)
    assert await house.all_of("recording") == []
    metrics = (await house.browser().get("/metrics")).body.decode()
    assert 'visio15_recordings_unattached{folder="enregistrements",site="rivage"} 1.0' in metrics
    assert 'visio15_recordings_folder_up{folder="enregistrements",site="rivage"} 1.0' in metrics


async def test_another_site_s_file_finds_no_call_here(house: Running) -> None:
    await a_call(house, "montagne", id_="theirs")
    put(house, "20260301-080001-15-+33612345679-7.7.wav", ended=START + timedelta(seconds=8))
    house.clock.pass_(minutes=1)
    await look(house, "rivage")
    assert await house.all_of("recording") == []


# --- hearing
async def test_parts_as_a_browser_asks_for_them(house: Running) -> None:
    put(house)
    id_ = await told(house, f"{PBX}/{WAV.name}")
    auditor = await house.signed_in("auditor", None)
    path = f"/audit/recordings/{id_}"

    async def part(range_: str, **headers: str) -> tuple[int, bytes, str | None]:
        answer = await auditor.get(path, headers={"Range": range_, **headers})
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Accept-Ranges"] == "bytes"
        return answer.code, answer.body, answer.headers.get("Content-Range")

    size = len(SOUND)
    assert await part("bytes=0-99") == (206, SOUND[:100], f"bytes 0-99/{size}")
    assert await part("bytes=50000-") == (206, SOUND[50000:], f"bytes 50000-{size - 1}/{size}")
    assert await part("bytes=-4") == (206, SOUND[-4:], f"bytes {size - 4}-{size - 1}/{size}")
    assert await part(f"bytes={size}-") == (416, b"", f"bytes */{size}")
    assert await part("bytes=0-1,4-5") == (200, SOUND, None)
    assert await part("bytes=0-9", **{"If-Range": '"another"'}) == (200, SOUND, None)
    head = await auditor.fetch(path, method="HEAD")
    assert (head.code, head.headers["Content-Length"]) == (200, str(size))
    assert head.headers["Content-Disposition"] == f'inline; filename="enregistrement-{id_}.wav"'
    etag = head.headers["Etag"]
    assert await part("bytes=0-9", **{"If-Range": etag}) == (206, SOUND[:10], f"bytes 0-9/{size}")
    assert (await house.actions()).count("recording.played") == 1, "one hearing, one row"
    house.clock.pass_(minutes=6)
    await part("bytes=0-1")
    assert (await house.actions()).count("recording.played") == 2
    verdict, _ = await house.chain.verify(house.sites["rivage"].id)
    assert verdict.intact


async def test_a_large_file_comes_whole(house: Running) -> None:
    large = os.urandom(3_000_000)
    (folder(house) / "large.mp3").write_bytes(large)
    id_ = await told(house, "large.mp3")
    auditor = await house.signed_in("auditor", None)
    answer = await auditor.get(f"/audit/recordings/{id_}")
    assert (answer.body, answer.headers["Content-Type"]) == (large, "audio/mpeg")


async def test_what_no_browser_plays_is_handed_over_as_a_file(house: Running) -> None:
    (folder(house) / "call.gsm").write_bytes(b"gsm")
    id_ = await told(house, f"{PBX}/call.gsm")
    auditor = await house.signed_in("auditor", None)
    answer = await auditor.get(f"/audit/recordings/{id_}")
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")


async def test_who_may_not_hear_it(house: Running) -> None:
    put(house)
    id_ = await told(house, f"{PBX}/{WAV.name}")
    path = f"/audit/recordings/{id_}"
    for who, code in (("regulator", 403), ("arm", 403), ("admin", 403), ("ailleurs", 404)):
        answer = await (await house.signed_in(who, None)).get(path)
        assert (answer.code, SOUND[:44] in answer.body) == (code, False), who
    assert (await house.browser().get(path)).code == 302
    assert "recording.played" not in await house.actions()
    assert "audit.missed" in await house.actions("montagne")
    assert (await (await house.signed_in("referent", None)).get(path)).code == 200


@pytest.mark.parametrize(
    "ref",
    [
        "/etc/passwd",
        f"{PBX}/../secret.wav",
        "../secret.wav",
        f"{PBX}/./x.wav",
        f"{PBX}/link.wav",
        f"{PBX}/links/secret.wav",
        f"{PBX}/pipe.wav",
        f"{PBX}/dir.wav",
        f"{PBX}/",
        "OUTSIDE",
        "THEIRS",
    ],
)
async def test_nothing_outside_the_folder_is_ever_served(house: Running, ref: str) -> None:
    root = folder(house)
    secret = root.parent / "secret.wav"
    secret.write_bytes(b"secret")
    theirs = put(house, site="montagne")
    (root / "link.wav").symlink_to(secret)
    (root / "links").symlink_to(root.parent)
    (root / "dir.wav").mkdir()
    os.mkfifo(root / "pipe.wav")
    ref = {"OUTSIDE": str(secret), "THEIRS": str(theirs)}.get(ref, ref)
    id_ = await told(house, ref)
    auditor = await house.signed_in("auditor", None)
    answer = await auditor.get(f"/audit/recordings/{id_}", headers={"Accept": "application/json"})
    assert answer.code == 404
    assert json.loads(answer.body)["error"]["code"] in {"recording_outside", "recording_missing"}
    assert "recording.played" not in await house.actions()


async def test_a_path_with_a_zero_byte_is_outside(tmp_path: Path) -> None:
    files = FolderAudio([RecordingsSettings(site="s", root=tmp_path)])
    with pytest.raises(RecordingOutside):
        await files.open("s", f"{tmp_path}/x\0.wav")
    files.close()


async def test_a_link_that_stays_inside_is_followed(house: Running) -> None:
    file = put(house)
    (folder(house) / "same.wav").symlink_to(file.name)
    id_ = await told(house, "same.wav")
    auditor = await house.signed_in("auditor", None)
    assert (await auditor.get(f"/audit/recordings/{id_}")).body == SOUND


# --- what is not there
async def test_a_missing_file_is_told_everywhere_and_comes_back(house: Running) -> None:
    file = put(house)
    id_ = await told(house, f"{PBX}/{WAV.name}")
    auditor = await house.signed_in("auditor", None)
    await house.server.catalogue.check()
    file.unlink()
    with written_logs() as log:
        answer = await auditor.get(
            f"/audit/recordings/{id_}", headers={"Accept": "application/json"}
        )
        await house.server.catalogue.check()
    assert answer.code == 404
    assert json.loads(answer.body)["error"]["code"] == "recording_missing"
    assert log.getvalue().count("recordings.missing") == 1
    assert WAV.name not in log.getvalue()
    assert "3361234567" not in log.getvalue()
    page = (await auditor.get("/audit/calls/c-rivage")).body.decode()
    assert "Fichier absent depuis le" in page
    assert "<audio" not in page
    metrics = (await house.browser().get("/metrics")).body.decode()
    assert 'visio15_recordings{site="rivage",status="missing"} 1.0' in metrics
    put(house)
    house.clock.pass_(hours=2)
    await house.server.catalogue.check()
    actions = await house.actions()
    assert [a for a in actions if a.startswith("recording.")] == [
        "recording.attached",
        "recording.missing",
        "recording.back",
    ]
    assert (
        await (await house.signed_in("auditor", None)).get(f"/audit/recordings/{id_}")
    ).code == 200


async def test_a_disk_that_is_away_makes_nothing_missing(house: Running) -> None:
    put(house)
    id_ = await told(house, f"{PBX}/{WAV.name}")
    folder(house).rename(folder(house).with_name("away"))
    await house.server.catalogue.check()
    [row] = await house.all_of("recording")
    assert row["status"] == "unknown"
    auditor = await house.signed_in("auditor", None)
    answer = await auditor.get(f"/audit/recordings/{id_}", headers={"Accept": "application/json"})
    assert answer.code == 503
    assert json.loads(answer.body)["error"]["code"] == "recordings_away"
    assert "dossier non configuré" in (await auditor.get("/audit/calls/c-rivage")).body.decode()


# --- the page
async def test_where_in_the_sound_the_picture_begins(house: Running) -> None:
    put(house)
    id_ = await told(house, f"{PBX}/{WAV.name}")
    await a_video(house, id_="v1", call="c-rivage")
    house.clock.pass_(seconds=2.6)
    await flowing(house, "v1")
    await a_video(house, id_="v2", call="c-rivage")
    house.clock.pass_(minutes=2)
    await flowing(house, "v2")
    await house.server.catalogue.check()
    auditor = await house.signed_in("auditor", None)
    [one] = await sounds(auditor, WAV.name)
    assert [(v["session"], v["offset"]) for v in one["videos"]] == [("v1", 2.6), ("v2", 122.6)]
    page = " ".join((await auditor.get("/audit/calls/c-rivage")).body.decode().split())
    assert "La vidéo 1 commence à <strong>00:03</strong> de l’enregistrement (± 0,5 s)." in page
    assert 'data-seek="2.6"' in page
    assert "La vidéo 2 commence après la fin de l’enregistrement." in page
    assert id_ in page


async def test_a_recording_begun_in_mid_call_says_that_its_beginning_is_not_known(
    house: Running,
) -> None:
    """Rtpengine tells when the call began and when the sound ended: no place in it is invented."""
    now = house.clock.now()
    await a_call(house, id_="c-rivage")
    name = Alias(AliasType.SIP_CALL_ID, "mid@pbx")
    async with house.server.transactions() as uow:
        await HistoryStore(uow).name(
            house.sites["rivage"].id, "c-rivage", name, "hep", "Call-ID", now
        )
        await uow.commit()
    await a_video(house, id_="v1", call="c-rivage")
    house.clock.pass_(seconds=400)
    await flowing(house, "v1")
    house.clock.pass_(seconds=230)
    ended = house.clock.now()
    ref = f"{PBX}/mid.pcap"
    exact = FoundRecording(ref, (name,), None, now, ended, slack=0.5, seconds=200.0)
    for found in (
        exact,
        replace(exact, slack=630.5),
    ):  # the first is what was kept before this was known
        assert await house.server.catalogue.take("rivage", "rtpengine", [found]) == {ref}
    auditor = await house.signed_in("auditor", None)
    [one] = await sounds(auditor, "mid.pcap")
    assert (one["begin_known"], one["slack"]) == (False, 630.5)
    assert one["begins"] == one["started"], "the earliest, whatever its length"
    page = " ".join((await auditor.get("/audit/calls/c-rivage")).body.decode().split())
    assert "début inconnu →" in page
    assert "commencé en cours d’appel, au plus tôt à" in page
    assert "Place de la vidéo 1 dans l’enregistrement inconnue" in page
    assert "de l’enregistrement (±" not in page


async def test_a_recording_with_pauses_began_when_its_recorder_said(house: Running) -> None:
    """Six seconds of sound in fourteen: where the pause was is in doubt, not that it began with the call."""
    put(house)
    now = house.clock.now()
    await a_call(house, id_="c-rivage")
    await a_video(house, id_="v1", call="c-rivage")
    house.clock.pass_(seconds=2)
    await flowing(house, "v1")
    ref = f"{PBX}/{WAV.name}"
    found = FoundRecording(ref, (LINKED[0].alias,), None, now, now + timedelta(seconds=14))
    async with house.server.transactions() as uow:
        await HistoryStore(uow).name(
            house.sites["rivage"].id, "c-rivage", found.aliases[0], "ami", "said", now
        )
        await uow.commit()
    house.clock.pass_(seconds=12)
    assert await house.server.catalogue.take("rivage", "ami", [found]) == {ref}
    await house.server.catalogue.check()
    auditor = await house.signed_in("auditor", None)
    [one] = await sounds(auditor, WAV.name)
    assert (one["begin_known"], one["slack"]) == (True, 8.0)
    page = " ".join((await auditor.get("/audit/calls/c-rivage")).body.decode().split())
    assert "début inconnu" not in page
    assert "au plus tôt à" not in page
    assert "La vidéo 1 commence à <strong>00:00</strong> de l’enregistrement (± 8,0 s)." in page
    assert 'data-seek="0"' in page, "it can be heard from there"


async def flowing(house: Running, session: str) -> None:
    async with house.server.transactions() as uow:
        entry = journal.picture_flowing(session, was="connecting", now="live").of_call("c-rivage")
        await Journal(uow).append(Actor("desk", house.sites["rivage"].id), entry, house.clock.now())
        await uow.commit()


async def test_a_swallowed_call_s_recording_is_shown_with_the_survivor(house: Running) -> None:
    put(house)
    await told(house, f"{PBX}/{WAV.name}", id_="young")
    await a_call(house, id_="old")
    async with house.server.transactions() as uow:
        await CallStore(uow).merged(house.sites["rivage"].id, "young", "old")
        await uow.commit()
        [one] = await RecordingStore(uow).of_call(house.sites["rivage"].id, "old")
    assert one.call == "young"
    auditor = await house.signed_in("auditor", None)
    assert (await auditor.get(f"/audit/recordings/{one.id}")).code == 200
    assert "recording.played" in (await auditor.get("/audit/calls/old")).body.decode()


async def test_the_name_of_a_file_goes_with_the_person(house: Running) -> None:
    put(house)
    ref = f"{PBX}/{WAV.name}"
    id_ = await told(house, ref, caller=Number("+33612345678"))
    site = house.sites["rivage"].id
    await house.erasure.forget(Actor("cli", site), "06 12 34 56 78")
    for table in ("recording", "call_alias", "call_span"):
        for row in await house.all_of(table):
            assert "33612345678" not in str(row), table
            assert row.get("sealed") is None
    auditor = await house.signed_in("auditor", None)
    answer = await auditor.get(f"/audit/recordings/{id_}", headers={"Accept": "application/json"})
    assert json.loads(answer.body)["error"]["code"] == "recording_erased"
    house.clock.pass_(seconds=(TRACE - START).total_seconds() + 60)
    await look(house)
    [row] = await house.all_of("recording")
    assert row["sealed"] is None, "it does not come back"


async def test_the_path_stands_nowhere_in_clear(house: Running) -> None:
    await a_call(house)
    async with house.server.transactions() as uow:
        one = Recording(
            "r1", house.sites["rivage"].id, "call1", "x", "k" * 64, "/x/+33612345678.wav",
            START, None, None, 1.0, RecordingCertainty.CERTAIN, "name",
        )  # fmt: skip
        await RecordingStore(uow).add(one, START)
        await uow.commit()
    [row] = await house.all_of("recording")
    assert "33612345678" not in str({key: row[key] for key in row if key != "sealed"})
    assert "33612345678" in house.seal.open(row["sealed"])
