"""Opening the desk from call context.

Parameters become an opaque id at once (I5), then a call, a number and a clear sentence.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from server.domain.audit import AuditEvent
from server.errors import AliasMalformed
from server.ports import Actor, Clock, Ids, Transactions
from server.services.linking import check_alias, find_or_assert
from telephony import NumberKind, parse_number

LIFE = timedelta(hours=14)
MAX_FIELD = 512


@dataclass(frozen=True, slots=True)
class Launched:
    """What the desk opens on; `notice` is a sentence when something in the context was off."""

    call: str | None = None
    mobile: str | None = None
    station: str | None = None
    notice: str | None = None


class Launch:
    """Keeps launch contexts and resolves them for a signed-in user."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids) -> None:
        """Keep what the use cases need."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids

    async def keep(self, call: str, caller: str, station: str) -> str:
        """Store a context before anybody is signed in; return the opaque id for the URL."""
        now = self._clock.now()
        opaque = self._ids.token()
        fields = {
            "call": call[:MAX_FIELD],
            "caller": caller[:MAX_FIELD],
            "station": station[:MAX_FIELD],
        }
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
            known = {s.extension for s in await uow.sites.stations(actor.site)}
            notices: list[str] = []
            station = fields["station"].strip() or None
            if station and station not in known:
                notices.append("Le poste indiqué n'est pas de votre site : choisissez le vôtre.")
                station = None
            mobile = _mobile(fields["caller"], notices)
            call = None
            if fields["call"].strip():
                try:
                    value = check_alias(fields["call"])
                except AliasMalformed:
                    notices.append(
                        "L'identifiant d'appel reçu est illisible : choisissez l'appel dans la liste."
                    )
                else:
                    call = await find_or_assert(uow, actor.site, value, self._ids, self._clock)
                    found = await uow.calls.get(actor.site, call)
                    if found.state == "ended":
                        notices.append(
                            "Cet appel est terminé : la vidéo lui restera liée si vous invitez."
                        )
                    elif found.asserted:
                        notices.append(
                            "Appel pas encore vu par la téléphonie : identifiant conservé, à confirmer."
                        )
                    elif station and found.stations and station not in found.stations:
                        notices.append(f"Cet appel est au poste {', '.join(found.stations)}.")
            if record:
                event = AuditEvent("desk.launched", "desk:launch", None, call, {"station": station})
                await uow.audit.append(actor, event, self._clock.now())
            await uow.commit()
        return Launched(call, mobile, station, " ".join(notices) or None)


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
