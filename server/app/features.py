"""Builds every feature of a server from those below it, and gives lower rooms the hooks of higher ones."""

from dataclasses import dataclass
from datetime import timedelta

from server.app.settings.settings import Settings
from server.audit.service.lookup import AuditLookup
from server.audit.wire.chain import wire_chain
from server.audit.wire.lookup import wire_lookup
from server.core import resources
from server.core.net.hosts import host_of, is_this_machine
from server.core.words.translations import ReadAloudTranslator
from server.delivery.wire import DeliveryParts, wire_delivery
from server.desk.wire import DeskParts, wire_desk
from server.identity.wire.accounts import AccountParts, wire_accounts
from server.identity.wire.sign_in import SignInParts, wire_sign_in
from server.incidents.wire import IncidentParts, wire_incidents
from server.invitations.service import hooks as invitation_hooks
from server.invitations.wire import InvitationParts, wire_invitations
from server.line15.wire.calls import IngestFor, wire_ingests
from server.line15.wire.lines import LineParts, wire_lines
from server.observers.service import Observers, release_observers
from server.observers.wire import wire_observers
from server.reconcile.wire import ReconcileParts, wire_reconcile
from server.recordings.wire import RecordingParts, wire_recordings
from server.storage.wire import Foundation
from server.video.service.following import accompany, relink
from server.video.service.running import running_videos
from server.video.wire import VideoParts, wire_video
from server.web.metrics import Metrics
from server.web.pages import Pages
from telephony.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What routes, loops and tests use of each feature."""

    line15: LineParts
    video: VideoParts
    delivery: DeliveryParts
    accounts: AccountParts
    sign_in: SignInParts
    invitations: InvitationParts
    observers: Observers
    recordings: RecordingParts
    reconcile: ReconcileParts
    ingest_for: IngestFor
    desk: DeskParts
    incidents: IncidentParts
    lookup: AuditLookup


def wire_features(
    base: Foundation, settings: Settings, *, pages: Pages, metrics: Metrics, supervisor: Supervisor
) -> Features:
    """Build every feature."""
    public_url, life = settings.public_url, timedelta(minutes=settings.link_minutes)
    line15 = wire_lines(base, supervisor)
    video = wire_video(
        base,
        ice=settings.ice,
        one_machine=is_this_machine(host_of(public_url)),
        refused=metrics.refused,
        on_ended=(release_observers, invitation_hooks.release),
        links_over=invitation_hooks.links_over,
    )
    delivery = wire_delivery(
        base,
        sms=settings.sms,
        carriers=settings.carriers,
        smtp=settings.smtp,
        limits=settings.sms_limits,
        public_url=public_url,
        demo=settings.demo,
        metrics=metrics,
        on_settled=invitation_hooks.on_settled,
        needless=invitation_hooks.needless,
    )
    wake, limits = delivery.service.wake, delivery.limits
    accounts = wire_accounts(base)
    sign_in = wire_sign_in(
        base, accounts, settings.sign_in, pages=pages, running=running_videos, wake=wake
    )
    invitations = wire_invitations(
        base,
        video,
        lines=line15.lines,
        limits=limits,
        pages=pages,
        wake=wake,
        public_url=public_url,
        spoken_address=settings.spoken,
        life=life,
    )
    observers = wire_observers(
        base, video, limits=limits, pages=pages, wake=wake, public_url=public_url, life=life
    )
    recordings = wire_recordings(base, settings.recordings)
    reconcile = wire_reconcile(
        base, sessions=video.sessions, mobiles_of=invitation_hooks.mobiles_of
    )
    ingest_for = wire_ingests(
        base,
        on_merged=(relink,),
        on_saved=(recordings.catalogue.told,),
        on_folded=(accompany,),
        touched=reconcile.reconciler.touch,
    )
    translator = ReadAloudTranslator(resources.root())
    return Features(
        line15=line15,
        video=video,
        delivery=delivery,
        accounts=accounts,
        sign_in=sign_in,
        invitations=invitations,
        observers=observers,
        recordings=recordings,
        reconcile=reconcile,
        ingest_for=ingest_for,
        desk=wire_desk(base, lines=line15.lines, rooms=video.rooms, translator=translator),
        incidents=wire_incidents(base, pages=pages, public_url=public_url, wake=wake),
        lookup=wire_lookup(base, wire_chain(base)),
    )
