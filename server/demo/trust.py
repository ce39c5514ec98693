"""The page that brings a real phone into a demonstration: how to trust its authority, then how to go on."""

import ssl
from pathlib import Path
from typing import Any

from tornado.web import url

from server.identity.web.signed_in import MaybeSignedIn, SignInWeb
from server.web.base import BaseHandler


class TrustPage(MaybeSignedIn):
    """GET /trust."""

    authority: Path
    phone_url: str

    def get(self) -> None:
        """Explain, for each kind of device."""
        self.page("demo/trust.html", phone_url=self.phone_url)


class TrustAuthority(BaseHandler):
    """GET /trust/visio15.crt."""

    authority: Path
    phone_url: str

    def get(self) -> None:
        """Hand the authority's certificate over; phones recognise it by its type."""
        self.set_header("Content-Type", "application/x-x509-ca-cert")
        self.set_header("Content-Disposition", 'attachment; filename="visio15.crt"')
        self.finish(ssl.PEM_cert_to_DER_cert(self.authority.read_text()))


def routes(web: SignInWeb, authority: Path, phone_url: str) -> list[Any]:
    """Return the routes that only a demonstration adds."""
    wired = {"web": web, "authority": authority, "phone_url": phone_url}
    return [
        url(r"/trust", TrustPage, wired),
        url(r"/trust/visio15\.crt", TrustAuthority, wired),
    ]
