"""The auditor's pages and the same as JSON; a number is searched by POST only, never in a URL (I5)."""

from collections.abc import Sequence
from typing import Any

from tornado.routing import URLSpec

from server.audit.domain.record import Found
from server.audit.service.lookup import AuditLookup
from server.core.errors import AppError, Invalid, NotFound
from server.core.journal.verbs import facts
from server.core.words.for_doctor import for_doctor
from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.web.json_types import plain
from server.web.routing import Asked, path
from server.web.status import status_of


class AuditHandler(SignedIn):
    """What the auditor's handlers share."""

    permission = Permission.AUDIT_READ

    def __init__(self, *asked: *Asked, web: SignInWeb, lookup: AuditLookup) -> None:
        super().__init__(*asked, web=web)
        self.lookup = lookup


class AuditPage(AuditHandler):
    """Search by any call id or by day (GET), by number (POST)."""

    async def get(self) -> None:
        """Show the form, and what was found."""
        query = self.get_query_argument("q", "")
        day = self.get_query_argument("day", "")
        _, site = self.me()
        if query:
            self.results(await self.lookup.by_alias(self.actor(), query), query=query)
        elif day:
            self.results(await self.lookup.by_day(self.actor(), site, day), day=day)
        else:
            self.results(None)

    async def post(self) -> None:
        """Search by number; the answer does not repeat it."""
        number = self.get_body_argument("number", "")
        self.results(await self.lookup.by_number(self.actor(), number))

    def results(
        self,
        found: Sequence[Found] | None,
        *,
        query: str = "",
        day: str = "",
        error: AppError | None = None,
    ) -> None:
        """Show the page; `found` None means that nothing was searched."""
        self.page(
            "audit/search.html",
            status_of(error) if error else 200,
            query=query,
            day=day,
            results=[plain(one) for one in found or ()],
            searched=found is not None,
            error=for_doctor(error) if error else None,
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say on the form itself what cannot be searched for."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, Invalid) and self.user is not None:
            self.web.metrics.refused(error.code)
            self.results(None, error=error)
            return
        super().write_error(status_code, **kwargs)


class AuditCallPage(AuditHandler):
    """Everything about one call."""

    async def get(self, id_: str) -> None:
        """Show it."""
        record = await self.lookup.record(self.actor(), id_)
        self.page("audit/call.html", record=plain(record), facts=facts)


class AuditSessionPage(AuditHandler):
    """Everything about one video, with or without a call."""

    async def get(self, id_: str) -> None:
        """Show it."""
        record = await self.lookup.record_of_session(self.actor(), id_)
        self.page("audit/call.html", record=plain(record), facts=facts)


class CallsApi(AuditHandler):
    """The same as JSON, for programs: every call that ever had this name."""

    wants_json = True

    async def get(self) -> None:
        """Answer with the full records, the oldest first."""
        records = await self.lookup.records(self.actor(), self.get_query_argument("alias", ""))
        if not records:
            raise NotFound("alias")
        self.json({"calls": [plain(record) for record in records]})


def routes(web: SignInWeb, *, lookup: AuditLookup) -> list[URLSpec]:
    """List the paths of the audit."""
    return [
        path(r"/audit", AuditPage, web=web, lookup=lookup),
        path(r"/audit/calls/([A-Za-z0-9_-]{1,64})", AuditCallPage, web=web, lookup=lookup),
        path(r"/audit/sessions/([A-Za-z0-9_-]{1,64})", AuditSessionPage, web=web, lookup=lookup),
        path(r"/api/v1/calls", CallsApi, web=web, lookup=lookup),
    ]
