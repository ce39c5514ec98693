"""Builds what finds out which call a video belongs to: by rule, by hand, by a switchboard's records."""

from dataclasses import dataclass

from server.line15.service.ingest import CallIngest
from server.reconcile.service.cdr_import import CdrImport
from server.reconcile.service.reconciler import MobilesOf, Reconciler
from server.reconcile.service.relinking import CallLinks
from server.reconcile.service.review import Review
from server.storage.wire import Foundation
from server.video.service.sessions import Sessions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileParts:
    """What others may use of the reconciliation."""

    reconciler: Reconciler
    review: Review
    call_links: CallLinks


def wire_reconcile(
    base: Foundation, *, sessions: Sessions, mobiles_of: MobilesOf
) -> ReconcileParts:
    """Build what a server has of it."""
    return ReconcileParts(
        reconciler=_reconciler(base, mobiles_of),
        review=Review(base.transactions, base.clock, base.bus, base.seal, mobiles_of=mobiles_of),
        call_links=CallLinks(base.transactions, base.clock, base.ids, sessions),
    )


def wire_cdr_import(base: Foundation, *, ingest: CallIngest, mobiles_of: MobilesOf) -> CdrImport:
    """Build what takes in the records of one site."""
    return CdrImport(
        transactions=base.transactions,
        clock=base.clock,
        ids=base.ids,
        seal=base.seal,
        reconciler=_reconciler(base, mobiles_of),
        ingest=ingest,
    )


def _reconciler(base: Foundation, mobiles_of: MobilesOf) -> Reconciler:
    return Reconciler(
        transactions=base.transactions,
        clock=base.clock,
        bus=base.bus,
        seal=base.seal,
        failed=base.failed,
        mobiles_of=mobiles_of,
    )
