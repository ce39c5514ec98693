"""Builds the reporting of incidents and remarks, and their list."""

from collections.abc import Callable
from dataclasses import dataclass

from server.incidents.service.feedback import IncidentReporting
from server.incidents.service.incidents import Incidents
from server.storage.wire import Foundation
from server.web.pages import Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentParts:
    """What others may use of incidents."""

    incidents: Incidents
    reporting: IncidentReporting


def wire_incidents(
    base: Foundation, *, pages: Pages, public_url: str, wake: Callable[[], None]
) -> IncidentParts:
    """Build it; `wake` starts the delivery of the mail to the site's referent."""
    return IncidentParts(
        incidents=Incidents(base.transactions, base.clock),
        reporting=IncidentReporting(
            base.transactions,
            base.clock,
            base.ids,
            base.seal,
            pages=pages,
            public_url=public_url,
            wake=wake,
        ),
    )
