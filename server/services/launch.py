"""Opening the desk from call context.

Parameters become an opaque id at once (I5), then, once the site is known, they are judged (signature, time, nonce)
and read as a call, a number and a clear sentence.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from server.domain.audit import AuditEvent
from server.domain.signing import CONTEXT, SIGNED, WINDOW, LaunchPolicy, check_launch
from server.errors import AliasMalformed, AppError, LaunchReplayed, LaunchUnsigned
from server.ports import Actor, Clock, Ids, Transactions, UnitOfWork
from server.services.linking import check_alias, find_or_assert
from telephony import NumberKind, parse_number

LIFE = timedelta(hours=14)
MAX_FIELD = 512
PARAMETERS = (*SIGNED, "kid", "sig")


@dataclass(frozen=True, slots=True)
class Launched:
    """What the desk opens on; `notice` is a sentence when something in the context was off.

    `code` is the stable code of a context that was refused, `signed` whether its signature held.
    """

    call: str | None = None
    mobile: str | None = None
    station: str | None = None
    notice: str | None = None
    code: str | None = None
    signed: bool = False


class Launch:
    """Keeps launch contexts and resolves them for a signed-in user."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids

    async def keep(self, parameters: Mapping[str, str]) -> str:
        """Store a context before anybody is signed in; return the opaque id for the URL."""
        now = self._clock.now()
        opaque = self._ids.token()
        fields = {name: parameters.get(name, "")[:MAX_FIELD] for name in PARAMETERS}
        fields["received"] = now.isoformat()
        async with self._transactions() as uow:
            await uow.launches.add(_hash(opaque), json.dumps(fields), now, now + LIFE)
            await uow.commit()
        return opaque

    async def resolve(self, actor: Actor, opaque: str, *, record: bool = False) -> Launched:
        """Say what the context means for this user's site; whatever is wrong, the desk still works.

        `record` writes the launch to the audit: once, when the page opens, not at each reconnection.
        """
        async with self._transactions() as uow:
            kept = await uow.launches.get(_hash(opaque), self._clock.now(), actor.site)
            if kept is None:
                return Launched(
                    notice="Le contexte d'appel a expiré : rouvrez la page depuis l'appel."
                )
            fields = json.loads(kept)
            try:
                signed = await self._judge(uow, actor.site, _hash(opaque), fields)
            except AppError as refusal:
                launched = Launched(notice=refusal.message, code=refusal.code)
            else:
                launched = replace(await self._read(uow, actor.site, fields), signed=signed)
            if record:
                await self._record(uow, actor, launched)
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
            policy = (await uow.sites.get(site)).policy.get("launch_signature")
            if policy == LaunchPolicy.REQUIRED and any(fields.get(name) for name in CONTEXT):
                raise LaunchUnsigned
            return False
        received = datetime.fromisoformat(fields["received"])
        check_launch(fields, received, await uow.secrets.active(site))
        # A context may be resolved as long as it is kept; its nonce must be known as long.
        until = received + LIFE + 2 * WINDOW
        first = await uow.once.claim(site, "launch", fields["nonce"], launch, now, until)
        if first != launch:
            raise LaunchReplayed
        return True

    async def _read(self, uow: UnitOfWork, site: str, fields: Mapping[str, str]) -> Launched:
        """Read the context as a station, a number and a call of this site."""
        known = {s.extension for s in await uow.sites.stations(site)}
        notices: list[str] = []
        station = fields["station"].strip() or None
        if station and station not in known:
            notices.append("Le poste indiqué n'est pas de votre site : choisissez le vôtre.")
            station = None
        mobile = _mobile(fields["caller"], notices)
        call = await self._call(uow, site, fields["call"], station, notices)
        return Launched(call, mobile, station, " ".join(notices) or None)

    async def _call(
        self, uow: UnitOfWork, site: str, text: str, station: str | None, notices: list[str]
    ) -> str | None:
        """Find the call, or assert it until a feed reports it."""
        if not text.strip():
            return None
        try:
            value = check_alias(text)
        except AliasMalformed:
            notices.append(
                "L'identifiant d'appel reçu est illisible : choisissez l'appel dans la liste."
            )
            return None
        call = await find_or_assert(uow, site, value, self._ids, self._clock)
        found = await uow.calls.get(site, call)
        if found.state == "ended":
            notices.append("Cet appel est terminé : la vidéo lui restera liée si vous invitez.")
        elif found.asserted:
            notices.append(
                "Appel pas encore vu par la téléphonie : identifiant conservé, à confirmer."
            )
        elif station and found.stations and station not in found.stations:
            rings = set(found.stations) <= set(found.places.ringing)
            verb = "sonne" if rings else "est"
            others = found.stations if rings else found.places.holders
            notices.append(f"Cet appel {verb} au poste {', '.join(others)}.")
        return call

    async def _record(self, uow: UnitOfWork, actor: Actor, launched: Launched) -> None:
        """Write the launch down, and whether it was signed or why it was refused."""
        data: dict[str, object] = {"station": launched.station, "signed": launched.signed}
        if launched.code:
            data["refused"] = launched.code
        event = AuditEvent("desk.launched", "desk:launch", None, launched.call, data)
        await uow.audit.append(actor, event, self._clock.now())


def _mobile(text: str, notices: list[str]) -> str | None:
    if not text.strip():
        return None
    number = parse_number(text)
    if number is None:
        notices.append("Le numéro reçu est illisible : saisissez-le.")
        return None
    if number.kind is not NumberKind.MOBILE:
        notices.append("L'appelant est sur un téléphone fixe : demandez un numéro de mobile.")
        return None
    return number.national


def _hash(opaque: str) -> str:
    return hashlib.sha256(opaque.encode()).hexdigest()
