"""The kiosk: what this user may open, and what exists but is not theirs."""

from tornado.routing import URLSpec

from server.identity.domain.access import Permission, may
from server.identity.web.signed_in import SignedIn, SignInWeb
from server.incidents.service.incidents import Incidents
from server.web.routing import Asked, path

MODULES = (
    ("desk", "Visiorégulation", "Voir le patient pendant l'appel", "/desk", Permission.DESK_USE),
    ("audit", "Audit", "Retrouver un appel et ses vidéos", "/audit", Permission.AUDIT_READ),
    (
        "telephony",
        "Téléphonie",
        "État des sources de la ligne 15",
        "/admin/telephony",
        Permission.ADMIN,
    ),
    (
        "incidents",
        "Signalements",
        "Incidents et remarques du service",
        "/incidents",
        Permission.FEEDBACK_READ,
    ),
    ("selftest", "Test du poste", "Ce PC et son réseau", "/selftest", Permission.SELFTEST_USE),
    ("feedback", "Signaler", "Un incident ou une remarque", "", Permission.FEEDBACK_SEND),
)
OUTBOX = {
    "key": "outbox",
    "title": "Boîte d'envoi",
    "text": "Les SMS et e-mails de la démonstration",
    "href": "/outbox",
    "enabled": True,
    "count": 0,
}


class Kiosk(SignedIn):
    """The page of modules."""

    def __init__(self, *asked: *Asked, web: SignInWeb, incidents: Incidents) -> None:
        super().__init__(*asked, web=web)
        self.incidents = incidents

    async def get(self) -> None:
        """Show the modules, those of other roles greyed; what nobody took up yet is counted."""
        user, site = self.me()
        reads = may(user.role, Permission.FEEDBACK_READ)
        fresh = await self.incidents.new_ones(site) if reads else 0
        modules = [
            {
                "key": key,
                "title": title,
                "text": text,
                "href": href,
                "enabled": may(user.role, need),
                "count": fresh if key == "incidents" else 0,
            }
            for key, title, text, href, need in MODULES
        ]
        self.page("kiosk.html", modules=[*modules, OUTBOX] if self.web.demo else modules)


def routes(web: SignInWeb, *, incidents: Incidents) -> list[URLSpec]:
    """List the paths of the kiosk."""
    return [path(r"/kiosk", Kiosk, web=web, incidents=incidents)]
