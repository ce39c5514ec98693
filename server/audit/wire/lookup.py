"""Builds the auditor's look-up."""

from server.audit.service.lookup import AuditLookup
from server.audit.wire.chain import ChainParts
from server.storage.wire import Foundation


def wire_lookup(base: Foundation, chain: ChainParts) -> AuditLookup:
    """Build it; it shows on each page whether the chain is whole."""
    return AuditLookup(base.transactions, base.clock, base.seal, chain.verification)
