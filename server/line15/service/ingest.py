"""Line 15 as the sources report it, made durable and told to the desks: what the runners call on each change."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from server.core.audit_entries import Actor
from server.core.bus import Bus, SiteChanged
from server.core.clock import Clock
from server.core.db.unit_of_work import UnitOfWork
from server.core.journal import calls as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.line15.domain.call_links import Evidence
from server.line15.domain.calls import CDR
from server.line15.store.calls import CallStore
from server.line15.store.facts import FactStore
from server.storage.transactions import Transactions
from telephony import Call, CallsChanged, CallState

MEMORY = timedelta(hours=12)
#: A CDR and a feed date the beginning of one call so near to each other.
SAME = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMerged:
    """A stored call, `former`, turned out to be another one of its site, `call`: who found it, and on what evidence."""

    site: str
    former: str
    call: str
    evidence: Evidence
    actor: Actor
    at: datetime


#: Is given a call of a site that was just stored, and the time; writes in the same unit of work, or not at all.
OnCall = Callable[[UnitOfWork, str, Call, datetime], Awaitable[None]]
#: Is told that a call became another, in the unit of work that merged them.
OnMerged = Callable[[UnitOfWork, CallMerged], Awaitable[None]]
Touched = Callable[[str, Sequence[Call]], None]


class CallIngest:
    """One site's calls on their way into the database."""

    def __init__(
        self,
        site: str,
        transactions: Transactions,
        clock: Clock,
        bus: Bus,
        *,
        on_merged: Sequence[OnMerged],
        on_saved: Sequence[OnCall] = (),
        on_folded: Sequence[OnCall] = (),
        touched: Touched = lambda _site, _calls: None,
    ) -> None:
        """Serve one site; another site's feeds have their own (I7).

        What a feed told of a call goes to `on_saved` as soon as the call is stored, and to `on_folded` once the audit
        has it as well. `touched` is told after the commit which calls changed.
        """
        self.site = site
        self._transactions = transactions
        self._clock = clock
        self._bus = bus
        self._on_merged = on_merged
        self._on_saved = on_saved
        self._on_folded = on_folded
        self._touched = touched

    async def receive(self, changes: Sequence[CallsChanged]) -> None:
        """Store what happened, in one transaction, then tell the desks.

        Raises StorageUnavailable, and the runner tries the same again: nothing a feed said is lost (I3).
        """
        now, feed = self._clock.now(), Actor("feed", self.site)
        newest = {call.id: call for change in changes for call in change.calls}
        async with self._transactions() as uow:
            for call in newest.values():
                await self._save(uow, call, now)
            told = [(change.call_id, fact) for change in changes for fact in change.facts]
            await FactStore(uow).add(self.site, told, now)
            for change in changes:
                for younger, surviving in change.merged:
                    await self._merge(
                        uow,
                        CallMerged(
                            site=self.site,
                            former=younger,
                            call=surviving,
                            evidence=Evidence.MERGED,
                            actor=feed,
                            at=now,
                        ),
                    )
            await uow.commit()
        self._touched(self.site, list(newest.values()))
        stations = {span.station for call in newest.values() for span in call.stations}
        if stations or any(change.merged for change in changes):
            self._bus.publish(SiteChanged(self.site, frozenset(stations)))

    async def _save(self, uow: UnitOfWork, call: Call, now: datetime) -> None:
        known = await CallStore(uow).save(self.site, call, now)
        for hook in self._on_saved:
            await hook(uow, self.site, call, now)
        if known is None:
            await self.adopt(uow, call, now, Actor("feed", self.site))
        if known != call.state.value:
            await Journal(uow).append(Actor("feed", self.site), _entry(call), now)
        for hook in self._on_folded:
            await hook(uow, self.site, call, now)

    async def adopt(self, uow: UnitOfWork, call: Call, now: datetime, actor: Actor) -> None:
        """A launch or a CDR named this call before any feed did: its stand-in becomes this call."""
        for record in call.aliases:
            for candidate in await CallStore(uow).find(self.site, record.alias.value):
                if candidate.id == call.id:
                    continue
                if candidate.asserted and candidate.started >= call.started - MEMORY:
                    evidence = Evidence.LAUNCH_CONTEXT
                elif candidate.told_by == {CDR} and abs(candidate.started - call.started) <= SAME:
                    evidence = Evidence.MERGED
                else:
                    continue
                await self._merge(
                    uow,
                    CallMerged(
                        site=self.site,
                        former=candidate.id,
                        call=call.id,
                        evidence=evidence,
                        actor=actor,
                        at=now,
                    ),
                )

    async def _merge(self, uow: UnitOfWork, merged: CallMerged) -> None:
        """Store that a call became another, write it down, and tell who keeps something of the former one."""
        await CallStore(uow).merged(merged.site, merged.former, merged.call)
        entry = journal.call_merged(merged.former, into=merged.call)
        await Journal(uow).append(merged.actor, entry, merged.at)
        for hook in self._on_merged:
            await hook(uow, merged)


_LIVE: Final = {
    CallState.RINGING: journal.call_ringing,
    CallState.TALKING: journal.call_talking,
    CallState.HELD: journal.call_held,
}


def _entry(call: Call) -> Entry:
    """Tell the state that a call came to."""
    if call.state is not CallState.ENDED:
        told = _LIVE[call.state]
        return told(call.id, certain=call.certain, started=call.started, answered=call.answered)
    return journal.call_ended(
        call.id,
        certain=call.certain,
        started=call.started,
        answered=call.answered,
        ended=call.ended,
        end_certain=call.end_certain,
    )
