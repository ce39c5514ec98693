"""The page that brings a real phone into a demonstration: how to trust its authority, then how to go on."""

import ssl
from pathlib import Path

from tornado.routing import URLSpec

from server.identity.web.signed_in import MaybeSignedIn, SignInWeb
from server.web.base import BaseHandler, Web
from server.web.routing import Asked, path


class TrustPage(MaybeSignedIn):
    """GET /trust."""

    def __init__(self, *asked: *Asked, web: SignInWeb, authority: Path, phone_url: str) -> None:
        super().__init__(*asked, web=web)
        self.authority = authority
        self.phone_url = phone_url

    def get(self) -> None:
        """Explain, for each kind of device."""
        self.page("demo/trust.html", phone_url=self.phone_url)


class TrustAuthority(BaseHandler):
    """GET /trust/visio15.crt."""

    def __init__(self, *asked: *Asked, web: Web, authority: Path, phone_url: str) -> None:
        super().__init__(*asked, web=web)
        self.authority = authority
        self.phone_url = phone_url

    def get(self) -> None:
        """Hand the authority's certificate over; phones recognise it by its type."""
        self.set_header("Content-Type", "application/x-x509-ca-cert")
        self.set_header("Content-Disposition", 'attachment; filename="visio15.crt"')
        self.finish(ssl.PEM_cert_to_DER_cert(self.authority.read_text()))


def routes(web: SignInWeb, authority: Path, phone_url: str) -> list[URLSpec]:
    """Return the routes that only a demonstration adds."""
    certificate = r"/trust/visio15\.crt"
    return [
        path(r"/trust", TrustPage, web=web, authority=authority, phone_url=phone_url),
        path(certificate, TrustAuthority, web=web, authority=authority, phone_url=phone_url),
    ]
