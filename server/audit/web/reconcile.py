"""The list of videos without a call, and the correction of a link: plain forms, that work without a script (I2)."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from tornado.routing import URLSpec

from server.audit.service.lookup import AuditLookup
from server.audit.web.audit import AuditHandler
from server.core.days import day_bounds
from server.core.errors import Invalid
from server.identity.domain.access import Permission
from server.identity.web.signed_in import SignInWeb
from server.line15.domain.call_links import LABELS, Certainty
from server.reconcile.domain.matching import AGAINST, CLUES, SETTLED, RankedCall, SureMatch
from server.reconcile.service.reconciler import ReviewItem
from server.reconcile.service.review import LONGEST_REASON, Review
from server.web.routing import Asked, path
from telephony import parse_number

HERE = "/audit/reconcile"
CERTAINTY = {
    Certainty.CERTAIN: "certain",
    Certainty.INFERRED: "déduit",
    Certainty.UNLINKED: "sans appel",
}
_SEEN = 6  # digits of a count of links


class ReconcileHandler(AuditHandler):
    """What both pages share."""

    permission = Permission.AUDIT_LINK

    def __init__(self, *asked: *Asked, web: SignInWeb, lookup: AuditLookup, review: Review) -> None:
        super().__init__(*asked, web=web, lookup=lookup)
        self.review = review


class ReconcilePage(ReconcileHandler):
    """Videos to match, those said to have no call, and those matched afterwards."""

    async def get(self) -> None:
        """Show the last 72 hours, or one day."""
        _, site = self.me()
        day = self.get_query_argument("day", "")
        period = day_bounds(site, day) if day else (None, None)
        listed = await self.review.listed(self.actor(), *period)
        self.page(
            "reconcile/list.html",
            day=day,
            waiting=[shown(case) for case in listed.waiting],
            without=[shown(case) for case in listed.without],
            matched=[shown(case) for case in listed.matched],
            done=self.get_query_argument("done", ""),
        )


class ReconcileCase(ReconcileHandler):
    """One video: its links so far, what may be its call, and the decision."""

    async def get(self, id_: str) -> None:
        """Show it."""
        case = await self.review.case(self.actor(), id_)
        self.page("reconcile/one.html", case=shown(case), longest=LONGEST_REASON)

    async def post(self, id_: str) -> None:
        """Append the decision: `call` is a call of the list or a typed name, empty with `none`."""
        decision = self.get_body_argument("decision", "")
        typed = self.get_body_argument("name", "")
        none = decision == "none"
        name = typed if decision == "name" else decision.removeprefix("call:")
        seen = self.get_body_argument("seen", "")
        if not decision or not seen.isdecimal() or len(seen) > _SEEN:
            raise Invalid("decision")
        await self.review.link(
            self.actor(),
            id_,
            None if none else name,
            reason=self.get_body_argument("reason", ""),
            seen=int(seen),
        )
        if self.get_body_argument("back", "") == "list":
            day = self.get_body_argument("day", "")
            query = {"done": id_} | ({"day": day} if day else {})
            self.redirect(f"{HERE}?{urlencode(query)}", status=303)
        else:
            self.redirect(f"{HERE}/{id_}", status=303)


def shown(case: ReviewItem) -> Mapping[str, Any]:
    """Put a case into the page's words; times stay as they are and are read in the reader's zone."""
    newest = case.links[-1] if case.links else None
    return {
        "id": case.session.id,
        "created": case.session.created.isoformat(),
        "station": case.session.station,
        "mobiles": [_number(mobile) for mobile in case.mobiles],
        "seen": len(case.links),
        "call": newest.call if newest else None,
        "why": LABELS[newest.evidence] if newest else "",
        "settled": newest is not None and newest.evidence in SETTLED,
        "offers": [_offer(case, offer) for offer in _offers(case)],
        "links": [
            {
                "at": link.at.isoformat(),
                "call": link.call,
                "certainty": CERTAINTY[link.certainty],
                "reason": LABELS[link.evidence],
            }
            for link in case.links
        ],
    }


def _offers(case: ReviewItem) -> Sequence[RankedCall]:
    match case.verdict:
        case None:
            return ()
        case SureMatch(call, _, clues):
            return (RankedCall(call, clues),)
        case doubtful:
            return doubtful.offers


def _offer(case: ReviewItem, offer: RankedCall) -> Mapping[str, Any]:
    call = case.calls[offer.call]
    return {
        "id": call.id,
        "number": _number(call.number) if call.number else None,
        "started": call.started.isoformat(),
        "ended": call.ended.isoformat() if call.ended else None,
        "sources": sorted(call.told_by),
        "clues": [{"text": CLUES[clue], "against": clue in AGAINST} for clue in offer.clues],
    }


def _number(e164: str) -> str:
    parsed = parse_number(e164)
    return parsed.national if parsed else e164


def routes(web: SignInWeb, *, lookup: AuditLookup, review: Review) -> list[URLSpec]:
    """List the paths of the reconciliation."""
    case = rf"{HERE}/([A-Za-z0-9_-]{{1,64}})"
    return [
        path(HERE, ReconcilePage, web=web, lookup=lookup, review=review),
        path(case, ReconcileCase, web=web, lookup=lookup, review=review),
    ]
