"""What the switchboard wrote down of its calls, taken in afterwards: names and times are added, nothing is overwritten.

The same file twice changes nothing. A call that no feed told of is stored as an ended one, with source `cdr`.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import calls as journal
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.core.sites import Site
from server.line15.domain.calls import CDR, AliasRow, CallSummary, SpanRow
from server.line15.service.ingest import SAME, CallIngest
from server.line15.store.calls import CallStore
from server.reconcile.domain.cdr import Bad, CdrCall
from server.reconcile.domain.matching import AROUND, READ
from server.reconcile.service.reconciler import Reconciler
from server.storage.transactions import Transactions
from telephony import (
    Alias,
    Call,
    CallState,
    DatedAlias,
    Direction,
    Number,
    StationSpan,
)

#: Calls stored in one transaction, about a tenth of a second, and the rest after it: SQLite keeps no queue of those
#: who wait, and desks must get their turn.
BATCH: Final = 5
REST_SECONDS: Final = 0.05
#: A feed and a CDR that share no name tell of one call when it is of one number and begun so near to each other.
TOGETHER: Final = timedelta(seconds=2)
_WHY: Final = "CDR"
_NUMBER_WHY: Final = "CDR: same number, same second"


@dataclass(slots=True)
class Imported:
    """What an import did, in calls; `bad` are lines."""

    new: int = 0
    completed: int = 0
    unchanged: int = 0
    linked: int = 0
    bad: list[Bad] = field(default_factory=list)


class CdrImport:
    """Takes the records of one site's switchboard."""

    def __init__(
        self,
        *,
        transactions: Transactions,
        clock: Clock,
        ids: Ids,
        seal: Seal,
        reconciler: Reconciler,
        ingest: CallIngest,
    ) -> None:
        """Take the parts; `ingest` adopts what launches and desks asserted."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal
        self._reconciler = reconciler
        self._ingest = ingest

    async def take(self, site: Site, groups: Sequence[CdrCall], file: str) -> Imported:
        """Store the groups, then match the videos of their time; `file` is the hash that names it in the audit."""
        done, actor = Imported(), Actor("cli", site.id)
        for first in range(0, len(groups), BATCH):
            async with self._transactions() as uow:
                for group in groups[first : first + BATCH]:
                    await self._take(uow, actor, group, done)
                await uow.commit()
            await asyncio.sleep(REST_SECONDS)
        if done.new or done.completed:
            imported = journal.cdr_imported(
                site.id, new=done.new, completed=done.completed, file=file
            )
            async with self._transactions() as uow:
                await Journal(uow).append(actor, imported, self._clock.now())
                await uow.commit()
        if groups:
            since = min(group.start for group in groups) - AROUND
            until = max(group.end for group in groups) + AROUND
            done.linked = await self._reconciler.sweep(site.id, since, until, actor)
        return done

    async def _take(self, uow: UnitOfWork, actor: Actor, group: CdrCall, done: Imported) -> None:
        named = await self._named(uow, actor.site, group)
        known, why = await self._known(uow, actor.site, group, named)
        if isinstance(known, str):
            done.bad += [Bad(row.line, known) for row in group.rows]
            return
        value = _call(self._ids.new() if known is None else known.id, group, why)
        now = self._clock.now()
        if known is None:
            await CallStore(uow).save(actor.site, value, now)
            stored = await CallStore(uow).get(actor.site, value.id)
        else:
            stored = known
        changed = await CallStore(uow).supplement(
            stored,
            [
                AliasRow(
                    type=r.alias.type,
                    value=r.alias.value,
                    source=CDR,
                    why=r.why,
                    valid_from=r.valid_from,
                    valid_to=r.valid_to,
                )
                for r in value.aliases
            ],
            [SpanRow(CDR, station, start, end) for station, start, end in group.talks],
            now,
            next(iter(group.numbers), None),
        )
        if known is not None and not changed:
            done.unchanged += 1
            return
        entry = journal.call_imported(value.id, rows=len(group.rows), new=known is None)
        await Journal(uow).append(actor, entry, now)
        if any(call.asserted for call in named):
            await self._ingest.adopt(uow, value, now, actor)
        if known is None:
            done.new += 1
        else:
            done.completed += 1

    async def _named(self, uow: UnitOfWork, site: str, group: CdrCall) -> Sequence[CallSummary]:
        """Return every call that bears one of these names."""
        found: dict[str, CallSummary] = {}
        for _, value in group.names:
            found |= {call.id: call for call in await CallStore(uow).find(site, value)}
        return list(found.values())

    async def _known(
        self, uow: UnitOfWork, site: str, group: CdrCall, named: Sequence[CallSummary]
    ) -> tuple[CallSummary | str | None, str]:
        """Return the call these records are about, or why they cannot be taken; and how it is known."""
        told = [call for call in named if not call.asserted]
        then = [call for call in told if _overlaps(call, group)]
        if told and not then:
            return "known at another time: is the time zone right?", ""
        if len(then) > 1:
            return "its ids belong to several calls", ""
        if len(group.numbers) > 1:
            return "one call with two numbers", ""
        if then:
            (call,) = then
            other = call.number is not None and bool(group.numbers - {call.number})
            return ("known with another number" if other else call), _WHY
        return await self._beside(uow, site, group), _NUMBER_WHY

    async def _beside(self, uow: UnitOfWork, site: str, group: CdrCall) -> CallSummary | None:
        """Find the call of the same number that a feed saw begin at the same moment, if it is the only one."""
        lookups = [self._seal.lookup("number", number) for number in group.numbers]
        if not lookups:
            return None
        first, last = group.start - TOGETHER, group.start + TOGETHER
        around = await CallStore(uow).around(site, None, lookups, first, last, READ)
        calls = [record.call for record in around if first <= record.call.started <= last]
        return calls[0] if len(calls) == 1 and calls[0].told_by != {CDR} else None


def _overlaps(call: CallSummary, group: CdrCall) -> bool:
    ended = call.ended or group.end
    return call.started <= group.end + SAME and ended >= group.start - SAME


def _call(id_: str, group: CdrCall, why: str) -> Call:
    """Say what the records tell as a call that is over."""
    first = min(group.rows, key=lambda row: (row.start, row.line))
    number = next(iter(group.numbers), None)
    answers = [row.answer for row in group.rows if row.answer and (row.number or not number)]
    names = tuple(
        DatedAlias(alias=Alias(kind, value), source=CDR, valid_from=start, valid_to=end, why=why)
        for (kind, value), (start, end) in sorted(group.names.items())
    )
    return Call(
        id=id_,
        caller=None if first.outgoing or number is None else Number(number),
        called=number if first.outgoing else None,
        state=CallState.ENDED,
        started=group.start,
        answered=min(answers, default=None),
        ended=group.end,
        certain=all(row.exact for row in group.rows),
        aliases=names,
        stations=tuple(StationSpan(s, start, end) for s, start, end in group.talks),
        direction=Direction.OUTGOING if first.outgoing else Direction.INCOMING,
    )
