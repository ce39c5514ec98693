"""The application: what it serves, to whom, and settings that make it safe by default."""

from collections.abc import Sequence
from typing import Any

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.routing import AnyMatches, Rule
from tornado.web import Application, RequestHandler

from server.identity.web.signed_in import SignInWeb
from server.web.base import XSRF_COOKIE, BaseHandler, Elsewhere, Missing
from server.web.routing import rule
from server.web.sockets.page_socket import MAX_SOCKET_FRAME
from server.web.static_files import Static

_log = structlog.get_logger("web")


class KnownHostsOnly(Application):
    """Our application, for requests under our names; pages, files, sockets and machines' pages alike."""

    def __init__(self, web: SignInWeb, rules: Sequence[Rule]) -> None:
        """Serve the paths of `rules`, and static files."""
        self.web = web
        self._elsewhere = rule(AnyMatches(), Elsewhere, web=web)
        missing = rule(AnyMatches(), Missing, web=web)
        super().__init__(
            list(rules),
            default_handler_class=missing.target,
            default_handler_args=missing.target_kwargs,
            static_path=str(web.pages.static),
            static_handler_class=Static,
            compress_response=True,
            xsrf_cookies=True,
            xsrf_cookie_name=XSRF_COOKIE,
            xsrf_cookie_kwargs={"samesite": "Lax"},
            websocket_ping_interval=20,
            websocket_ping_timeout=10,
            websocket_max_message_size=MAX_SOCKET_FRAME,
            log_function=_log_request,
        )

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose the handler of the path, unless the name is somebody else's."""
        if not self.web.hosts.knows(request.host):
            return self.get_handler_delegate(
                request, self._elsewhere.target, self._elsewhere.target_kwargs
            )
        return super().find_handler(request, **kwargs)


def make_app(web: SignInWeb, rules: Sequence[Rule]) -> Application:
    """Build the application; nothing is served that is not listed in `rules`."""
    return KnownHostsOnly(web, rules)


def _log_request(handler: RequestHandler) -> None:
    """Log the handler, never the path: a path may hold a token, a query a number (I5)."""
    name, method = type(handler).__name__, handler.request.method
    seconds = handler.request.request_time()
    if isinstance(handler, BaseHandler):
        handler.web.metrics.answered(name, handler.get_status(), seconds)
    _log.debug(
        "request",
        handler=name,
        method=method if method in handler.SUPPORTED_METHODS else "other",
        status=handler.get_status(),
        ms=round(seconds * 1000, 1),
    )
