"""Builds invitations: sent as links, or read aloud as codes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from server.delivery.service.sms_counts import SmsCounts
from server.invitations.service.invitations import Invitations
from server.invitations.service.links import InvitationLinks
from server.invitations.service.spoken import SpokenCodes
from server.line15.service.lines import Lines
from server.storage.wire import Foundation
from server.video.wire import VideoParts
from server.web.pages import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationParts:
    """What others may use of invitations."""

    invitations: Invitations
    links: InvitationLinks
    spoken: SpokenCodes


def wire_invitations(
    base: Foundation,
    video: VideoParts,
    *,
    lines: Lines,
    limits: SmsCounts,
    pages: Pages,
    wake: Callable[[], None],
    public_url: str,
    spoken_address: str,
    life: timedelta,
) -> InvitationParts:
    """Build it; `life` is that of a link and of a code, `spoken_address` is read aloud with the code."""
    invitations = Invitations(
        transactions=base.transactions,
        clock=base.clock,
        ids=base.ids,
        seal=base.seal,
        lines=lines,
        pages=pages,
        sessions=video.sessions,
        wake=wake,
        public_url=public_url,
        life=life,
        limits=limits,
    )
    return InvitationParts(
        invitations=invitations,
        links=InvitationLinks(base.transactions, base.clock, video.sessions, video.rooms),
        spoken=SpokenCodes(
            transactions=base.transactions,
            clock=base.clock,
            ids=base.ids,
            seal=base.seal,
            invitations=invitations,
            sessions=video.sessions,
            address=spoken_address,
            life=life,
            failed=base.failed,
        ),
    )
