"""Opening the desk from call context (docs/adr/0015).

Parameters become an opaque id at once (I5): a stranger's wait sealed in his own browser, those of who is signed in
stand in the database. Once the site is known they are judged (signature, time, nonce). What is signed opens the desk;
what is not only proposes, until the user accepts it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlencode

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import AppError, Invalid
from server.core.journal import calls as journal
from server.core.journal.append import Journal
from server.core.seal import Seal
from server.core.site_policy import LaunchPolicy
from server.core.sites import SiteStore
from server.core.tokens import token_hash
from server.line15.domain.launch_notice import Notice, NoticeKind
from server.line15.domain.signing import CONTEXT, SIGNED, WINDOW, check_launch
from server.line15.errors import AliasMalformed, LaunchReplayed, LaunchTooLarge, LaunchUnsigned
from server.line15.service.call_names import check_alias, find_or_assert
from server.line15.store.calls import CallStore
from server.line15.store.idempotency import OnceStore
from server.line15.store.launches import LaunchStore
from server.line15.store.secrets import SecretStore
from server.storage.transactions import Transactions
from telephony import NumberKind, parse_number

LIFE: Final = timedelta(hours=14)
WAIT: Final = timedelta(minutes=30)  # for the sign-in
#: Bytes of all parameters, as they stand in an address: sealed, they fit into one cookie.
MOST: Final = 2_048
PARAMETERS: Final = (*SIGNED, "kid", "sig")


@dataclass(frozen=True, slots=True)
class Proposed:
    """What an unsigned context asks for, as it was read; nothing of it is in force before the user accepts.

    `foreign`: a page of another site led here.
    """

    call: str | None
    mobile: str | None
    station: str | None
    foreign: bool


@dataclass(frozen=True, slots=True)
class Launched:
    """What the desk opens on; `notices` say what in the context was off.

    `code` is the stable code of a context that was refused, `signed` whether its signature held.
    """

    call: str | None = None
    mobile: str | None = None
    station: str | None = None
    notices: tuple[Notice, ...] = ()
    code: str | None = None
    signed: bool = False
    proposed: Proposed | None = None


class Launch:
    """Keeps launch contexts and resolves them for a signed-in user."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids, seal: Seal) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._seal = seal

    def read(self, parameters: Mapping[str, str], *, foreign: bool) -> Mapping[str, str]:
        """Take a context in, with the time it came and whether another site led here; raises LaunchTooLarge."""
        given = {name: parameters.get(name, "") for name in PARAMETERS}
        if len(urlencode({name: value for name, value in given.items() if value})) > MOST:
            raise LaunchTooLarge
        told = {"foreign": "yes"} if foreign else {}
        return {**given, **told, "received": self._clock.now().isoformat()}

    def wait(self, context: Mapping[str, str]) -> tuple[str, str]:
        """Return the opaque id for the URL, and the sealed context that the browser keeps until somebody signs in."""
        opaque = self._ids.token()
        return opaque, self._seal.close(urlencode({**context, "id": opaque})).decode()

    async def keep(self, actor: Actor, context: Mapping[str, str]) -> str:
        """Store a context for the site of who opened it; return the opaque id for the URL."""
        opaque = self._ids.token()
        await self._store(actor.site, opaque, context, self._clock.now())
        return opaque

    async def adopt(self, actor: Actor, opaque: str, sealed: str) -> bool:
        """Store the context that this browser kept until the sign-in; False when it kept another one, or none."""
        now = self._clock.now()
        try:
            context = dict(parse_qsl(self._seal.open(sealed.encode()), keep_blank_values=True))
        except Invalid:
            return False
        if context.pop("id", None) != opaque or now >= _received(context) + WAIT:
            return False
        await self._store(actor.site, opaque, context, now)
        return True

    async def _store(
        self, site: str, opaque: str, context: Mapping[str, str], now: datetime
    ) -> None:
        async with self._transactions() as uow:
            if await LaunchStore(uow).get(site, token_hash(opaque), now) is None:
                await LaunchStore(uow).add(
                    site, token_hash(opaque), json.dumps(context), now, now + LIFE
                )
                await uow.commit()

    async def resolve(
        self, actor: Actor, opaque: str, *, record: bool = False, accept: bool = False
    ) -> Launched:
        """Say what the context means for this user's site; whatever is wrong, the desk still works.

        `record` writes the launch to the audit: once, when the page opens, not at each reconnection. `accept`: the user
        was shown what an unsigned context proposes, and wants it.
        """
        launch = token_hash(opaque)
        async with self._transactions() as uow:
            kept = await LaunchStore(uow).get(actor.site, launch, self._clock.now())
            if kept is None:
                return Launched(notices=(Notice(NoticeKind.CONTEXT_GONE),))
            fields = json.loads(kept)
            try:
                signed = await self._judge(uow, actor.site, launch, fields)
            except AppError as refusal:
                launched = Launched(code=refusal.code)
            else:
                if accept and not signed and fields.get("accepted") != actor.user:
                    fields["accepted"] = actor.user
                    await LaunchStore(uow).change(actor.site, launch, json.dumps(fields))
                    record = True
                accepted = actor.user is not None and fields.get("accepted") == actor.user
                launched = await self._read(
                    uow, actor.site, fields, signed=signed, accepted=accepted
                )
            if record:
                await self._record(uow, actor, launched, fields)
            await uow.commit()
        return launched

    async def _judge(
        self, uow: UnitOfWork, site: str, launch: str, fields: Mapping[str, str]
    ) -> bool:
        """Say whether the context is signed; raises one of the launch's refusals when it may not be used.

        A signature that does not hold is refused even where none is asked for: somebody changed something.
        """
        now = self._clock.now()
        if not fields.get("sig"):
            policy = (await SiteStore(uow).get(site)).policy.launch_signature
            if policy is LaunchPolicy.REQUIRED and any(fields.get(name) for name in CONTEXT):
                raise LaunchUnsigned
            return False
        received = _received(fields)
        check_launch(fields, received, await SecretStore(uow).active(site))
        # A context may be resolved as long as it is kept; its nonce must be known as long.
        until = received + LIFE + 2 * WINDOW
        first = await OnceStore(uow).claim(site, "launch", fields["nonce"], launch, now, until)
        if first != launch:
            raise LaunchReplayed
        return True

    async def _read(
        self,
        uow: UnitOfWork,
        site: str,
        fields: Mapping[str, str],
        *,
        signed: bool,
        accepted: bool,
    ) -> Launched:
        """Read the context as a station, a number and a call of this site, or as a proposal of them.

        A proposal makes no call, and its station is never taken here: once accepted, the page sits down there itself.
        """
        known = {s.extension for s in await SiteStore(uow).stations(site)}
        notices: list[Notice] = []
        station = fields["station"].strip() or None
        if station and station not in known:
            notices.append(Notice(NoticeKind.STATION_FOREIGN))
            station = None
        mobile = _mobile(fields["caller"], notices)
        name = _name(fields["call"], notices)
        if not signed and not accepted:
            foreign = fields.get("foreign") == "yes"
            asked = name or mobile or station
            proposed = Proposed(name, mobile, station, foreign) if asked else None
            return Launched(notices=tuple(notices), proposed=proposed)
        call = await self._call(uow, site, name, station, notices) if name else None
        seat = station if signed else None
        return Launched(call, mobile, seat, tuple(notices), signed=signed)

    async def _call(
        self, uow: UnitOfWork, site: str, name: str, station: str | None, notices: list[Notice]
    ) -> str:
        """Find the call, or assert it until a feed reports it."""
        call = await find_or_assert(uow, site, name, self._ids, self._clock)
        found = await CallStore(uow).get(site, call)
        if found.state == "ended":
            notices.append(Notice(NoticeKind.CALL_ENDED))
        elif found.asserted:
            notices.append(Notice(NoticeKind.CALL_ASSERTED))
        elif station and found.stations and station not in found.stations:
            rings = set(found.stations) <= set(found.places.ringing)
            kind = NoticeKind.CALL_RINGS if rings else NoticeKind.CALL_HELD
            others = found.stations if rings else found.places.holders
            notices.append(Notice(kind, tuple(others)))
        return call

    async def _record(
        self, uow: UnitOfWork, actor: Actor, launched: Launched, fields: Mapping[str, str]
    ) -> None:
        """Write the launch down: signed, proposed by whom, accepted, or why it was refused."""
        station, proposed, accepted = launched.station, None, False
        if not launched.code and launched.proposed:
            station = launched.proposed.station
            proposed = "other_site" if launched.proposed.foreign else "unsigned"
        elif not launched.code:
            accepted = not launched.signed and bool(fields.get("accepted"))
        entry = journal.desk_launched(
            launched.call,
            station=station,
            signed=launched.signed,
            refused=launched.code or None,
            proposed=proposed,
            accepted=accepted,
        )
        await Journal(uow).append(actor, entry, self._clock.now())


def _received(context: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(context["received"])


def _name(text: str, notices: list[Notice]) -> str | None:
    if not text.strip():
        return None
    try:
        return check_alias(text)
    except AliasMalformed:
        notices.append(Notice(NoticeKind.CALL_MALFORMED))
        return None


def _mobile(text: str, notices: list[Notice]) -> str | None:
    if not text.strip():
        return None
    number = parse_number(text)
    if number is None:
        notices.append(Notice(NoticeKind.NUMBER_MALFORMED))
        return None
    if number.kind is not NumberKind.MOBILE:
        notices.append(Notice(NoticeKind.NUMBER_LANDLINE))
        return None
    return number.national
