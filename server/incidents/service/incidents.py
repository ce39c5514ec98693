"""The list of incidents and remarks: who reads it, who changes a state, what leaves it as a file; one site's own."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock
from server.core.days import day_bounds
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Invalid
from server.core.journal import incidents as journal
from server.core.journal.append import Journal
from server.core.personal import PersonalStore
from server.core.sites import Site
from server.delivery.store import MessageStore
from server.identity.domain.users import User
from server.identity.store.users import UserStore
from server.incidents.domain import (
    CHOICES,
    KINDS,
    LONGEST_NOTE,
    STATES,
    Incident,
    IncidentState,
    IncidentStep,
    number_of,
    row,
)
from server.incidents.errors import IncidentChanged
from server.incidents.service.feedback import CONTEXT, clean
from server.incidents.store import IncidentStore
from server.storage.transactions import Transactions

PAGE: Final = 50
BATCH: Final = 200
OWN: Final = 10
ERASED: Final = "effacé"
UNKNOWN: Final = "—"
HEAD: Final = (
    "Référence",
    "Nature",
    "État",
    "Reçu",
    "Auteur",
    "Texte",
    "Dernier changement",
    "Par",
    "Note",
    *CONTEXT.values(),
)


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """What the list shows: state, kind, first and last day of the site's own, and from which reference on."""

    state: str = ""
    kind: str = ""
    first: str = ""
    last: str = ""
    below: str = ""

    def query(self) -> dict[str, str]:
        """Return what is set, for an address; none of it is about a person."""
        named = {"state": self.state, "kind": self.kind, "from": self.first, "to": self.last}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class IncidentStepView:
    """One row of the history, opened."""

    at: datetime
    state: str
    words: str
    who: str
    note: str | None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident, opened."""

    id: str
    reference: str
    kind: str
    kind_words: str
    state: str
    state_words: str
    created: datetime
    who: str
    remark: str | None  # None once erased
    context: Mapping[str, str]
    steps: int
    changes: Sequence[IncidentStepView] = field(default=())


@dataclass(frozen=True, slots=True)
class IncidentList:
    """One page of the list; `below` leads to the next."""

    incidents: Sequence[IncidentView]
    below: str | None


class Incidents:
    """The use cases of the référent and the administrator, and of the author for his own."""

    def __init__(self, transactions: Transactions, clock: Clock) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock

    async def new_ones(self, site: Site) -> int:
        """Count what nobody took up yet."""
        async with self._transactions(write=False) as uow:
            return await IncidentStore(uow).count(site.id, IncidentState.NEW)

    async def listed(self, site: Site, wanted: IncidentFilter) -> IncidentList:
        """Return one page, the newest first."""
        async with self._transactions(write=False) as uow:
            found = await _find(uow, site, wanted, PAGE + 1)
            shown = await _opened(uow, site, found[:PAGE])
        more = len(found) > PAGE
        return IncidentList(shown, shown[-1].reference if more else None)

    async def one(self, site: Site, id_: str) -> IncidentView:
        """Return one with its history; NotFound for another site's (I7)."""
        async with self._transactions(write=False) as uow:
            [shown] = await _opened(uow, site, [await IncidentStore(uow).get(site.id, id_)])
        return shown

    async def mine(self, user: User, site: Site) -> Sequence[IncidentView]:
        """Return what this person sent last, to read only."""
        async with self._transactions(write=False) as uow:
            found = await IncidentStore(uow).of_user(site.id, user.id, OWN)
            shown = await _opened(uow, site, found)
        # The notes are between those who follow it up.
        return [replace(one, changes=()) for one in shown]

    async def change(
        self, actor: Actor, user: User, id_: str, *, state: str, note: str, seen: int
    ) -> None:
        """Append a state or a note, decided on `seen` changes; IncidentChanged when there is another since."""
        text = clean(note)
        if state not in set(CHOICES) or len(text) > LONGEST_NOTE:
            raise Invalid("incident_state")
        now = self._clock.now()
        async with self._transactions() as uow:
            incident = await IncidentStore(uow).get(user.site, id_)
            if incident.steps != seen:
                raise IncidentChanged
            if incident.state == state and not text:
                raise Invalid("incident_same_state")
            kept = await PersonalStore(uow).add(user.site, "note", text, now) if text else None
            step = IncidentStep(
                incident=id_,
                step=seen + 1,
                state=IncidentState(state),
                user=user.id,
                note=kept,
                at=now,
            )
            await IncidentStore(uow).add_step(user.site, step)
            entry = journal.feedback_state_changed(
                id_, was=incident.state.value, state=state, note=bool(text)
            )
            await Journal(uow).append(actor, entry, now)
            await uow.commit()

    async def erase(self, actor: Actor, site: Site, id_: str) -> None:
        """Erase the remark, its mail and the notes; number, states and times stay."""
        now = self._clock.now()
        async with self._transactions() as uow:
            incident = await IncidentStore(uow).get(site.id, id_)
            steps = await IncidentStore(uow).steps(site.id, [id_])
            notes = [step.note for step in steps if step.note]
            for personal in (incident.remark, *notes):
                await PersonalStore(uow).erase(site.id, personal, now)
            if incident.mail:
                message = await MessageStore(uow).get(site.id, incident.mail)
                await MessageStore(uow).save(replace(message, sealed=None))
            entry = journal.feedback_erased(id_, notes=len(notes))
            await Journal(uow).append(actor, entry, now)
            await uow.commit()

    async def export(self, actor: Actor, site: Site, wanted: IncidentFilter) -> AsyncIterator[str]:
        """Yield the list as RFC 4180, some rows at a time; that it left is a row of the chain first."""
        async with self._transactions() as uow:
            await _find(uow, site, wanted, 1)  # a wrong filter is refused before anything is sent
            entry = journal.feedback_exported(
                site.id, state=wanted.state or None, kind=wanted.kind or None
            )
            await Journal(uow).append(actor, entry, self._clock.now())
            await uow.commit()
        yield row(list(HEAD))
        below: str = wanted.below
        while True:
            async with self._transactions(write=False) as uow:
                found = await _find(uow, site, replace(wanted, below=below), BATCH)
                shown = await _opened(uow, site, found)
            yield "".join(_line(one) for one in shown)
            if len(found) < BATCH:
                return
            below = shown[-1].reference


