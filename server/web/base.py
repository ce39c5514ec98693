"""What every handler shares: cookies, XSRF, security headers, errors as pages or JSON.

Handlers hold no `try`: an AppError becomes its status, page and counter here (`send_error`).
"""

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar

import structlog
from tornado.web import HTTPError, RequestHandler

from server.core.clock import Clock, Ids
from server.core.errors import AppError, Invalid, NotFound, Unavailable
from server.core.net.hosts import KnownHosts
from server.core.words.for_caller import aloud
from server.core.words.for_doctor import for_doctor
from server.storage.transactions import Transactions
from server.web.errors import CookiesMissing, HostUnknown, OriginForeign, XsrfRefused
from server.web.http.strangers import Strangers
from server.web.link_as_sent import tidied
from server.web.metrics import Metrics
from server.web.pages import Pages
from server.web.routing import Asked
from server.web.sockets.open_sockets import OpenSockets
from server.web.status import status_of

ELSEWHERE = frozenset({"cross-site", "same-site"})
DAY = 86_400
MACHINES = ("/api/", "/receipts/")  # no person reads what these answer
THEME_COOKIE = "v15_theme"  # set by the page itself (static/js/base/theme.js)
XSRF_COOKIE = "_xsrf"
#: Browsers take such a name from this very host only, over TLS, for all its paths.
HOST_ONLY = "__Host-"
THEMES = frozenset({"dark", "light"})
CSP = (
    "default-src 'self'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self' {sockets}; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
_log = structlog.get_logger("web")


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """What every handler needs."""

    pages: Pages
    transactions: Transactions
    clock: Clock
    ids: Ids
    metrics: Metrics
    public_url: str
    secure: bool
    demo: bool
    origins: frozenset[str]
    strangers: Strangers
    hosts: KnownHosts = field(default_factory=KnownHosts)
    open_sockets: OpenSockets = field(default_factory=OpenSockets)


def set_closed_headers(handler: RequestHandler) -> None:
    """Set the headers that keep an answer closed: own origin only, no framing, no referrer, camera for ourselves.

    The host is one that is known: others meet no handler that says its own.
    """
    host = handler.request.host
    handler.set_header("Content-Security-Policy", CSP.format(sockets=f"ws://{host} wss://{host}"))
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Referrer-Policy", "no-referrer")
    handler.set_header("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("Server", "visio15")


class BaseHandler(RequestHandler):
    """Root of all handlers: no sign-in is needed, and nobody is known."""

    wants_json: ClassVar[bool] = False
    old_cookies: ClassVar[bool] = False  # reads the names of release 0.2 too: nobody loses a video

    def __init__(self, *asked: *Asked, web: Web) -> None:
        """Take what every handler needs."""
        super().__init__(*asked)
        self.web = web

    def set_default_headers(self) -> None:
        """Close the page."""
        set_closed_headers(self)

    async def prepare(self) -> None:
        """Let everybody in: what needs a sign-in is a handler of identity."""

    def from_elsewhere(self) -> bool:
        """Whether a page that is not ours led here, as far as the browser tells."""
        return self.request.headers.get("Sec-Fetch-Site") in ELSEWHERE

    def check_xsrf_cookie(self) -> None:
        """Refuse a form that is not from our page, with our own error.

        The token is compared with a cookie, which a neighbour of our domain may set: what the browser tells of the
        page that speaks is believed first.
        """
        if self.from_elsewhere():
            raise OriginForeign
        try:
            super().check_xsrf_cookie()
        except HTTPError as refused:
            given = self.get_argument("_xsrf", self.request.headers.get("X-Xsrftoken", ""))
            # A page of ours speaks, and brings back none of the cookies it came with.
            kind = CookiesMissing if given and not self.request.cookies else XsrfRefused
            raise kind(str(refused.log_message)) from None

    def page(self, template: str, status: int = 200, /, **context: object) -> None:
        """Answer with a page."""
        self.set_status(status)
        self.finish(self.web.pages.render(template, **{**self.shown(), **context}))

    def shown(self) -> dict[str, Any]:
        """Return what every page shows, beside what is its own."""
        theme = self.get_cookie(THEME_COOKIE)
        return {
            "theme": theme if theme in THEMES else "auto",
            "xsrf_token": self.xsrf_token.decode(),
            "demo": self.web.demo,
        }

    def json(self, value: object, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(json.dumps(value, ensure_ascii=False))

    def set_secret_cookie(self, name: str, value: str, *, days: float | None) -> None:
        """Set a cookie no script reads and no other site sends."""
        life = None if days is None else round(days * DAY)
        self.set_cookie(name, value, max_age=life, httponly=True, samesite="Lax")

    @property
    def cookies_over_tls(self) -> bool:
        """Whether cookies travel over TLS only; at a demonstration's plain door, Safari would drop such cookies."""
        plain_door = self.web.demo and self.request.protocol == "http"
        return self.web.secure and not plain_door

    def cookie_name(self, name: str) -> str:
        """Return the name under which a cookie travels: over TLS no neighbour of our domain can set it."""
        ours = self.cookies_over_tls and name != THEME_COOKIE
        return f"{HOST_ONLY}{name}" if ours else name

    def get_cookie(  # type: ignore[override]  # its overloads tell a default apart
        self, name: str, default: str | None = None
    ) -> str | None:
        """Read a cookie by our own name for it."""
        value = self.own_cookie(name)
        if value is None and self.old_cookies:
            value = super().get_cookie(name)
        return default if value is None else value

    def own_cookie(self, name: str) -> str | None:
        """Read a cookie under today's name only."""
        return super().get_cookie(self.cookie_name(name))

    def set_cookie(  # type: ignore[override]  # without the lives that hang on a browser's clock
        self, name: str, value: str | bytes, *, max_age: int | None = None, **kwargs: Any
    ) -> None:
        """Set a cookie by our own name for it; browsers heed a host's own cookie only when Secure.

        Its life is in seconds from now, never a date (`Expires`): where the clock is wrong, a browser would drop the
        cookie at once or keep a cleared one. Without a life it ends with the browser.
        """
        if {"expires", "expires_days"} & kwargs.keys():
            raise TypeError("give max_age: the browser's clock may be wrong")
        kwargs["secure"] = self.cookies_over_tls
        super().set_cookie(self.cookie_name(name), value, max_age=max_age, **kwargs)

    def clear_cookie(self, name: str, **kwargs: Any) -> None:
        """Make the browser drop a cookie: a life below zero is over (RFC 6265, 5.2.2); Tornado leaves out a zero."""
        self.set_cookie(name, "", max_age=-1, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Turn any failure into a status, a stable code and a sentence; details go to the log only."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        shown = error if isinstance(error, AppError) else _ours(status_code)
        self.web.metrics.refused(shown.code)
        status = status_of(shown) if isinstance(error, AppError) else status_code
        if self._is_page():
            self.page(
                "error.html", status, status=status, code=shown.code, message=for_doctor(shown)
            )
        else:
            body = {"code": shown.code, "message": for_doctor(shown), "say": aloud(shown)}
            self.json({"error": body}, status)

    def _is_page(self) -> bool:
        return not self.wants_json and "application/json" not in self.request.headers.get(
            "Accept", ""
        )

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log our own mistakes with their trace, refusals as a line; never the path (it may hold a token)."""
        log = _log.bind(handler=type(self).__name__, **self.asking())
        if isinstance(value, AppError):
            log.info("request.refused", code=value.code, detail=value.detail)
        elif isinstance(value, HTTPError):
            log.info("request.refused", status=value.status_code)
        else:
            log.error("request.failed", exc_info=(typ, value, tb))

    def asking(self) -> dict[str, str]:
        """Return who asks, for the log: nothing of a stranger."""
        return {}

    async def json_body(self, limit: int = 65_536) -> dict[str, Any]:
        """Read the body as one JSON object."""
        if len(self.request.body) > limit:
            raise Invalid("body_too_large")
        try:
            value = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError) as malformed:
            raise Invalid("json") from malformed
        if not isinstance(value, dict):
            raise Invalid("json_object")
        return value


def _ours(status: int) -> AppError:
    if status == 404:  # noqa: PLR2004 - HTTP
        return NotFound()
    if 400 <= status < 500:  # noqa: PLR2004 - HTTP
        return Invalid()
    return Unavailable()


class Missing(BaseHandler):
    """Every path we do not have."""

    async def prepare(self) -> None:
        """Answer 404 for any method; an address that took a sign of the text around it leads to the page it names."""
        path = tidied(self.request.path.encode("latin-1"))
        if path is None or self.request.method not in {"GET", "HEAD"} or not self._is_page():
            raise NotFound
        self.redirect(path + (f"?{self.request.query}" if self.request.query else ""), status=303)

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that could be forged."""

    def _is_page(self) -> bool:
        return not self.request.path.startswith(MACHINES) and super()._is_page()


class Elsewhere(BaseHandler):
    """Every request under a name that is not ours, whatever it asks for; nothing of it is answered or kept."""

    def set_default_headers(self) -> None:
        """Close the answer; the name is not repeated."""
        self.set_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Server", "visio15")

    async def prepare(self) -> None:
        """Refuse any method, before anybody is identified."""
        raise HostUnknown

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here that could be forged."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Say the sentence as text: a page would set cookies and load its style under that name."""
        del status_code, kwargs
        self.web.metrics.refused(HostUnknown.code)
        self.set_status(status_of(HostUnknown()))
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{for_doctor(HostUnknown())}\n({HostUnknown.code})\n")
