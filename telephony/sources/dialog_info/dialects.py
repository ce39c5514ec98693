"""What a dialog-info document means depends on who wrote it: three uses of RFC 4235 that switchboards make.

* CALLS, the RFC's: a dialog is one of SIP, named by its Call-ID; a full document lists all (Kamailio, OpenSIPS).
* EXTENSION: one element an extension says that it is idle, rings, or is in use, whoever calls (Asterisk). A
  `call-id` there is made of the subscription's, for picking up, and is nobody's.
* EVENTS: a document tells of one channel by its UUID, although it says `full`; only the answer to a
  subscription lists all, and alone says the Call-IDs (FreeSWITCH).

The documents themselves tell which. Everything here is pure: a document, and what was known before, give the
dialogs meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from telephony.sip.message import uri_user
from telephony.sources.dialog_info.codec import Dialog, DialogInfo, DialogState, Party

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Dialect(StrEnum):
    """How a switchboard uses dialog-info."""

    CALLS = "calls"
    EXTENSION = "extension"
    EVENTS = "events"


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PICKUP: Final = "pickup-"
_RANKS: Final = {state: rank for rank, state in enumerate(DialogState)}

_LONGEST_NAME: Final = 40
_VERSION: Final = r"[^0-9]{0,40}([0-9]+(?:\.[0-9]+)*)"
#: How products write themselves in Server and User-Agent, and how people name them.
_PRODUCTS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (rf"kamailio{_VERSION}", "Kamailio {}"),
        (rf"opensips{_VERSION}", "OpenSIPS {}"),
        (rf"freeswitch{_VERSION}", "FreeSWITCH {}"),
        (r"FPBX-([0-9.]+)\(([0-9.]+)", "FreePBX {} (Asterisk {})"),
        (rf"asterisk{_VERSION}", "Asterisk {}"),
    )
)

#: What each is known to use.
_SPOKEN: Final = {
    "Kamailio": Dialect.CALLS,
    "OpenSIPS": Dialect.CALLS,
    "Asterisk": Dialect.EXTENSION,
    "FreeSWITCH": Dialect.EVENTS,
}

#: An id of the document, and which of the calls that bear it one after the other.
Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Meant:
    """What one document says. `whole`: what it does not list, and is not `mute` about, has ended.

    `mute` are dialogs of which it says two things at once, hence nothing; `contradicted` when it contradicts itself
    or what was told before.
    """

    dialogs: tuple[Dialog, ...]
    whole: bool
    mute: frozenset[Key] = frozenset()
    contradicted: bool = False


def product(written: str) -> str:
    """Name a product as people do, given its Server or User-Agent: `Asterisk 22.1.0`."""
    for pattern, name in _PRODUCTS:
        found = pattern.match(written.strip())
        if found:
            return name.format(*found.groups())
    return written.strip()[:_LONGEST_NAME]


def presumed(name: str) -> Dialect | None:
    """Tell the dialect that a product of this name is known to use, until its documents show theirs."""
    found = [dialect for known, dialect in _SPOKEN.items() if f"{known} " in name]
    return found[0] if found else None


def recognise(info: DialogInfo, station: str) -> Dialect | None:
    """Tell the dialect of a document about `station`; None when it could be any."""
    if not info.full:
        return Dialect.CALLS
    if not info.dialogs:
        return None
    if all(_UUID.fullmatch(each.id) for each in info.dialogs):
        if any(each.pvalue for each in info.dialogs):
            return Dialect.EVENTS
        return None if all(not each.call_id for each in info.dialogs) else Dialect.CALLS
    names = {station, uri_user(info.entity)}
    if all(_of_extension(each, names) for each in info.dialogs):
        return Dialect.EXTENSION
    return Dialect.CALLS


def _of_extension(dialog: Dialog, names: set[str]) -> bool:
    if dialog.call_id:
        return dialog.call_id.startswith(_PICKUP)
    return dialog.id in names


def meaning(
    info: DialogInfo,
    station: str,
    known: Mapping[Key, Dialog],
    dialect: Dialect,
    *,
    answers: bool,
    missed: bool,
) -> Meant:
    """Tell what a document means, given the living dialogs it told before.

    `answers`: it is the first since our last subscription was accepted. `missed`: a document before it may be lost.
    """
    said, mute, twice = _once(info.dialogs, dialect)
    match dialect:
        case Dialect.CALLS:
            meant = Meant(tuple(said), info.full)
        case Dialect.EXTENSION:
            meant = _extension(said[0] if said else None, station, known)
        case _:  # one channel a document
            listing = all(each.call_id for each in info.dialogs) if info.dialogs else answers
            told = [_turned(each, station) for each in said]
            if listing:
                told = [_listed(each, known.get(each.key), missed=missed) for each in told]
            meant = Meant(tuple(map(_held, told)), listing)
    dialogs, contradicted = _continued(meant.dialogs, known)
    mute |= meant.mute
    return Meant(dialogs, meant.whole, mute, twice or contradicted or meant.contradicted)


def _once(dialogs: Iterable[Dialog], dialect: Dialect) -> tuple[list[Dialog], frozenset[Key], bool]:
    """Keep one of each id, the furthest, and say of which nothing is known, and whether any was told in two ways.

    Kamailio may list a dialog as it was beside as it is, hence ended; nobody else does.
    """
    kept: dict[str, Dialog] = {}
    states: dict[str, set[DialogState]] = {}
    twice = False
    for dialog in dialogs:
        before = kept.get(dialog.id)
        twice = twice or (before is not None and before != dialog)
        states.setdefault(dialog.id, set()).add(dialog.state)
        if before is None or _RANKS[dialog.state] >= _RANKS[before.state]:
            kept[dialog.id] = dialog
    mute = {
        name
        for name, told in states.items()
        if dialect is not Dialect.CALLS and DialogState.TERMINATED in told and len(told) > 1
    }
    said = [dialog for name, dialog in kept.items() if name not in mute]
    return said, frozenset((name, 0) for name in mute), twice


def _continued(
    dialogs: Iterable[Dialog], known: Mapping[Key, Dialog]
) -> tuple[tuple[Dialog, ...], bool]:
    """Add to each dialog what was told of it before, and say whether any is told otherwise than before."""
    continued, contradicted = [], False
    for dialog in dialogs:
        before = known.get(dialog.key)
        if before is None or dialog.state is DialogState.TERMINATED or another(before, dialog):
            continued.append(dialog)
            continue
        back = _RANKS[dialog.state] < _RANKS[before.state]
        turned = None not in {before.initiator, dialog.initiator} and (
            before.initiator is not dialog.initiator
        )
        contradicted = contradicted or turned or (back and not dialog.held)
        continued.append(
            replace(
                dialog,
                state=before.state if back else dialog.state,
                initiator=dialog.initiator if before.initiator is None else before.initiator,
                call_id=dialog.call_id or before.call_id,
                local=_same_party(before.local, dialog.local),
                remote=_same_party(before.remote, dialog.remote),
                referred_by=dialog.referred_by or before.referred_by,
                replaces=dialog.replaces or before.replaces,
            )
        )
    return tuple(continued), contradicted


def _same_party(before: Party, told: Party) -> Party:
    return told if told.uri else replace(before, rendering=told.rendering)


def another(before: Dialog, told: Dialog) -> bool:
    """Whether an id now names another dialog: that of another Call-ID."""
    return bool(before.call_id and told.call_id and before.call_id != told.call_id)


def _turned(dialog: Dialog, station: str) -> Dialog:
    """Put the ends right: FreeSWITCH's list swaps those of a call to the station."""
    if uri_user(dialog.remote.uri) != station:
        return dialog
    other = dialog.local if uri_user(dialog.local.uri) not in {"", station} else Party()
    return replace(
        dialog,
        local=replace(dialog.remote, rendering=dialog.local.rendering),
        remote=replace(other, rendering=dialog.remote.rendering),
    )


