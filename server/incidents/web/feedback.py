"""/feedback: an incident or a remark, from a page's script (JSON) or the bare form; and what one sent oneself."""

from typing import Any

from tornado.routing import URLSpec

from server import __version__
from server.identity.domain.access import Permission
from server.identity.web.signed_in import STATION_COOKIE, SignedIn, SignInWeb
from server.incidents.service.feedback import IncidentReporting
from server.incidents.service.incidents import Incidents
from server.incidents.web.incidents import shown
from server.web.routing import Asked, path


class FeedbackApi(SignedIn):
    """Takes an incident or a remark."""

    permission = Permission.FEEDBACK_SEND

    def __init__(
        self, *asked: *Asked, web: SignInWeb, feedback: IncidentReporting, incidents: Incidents
    ) -> None:
        super().__init__(*asked, web=web)
        self.feedback = feedback
        self.incidents = incidents

    async def get(self) -> None:
        """Show what this person sent last, and where it stands."""
        user, site = self.me()
        mine = [shown(one) for one in await self.incidents.mine(user, site)]
        if self._is_page():
            self.page("incidents/mine.html", mine=mine)
        else:
            keys = ("reference", "kind_words", "state", "state_words", "created")
            self.json({"mine": [{key: one[key] for key in keys} for one in mine]})

    async def post(self) -> None:
        """Record it and tell the référent."""
        user, site = self.me()
        given = await self._given()
        context = given["context"] if isinstance(given["context"], dict) else {}
        sent = await self.feedback.send(
            self.actor(),
            user,
            site,
            kind=str(given["kind"]),
            remark=str(given["remark"]),
            context={
                "station": self.get_cookie(STATION_COOKIE),
                "version": __version__,
                **context,
            },
        )
        if self._is_page():
            self.redirect("/feedback", status=303)
        else:
            self.json({"id": sent.id, "reference": sent.reference}, 201)

    async def _given(self) -> dict[str, Any]:
        empty = {"kind": "", "remark": "", "context": {}}
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            return {**empty, **await self.json_body()}
        typed = {key: self.get_body_argument(key, "") for key in ("kind", "remark")}
        return {**empty, **typed}


def routes(web: SignInWeb, *, feedback: IncidentReporting, incidents: Incidents) -> list[URLSpec]:
    """List the paths of the feedback."""
    return [path(r"/feedback", FeedbackApi, web=web, feedback=feedback, incidents=incidents)]
