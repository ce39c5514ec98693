"""Builds what proves a chain whole, and what erases a person from it."""

from dataclasses import dataclass

from server.audit.service.chain import ChainVerification
from server.audit.service.erasure import Erasure
from server.storage.wire import Foundation


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainParts:
    """What others may use of the chain."""

    verification: ChainVerification
    erasure: Erasure


def wire_chain(base: Foundation) -> ChainParts:
    """Build it."""
    return ChainParts(
        verification=ChainVerification(base.transactions),
        erasure=Erasure(base.transactions, base.clock),
    )
