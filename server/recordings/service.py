"""The catalogue of recordings: which call each is of, whether its file is there, and who listened (F5, I4, I7).

A recording comes from the switchboard's own word with its call (`told`), or is found in a folder, perhaps long after
the call left the correlator's memory (`take`): then it finds its call among the stored ones, by name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.housekeeping import Failed, Rounds
from server.core.journal import calls as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.seal import Seal
from server.core.sites import Site, SiteStore
from server.line15.domain.calls import CallSummary
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.line15.store.history import HistoryStore
from server.recordings.domain.recordings import (
    TOLD_SLACK,
    Recording,
    RecordingCertainty,
    RecordingMatch,
    RecordingStatus,
    judge,
    media_type,
    suffix,
)
from server.recordings.errors import RecordingErased, RecordingMissing, RecordingUnknown
from server.recordings.files import AudioFileInfo, FolderAudio, OpenFile
from server.recordings.store import RecordingStore
from server.storage.transactions import Transactions
from telephony import Alias, AliasType, Call, FoundRecording

KIND: Final = "recording"  # of keyed hashes
CHECK_EVERY: Final = timedelta(hours=1)
CHECKED_AT_ONCE: Final = 500
WRITTEN_AT_ONCE: Final = 25  # calls have to be written in between
#: One hearing, however often the slider is moved, is one row of the audit.
HEARING: Final = timedelta(minutes=5)
_log = structlog.get_logger("recordings")


class RecordingCatalogue:
    """Keeps references; the sound stays where it is."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        files: FolderAudio,
        failed: Failed,
    ) -> None:
        """Take the parts; `failed` counts what a round could not do."""
        self._rounds = Rounds("recordings", failed)
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._files = files
        self.unattached: dict[tuple[str, str], int] = {}

    # --- told by the switchboard, with the call
    async def told(self, uow: UnitOfWork, site: str, call: Call, now: datetime) -> None:
        """Keep what the switchboard says is recorded of a call, inside the transaction that saves the call."""
        if not call.recordings:
            return
        key = (await SiteStore(uow).get(site)).key
        sources = {
            record.alias.value: record.source
            for record in call.aliases
            if record.alias.type is AliasType.RECORDING
        }
        for span in call.recordings:
            name = span.ref.rpartition("/")[2]
            source = sources.get(name) or sources.get(span.ref) or "line15"
            ref = self._files.canonical(key, span.ref)
            claim = _Claim(
                ref=ref,
                source=source,
                started=span.start,
                stopped=span.end,
                seconds=None,
                slack=TOLD_SLACK,
            )
            verdict = RecordingMatch(RecordingCertainty.CERTAIN, (call.id,), "switchboard")
            await self._keep(uow, site, claim, verdict, now)

    # --- found in a folder
    async def take(
        self, site_key: str, source: str, found: Sequence[FoundRecording]
    ) -> Collection[str]:
        """Find the call of each; return those that have one. The others are told again at the next look."""
        now = self._clock.now()
        settled: set[str] = set()

        async def settle(several: Sequence[FoundRecording]) -> None:
            async with self._transactions() as uow:
                site = await SiteStore(uow).by_key(site_key)
                done = [
                    one.ref for one in several if await self._settle(uow, site, source, one, now)
                ]
                await uow.commit()
            settled.update(done)

        named = {self._key(one.ref): one for one in found}
        await self._rounds.batches(named, WRITTEN_AT_ONCE, settle)
        self.unattached[site_key, source] = len(found) - len(settled)
        return settled

    async def _settle(
        self, uow: UnitOfWork, site: Site, source: str, one: FoundRecording, now: datetime
    ) -> bool:
        ref = self._files.canonical(site.key, one.ref)
        known = await RecordingStore(uow).of_key(site.id, self._key(ref))
        if any(each.ref is None for each in known):
            return True  # erased: it does not come back
        mine = [each for each in known if each.sureness is RecordingCertainty.CERTAIN]
        verdict = (
            RecordingMatch(
                RecordingCertainty.CERTAIN, tuple(each.call for each in mine), mine[0].why
            )
            if mine
            else judge(
                one.started,
                one.slack,
                await _named(uow, site.id, one.aliases),
                await self._numbered(uow, site.id, one),
            )
        )
        if not verdict.calls:
            return False
        if one.started is not None:
            claim = _Claim(
                ref=ref,
                source=source,
                started=one.started,
                stopped=one.stopped,
                seconds=one.seconds,
                slack=one.slack,
            )
        elif mine:  # its name tells no time, the switchboard did
            claim = _Claim(
                ref=ref,
                source=source,
                started=mine[0].started,
                stopped=None,
                seconds=one.seconds,
                slack=mine[0].slack,
            )
        else:
            return False
        await self._keep(uow, site.id, claim, verdict, now)
        if not mine and verdict.sureness is RecordingCertainty.CERTAIN:
            # Too late for the correlator, perhaps by days: the facts join those of the call.
            name = Alias(AliasType.RECORDING, ref.rpartition("/")[2])
            for fact in one.facts(source):
                await FactStore(uow).add(site.id, [(verdict.calls[0], fact)], now)
            await HistoryStore(uow).name(
                site.id, verdict.calls[0], name, source, one.why, claim.started
            )
        return True

    async def _numbered(
        self, uow: UnitOfWork, site: str, one: FoundRecording
    ) -> Sequence[CallSummary]:
        if one.number is None:
            return []
        return await CallStore(uow).by_number(site, self._seal.lookup("number", one.number.e164))

    # --- both
    async def _keep(
        self, uow: UnitOfWork, site: str, claim: "_Claim", verdict: RecordingMatch, now: datetime
    ) -> None:
        """Keep one row for each call it may be of; what was only supposed of other calls is withdrawn."""
        known = await RecordingStore(uow).of_key(site, self._key(claim.ref))
        by_call = {each.call: each for each in known}
        for call in verdict.calls:
            await self._one(uow, site, call, claim, verdict, by_call.get(call), now)
        if verdict.sureness is not RecordingCertainty.CERTAIN:
            return
        for other in known:
            if other.call not in verdict.calls and other.sureness in {
                RecordingCertainty.INFERRED,
                RecordingCertainty.OFFERED,
            }:
                await RecordingStore(uow).save(
                    replace(other, sureness=RecordingCertainty.WITHDRAWN)
                )
                await _note(uow, other, journal.recording_withdrawn, now)

    async def _one(
        self,
        uow: UnitOfWork,
        site: str,
        call: str,
        claim: "_Claim",
        verdict: RecordingMatch,
        row: Recording | None,
        now: datetime,
    ) -> None:
        if row is None:
            made = Recording(
                id=self._ids.new(),
                site=site,
                call=call,
                source=claim.source,
                key=self._key(claim.ref),
                ref=claim.ref,
                started=claim.started,
                stopped=claim.stopped,
                seconds=claim.seconds,
                slack=claim.slack,
                sureness=verdict.sureness,
                why=verdict.why,
            )
            await RecordingStore(uow).add(made, now)
            await _note(uow, made, journal.recording_attached, now)
            return
        better = _merged(row, claim, verdict)
        if better != row:
            await RecordingStore(uow).save(better)
            if better.sureness is not row.sureness:
                await _note(uow, better, journal.recording_attached, now)

    def _key(self, ref: str) -> str:
        return self._seal.lookup(KIND, ref)

    # --- are they there
    async def check(self) -> int:
        """Look at the files not looked at for the longest time; return how many were looked at."""
        now = self._clock.now()
        async with self._transactions(write=False) as uow:
            due = await RecordingStore(uow).longest_unchecked_everywhere(
                now - CHECK_EVERY, CHECKED_AT_ONCE
            )
            sites = {site.id: site.key for site in await SiteStore(uow).all()} if due else {}
        by_site: dict[str, list[Recording]] = {}
        for one in due:
            by_site.setdefault(one.site, []).append(one)

        async def look(several: Sequence[Recording]) -> int:
            key = sites[several[0].site]
            looks = await self._files.look(key, [one.ref or "" for one in several])
            told = {seen.id: (seen, look) for seen, look in zip(several, looks, strict=True)}
            await self._rounds.batches(told, WRITTEN_AT_ONCE, lambda few: self._looked(few, now))
            return len(told)

        await self._rounds.each(by_site, look)
        return len(due)

    async def _looked(
        self, looks: Iterable[tuple[Recording, AudioFileInfo]], now: datetime
    ) -> None:
        async with self._transactions() as uow:
            for seen, look in looks:
                await self._see(uow, seen, look, now)
            await uow.commit()

    async def _see(
        self, uow: UnitOfWork, seen: Recording, look: AudioFileInfo, now: datetime
    ) -> None:
        row = await RecordingStore(uow).get(seen.site, seen.id)  # as it is now, not before the look
        if row.ref is None:
            return  # erased meanwhile: what became of its file concerns nobody
        changed = row.status is not look.status
        seen = replace(
            row,
            status=look.status,
            since=now if changed or row.since is None else row.since,
            checked=now,
            # A file still written to grows: what its header says counts once the recorder stopped.
            seconds=look.seconds if look.seconds is not None and row.stopped else row.seconds,
        )
        await RecordingStore(uow).save(seen)
        if changed and RecordingStatus.MISSING in {row.status, look.status}:
            gone = look.status is RecordingStatus.MISSING
            verb = journal.recording_missing if gone else journal.recording_back
            await _note(uow, seen, verb, now)
            if gone:
                _log.warning("recordings.missing", recording=seen.id, call=seen.call)

    async def counts(self) -> Mapping[tuple[str, str], int]:
        """Return how many files each site (by key) has in each status."""
        async with self._transactions(write=False) as uow:
            return await RecordingStore(uow).counts_everywhere()

    async def missing(self, one: Recording) -> None:
        """Write down at once that a file somebody asked for is not there."""
        await self._looked([(one, AudioFileInfo(RecordingStatus.MISSING))], self._clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """What somebody says of a recording."""

    ref: str
    source: str
    started: datetime
    stopped: datetime | None
    seconds: float | None
    slack: float


def _merged(row: Recording, claim: _Claim, verdict: RecordingMatch) -> Recording:
    """Take what is known better: times from whoever is least wrong, the length from the file."""
    finer = claim.slack < row.slack
    sure = verdict.sureness is RecordingCertainty.CERTAIN
    same = claim.source == row.source
    stopped = (claim.stopped or row.stopped) if finer or same else (row.stopped or claim.stopped)
    return replace(
        row,
        started=claim.started if finer or same else row.started,
        stopped=stopped,
        checked=row.checked if stopped == row.stopped else None,  # its length counts from now on
        slack=claim.slack if same and claim.stopped else min(claim.slack, row.slack),
        source=claim.source if finer else row.source,
        seconds=row.seconds if claim.seconds is None else claim.seconds,
        sureness=RecordingCertainty.CERTAIN if sure else row.sureness,
        why=verdict.why if sure and row.sureness is not RecordingCertainty.CERTAIN else row.why,
    )


async def _named(uow: UnitOfWork, site: str, aliases: Sequence[Alias]) -> Sequence[CallSummary]:
    """Find the stored calls that bear one of these names, as that kind of name."""
    found: dict[str, CallSummary] = {}
    for alias in aliases:
        for call in await CallStore(uow).find(site, alias.value):
            if any(r.value == alias.value and r.type == alias.type.value for r in call.aliases):
                found[call.id] = call
    return list(found.values())


async def _note(
    uow: UnitOfWork, one: Recording, verb: journal.RecordingVerb, now: datetime
) -> None:
    entry = verb(one.id, one.call, sureness=one.sureness, why=one.why, source=one.source)
    await Journal(uow).append(Actor("feed", one.site), entry, now)


@dataclass(frozen=True, slots=True)
class OpenedRecording:
    """A recording open for listening; `name` says nothing of the call."""

    audio: OpenFile
    media_type: str
    name: str


class Listening:
    """Lets auditors hear a recording, and writes down who did."""

    def __init__(
        self,
        transactions: Transactions,
        clock: Clock,
        files: FolderAudio,
        catalogue: RecordingCatalogue,
    ) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._files = files
        self._catalogue = catalogue
        self._hearings: dict[tuple[str | None, str], datetime] = {}

    async def open(self, actor: Actor, id_: str, *, listens: bool = True) -> OpenedRecording:
        """Open a recording of the actor's own site, once it is written down that they listen (I4).

        Raises RecordingUnknown (also for another site's, I7), RecordingErased, RecordingMissing, RecordingOutside,
        RecordingsAway.
        """
        try:
            async with self._transactions(write=False) as uow:
                one = await RecordingStore(uow).get(actor.site, id_)
                # What its call was merged into, if it was.
                call = (await CallStore(uow).get(actor.site, one.call)).id
                key = (await SiteStore(uow).get(actor.site)).key
        except NotFound:
            await self._write(actor, journal.recording_missed())
            raise RecordingUnknown from None
        if not one.shown:
            raise RecordingUnknown
        if one.ref is None:
            raise RecordingErased
        try:
            audio = await self._files.open(key, one.ref)
        except RecordingMissing:
            await self._catalogue.missing(one)
            raise
        if listens:
            try:
                await self._played(actor, one, call)
            except BaseException:
                await audio.close()
                raise
        return OpenedRecording(
            audio, media_type(one.ref), f"enregistrement-{one.id}.{suffix(one.ref)}"
        )

    async def _played(self, actor: Actor, one: Recording, call: str) -> None:
        now = self._clock.now()
        self._hearings = {who: at for who, at in self._hearings.items() if now - at < HEARING}
        who = (actor.user, one.id)
        if who in self._hearings:
            return
        await self._write(actor, journal.recording_played(one.id, call))
        self._hearings[who] = now

    async def _write(self, actor: Actor, entry: Entry) -> None:
        async with self._transactions() as uow:
            await Journal(uow).append(actor, entry, self._clock.now())
            await uow.commit()