def _extension(told: Dialog | None, station: str, known: Mapping[Key, Dialog]) -> Meant:
    """Tell the calls behind the state of an extension: at most one that is talked on, and one that rings.

    While it is in use and rings (`early` after `confirmed`) a second call rings. When the extension is then in use
    only, nobody can say whether that one was answered or gave up.
    """
    if told is None:
        return Meant((), whole=False)
    told = replace(told, call_id="", local_tag="", remote_tag="")
    if _person(told) in {station, told.id}:  # who calls is not known: the extension is written
        told = replace(told, remote=Party(rendering=told.remote.rendering))
    if told.state is DialogState.TERMINATED:
        ended = [replace(told, id=name, nth=nth) for name, nth in known] or [told]
        return Meant(tuple(ended), whole=True)
    talks = [each for each in known.values() if _talked(each)]
    rings = [each for each in known.values() if not _talked(each)]
    new = replace(told, nth=1 + max((nth for _, nth in known), default=-1))
    if _talked(told):
        return Meant((_next([*talks, *rings], told) or new,), whole=True)
    if talks and not rings and _person(told) and _person(talks[0]) == _person(told):
        return Meant(tuple(talks), whole=True, contradicted=True)  # one person rings, and talks
    return Meant((*talks, _next(rings, told) or new), whole=True)


def _next(before: Sequence[Dialog], told: Dialog) -> Dialog | None:
    """Take the state told as the next one of a call known before, unless it names somebody else."""
    for each in before:
        if len({_person(each), _person(told)} - {""}) <= 1:
            return replace(told, nth=each.nth)
    return None


def _talked(dialog: Dialog) -> bool:
    return dialog.state is DialogState.CONFIRMED


def _person(dialog: Dialog) -> str:
    return uri_user(dialog.remote.uri)


def _held(dialog: Dialog) -> Dialog:
    """Take a call on hold for answered: FreeSWITCH tells it as `early`."""
    if dialog.held and dialog.state is DialogState.EARLY:
        return replace(dialog, state=DialogState.CONFIRMED)
    return dialog


def _listed(dialog: Dialog, known: Dialog | None, *, missed: bool) -> Dialog:
    """Read an entry of a list, which says that everybody plays: what was told of a hold stays.

    Its state does go back to `early` for a hold: only that tells of one when a document may be lost.
    """
    if known is None or not _talked(known) or dialog.state is DialogState.TERMINATED:
        return dialog
    held = known.held
    if missed:
        held = dialog.state is not DialogState.CONFIRMED
    local = replace(dialog.local, rendering=False if held else dialog.local.rendering)
    return replace(dialog, state=DialogState.CONFIRMED, local=local)
