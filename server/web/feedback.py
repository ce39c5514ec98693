"""POST /feedback: from a page's script (JSON) or from the bare form."""

from typing import Any

from tornado.routing import URLSpec

from server.domain.access import Permission
from server.services.feedback import Feedback
from server.web.base import STATION_COOKIE, BaseHandler, Web


class FeedbackApi(BaseHandler):
    """Takes an incident or a remark."""

    permission = Permission.FEEDBACK_SEND
    feedback: Feedback

    async def post(self) -> None:
        """Record it and tell the référent."""
        user, site = self.me()
        given = await self._given()
        context = given["context"] if isinstance(given["context"], dict) else {}
        id_ = await self.feedback.send(
            self.actor(),
            user,
            site,
            kind=str(given["kind"]),
            remark=str(given["remark"]),
            context={"station": self.get_cookie(STATION_COOKIE), **context},
        )
        if self._is_page():
            self.redirect("/kiosk", status=303)
        else:
            self.json({"id": id_}, 201)

    async def _given(self) -> dict[str, Any]:
        empty = {"kind": "", "remark": "", "context": {}}
        if self.request.headers.get("Content-Type", "").startswith("application/json"):
            return {**empty, **await self.json_body()}
        typed = {key: self.get_body_argument(key, "") for key in ("kind", "remark")}
        return {**empty, **typed}


def routes(web: Web, feedback: Feedback) -> list[URLSpec]:
    """List the paths of the feedback."""
    return [URLSpec(r"/feedback", FeedbackApi, {"web": web, "feedback": feedback})]