async def _find(
    uow: UnitOfWork, site: Site, wanted: IncidentFilter, limit: int
) -> Sequence[Incident]:
    if wanted.state and wanted.state not in set(IncidentState):
        raise Invalid("incident_state")
    if wanted.kind and wanted.kind not in KINDS:
        raise Invalid("incident_kind")
    below = number_of(wanted.below) if wanted.below else None
    if wanted.below and below is None:
        raise Invalid("incident_reference")
    return await IncidentStore(uow).listed(
        site.id,
        limit=limit,
        below=below,
        state=IncidentState(wanted.state) if wanted.state else None,
        kind=wanted.kind or None,
        start=day_bounds(site, wanted.first)[0] if wanted.first else None,
        end=day_bounds(site, wanted.last)[1] if wanted.last else None,
    )


async def _opened(uow: UnitOfWork, site: Site, found: Sequence[Incident]) -> list[IncidentView]:
    steps = await IncidentStore(uow).steps(site.id, [one.id for one in found])
    texts = await PersonalStore(uow).get_all(
        site.id, [one.remark for one in found] + [step.note for step in steps if step.note]
    )
    names = {user.id: user.name for user in await UserStore(uow).of_site(site.id)}

    def changes(id_: str) -> list[IncidentStepView]:
        return [
            IncidentStepView(
                at=step.at,
                state=step.state.value,
                words=STATES[step.state],
                who=names.get(step.user, UNKNOWN),
                note=(texts.get(step.note) or ERASED) if step.note else None,
            )
            for step in steps
            if step.incident == id_
        ]

    return [
        IncidentView(
            id=one.id,
            reference=one.reference,
            kind=one.kind,
            kind_words=KINDS.get(one.kind, one.kind),
            state=one.state.value,
            state_words=STATES[one.state],
            created=one.created,
            who=names.get(one.user, UNKNOWN),
            remark=texts.get(one.remark),
            context={key: str(one.context[key]) for key in CONTEXT if key in one.context},
            steps=one.steps,
            changes=changes(one.id),
        )
        for one in found
    ]


def _line(one: IncidentView) -> str:
    last = one.changes[-1] if one.changes else None
    return row(
        [
            one.reference,
            one.kind_words,
            one.state_words,
            one.created.isoformat(),
            one.who,
            ERASED if one.remark is None else one.remark,
            last.at.isoformat() if last else "",
            last.who if last else "",
            (last.note or "") if last else "",
            *(one.context.get(key, "") for key in CONTEXT),
        ]
    )
