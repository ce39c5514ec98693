"""The list of incidents and remarks for the référent: plain forms that need no script, and the list as a file."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from tornado.iostream import StreamClosedError
from tornado.routing import URLSpec

from server.core.errors import AppError, Conflict, Invalid
from server.core.words.for_doctor import for_doctor
from server.identity.domain.access import Permission, may
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.incidents.domain import CHOICES, KINDS, LONGEST_NOTE, STATES
from server.incidents.service.feedback import CONTEXT
from server.incidents.service.incidents import IncidentFilter, Incidents, IncidentView
from server.web.routing import Asked, path
from server.web.status import status_of

HERE = "/incidents"
ID = r"([A-Za-z0-9_-]{1,64})"
_SEEN = 6  # digits of a count of changes
_LINKED = {"session": "/audit/sessions/", "call": "/audit/calls/"}


class IncidentsHandler(SignedIn):
    """What the handlers share."""

    permission = Permission.FEEDBACK_READ

    def __init__(self, *asked: *Asked, web: SignInWeb, incidents: Incidents) -> None:
        super().__init__(*asked, web=web)
        self.incidents = incidents

    def wanted(self) -> IncidentFilter:
        """Read the filter of the address."""
        names = ("state", "kind", "from", "to", "below")
        return IncidentFilter(*(self.get_query_argument(name, "") for name in names))


class IncidentsPage(IncidentsHandler):
    """GET /incidents."""

    async def get(self) -> None:
        """Show one page of the list."""
        _, site = self.me()
        wanted = self.wanted()
        listed = await self.incidents.listed(site, wanted)
        query = wanted.query()
        after = f"{HERE}?{urlencode({**query, 'below': listed.below})}" if listed.below else None
        self.page(
            "incidents/list.html",
            wanted={"state": "", "kind": "", "from": "", "to": "", **query},
            incidents=[shown(one) for one in listed.incidents],
            states=dict(STATES),
            kinds=KINDS,
            after=after,
            export=f"{HERE}.csv" + (f"?{urlencode(query)}" if query else ""),
            later=bool(wanted.below),
        )


class IncidentPage(IncidentsHandler):
    """GET, POST /incidents/ID."""

    async def get(self, id_: str) -> None:
        """Show one with its context and its history."""
        await self._show(id_)

    async def post(self, id_: str) -> None:
        """Append a state or a note, or erase the texts; a refusal stands on the page itself, the note kept."""
        user, site = self.me()
        try:
            if self.get_body_argument("action", "") == "erase":
                await self.incidents.erase(self.actor(), site, id_)
            else:
                seen = self.get_body_argument("seen", "")
                if not (seen.isascii() and seen.isdecimal()) or len(seen) > _SEEN:
                    raise Invalid("seen")  # noqa: TRY301 - told on the page like the others
                state, note = (self.get_body_argument(name, "") for name in ("state", "note"))
                await self.incidents.change(
                    self.actor(), user, id_, state=state, note=note, seen=int(seen)
                )
        except (Conflict, Invalid) as refusal:
            if not self._is_page():
                raise
            self.web.metrics.refused(refusal.code)
            await self._show(id_, refusal)
            return
        self.redirect(f"{HERE}/{id_}", status=303)

    async def _show(self, id_: str, refusal: AppError | None = None) -> None:
        user, site = self.me()
        one = await self.incidents.one(site, id_)
        audits = may(user.role, Permission.AUDIT_READ)
        self.page(
            "incidents/one.html",
            status_of(refusal) if refusal else 200,
            incident=shown(one, links=audits),
            choices={state.value: STATES[state] for state in CHOICES},
            longest=LONGEST_NOTE,
            refusal=refusal,
            said=for_doctor(refusal) if refusal else None,
            typed=self.get_body_argument("note", "")[:LONGEST_NOTE] if refusal else "",
        )


class IncidentsFile(IncidentsHandler):
    """GET /incidents.csv."""

    async def get(self) -> None:
        """Send the list as it is read, some rows at a time."""
        _, site = self.me()
        rows = self.incidents.export(self.actor(), site, self.wanted())
        head = await anext(rows)
        self.set_header("Content-Type", "text/csv; charset=utf-8; header=present")
        self.set_header("Content-Disposition", 'attachment; filename="signalements.csv"')
        self.write("\N{ZERO WIDTH NO-BREAK SPACE}" + head)  # so that spreadsheets read the accents
        with suppress(StreamClosedError):  # the browser went away
            async for lines in rows:
                self.write(lines)
                await self.flush()


def shown(one: IncidentView, *, links: bool = False) -> Mapping[str, Any]:
    """Put an incident into the page's words; times stay as they are and are read in the reader's zone."""
    return {
        "id": one.id,
        "reference": one.reference,
        "kind": one.kind,
        "kind_words": one.kind_words,
        "state": one.state,
        "state_words": one.state_words,
        "created": one.created.isoformat(),
        "who": one.who,
        "remark": one.remark,
        "steps": one.steps,
        "context": [
            {
                "name": CONTEXT[key],
                "value": value,
                "href": _LINKED[key] + value if links and key in _LINKED else None,
            }
            for key, value in one.context.items()
        ],
        "changes": [
            {
                "at": change.at.isoformat(),
                "words": change.words,
                "who": change.who,
                "note": change.note,
            }
            for change in one.changes
        ],
    }


def routes(web: SignInWeb, *, incidents: Incidents) -> list[URLSpec]:
    """List the paths of the incidents."""
    return [
        path(HERE, IncidentsPage, web=web, incidents=incidents),
        path(rf"{HERE}\.csv", IncidentsFile, web=web, incidents=incidents),
        path(rf"{HERE}/{ID}", IncidentPage, web=web, incidents=incidents),
    ]
