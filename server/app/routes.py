"""The application: settings that make the whole of it safe by default."""

from typing import Any

import structlog
from tornado.httputil import HTTPServerRequest
from tornado.routing import Rule
from tornado.web import Application, RequestHandler

from server.identity.web.signed_in import SignInWeb
from server.web.base import XSRF_COOKIE, Elsewhere, Missing
from server.web.sockets.page_socket import MAX_SOCKET_FRAME
from server.web.static_files import Static

_log = structlog.get_logger("web")


class KnownHostsOnly(Application):
    """Our application, for requests under our names; pages, files, sockets and machines' pages alike."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Choose the handler of the path, unless the name is somebody else's."""
        web: SignInWeb = self.settings["default_handler_args"]["web"]
        if not web.hosts.knows(request.host):
            return self.get_handler_delegate(request, Elsewhere, {"web": web})
        return super().find_handler(request, **kwargs)


def make_app(web: SignInWeb, rules: list[Rule]) -> Application:
    """Build the application that serves these paths."""
    return KnownHostsOnly(
        rules,
        default_handler_class=Missing,
        default_handler_args={"web": web},
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


def _log_request(handler: RequestHandler) -> None:
    """Log the handler, never the path: a path may hold a token, a query a number (I5)."""
    name, method = type(handler).__name__, handler.request.method
    seconds = handler.request.request_time()
    web = getattr(handler, "web", None)
    if web is not None:
        web.metrics.answered(name, handler.get_status(), seconds)
    _log.debug(
        "request",
        handler=name,
        method=method if method in handler.SUPPORTED_METHODS else "other",
        status=handler.get_status(),
        ms=round(seconds * 1000, 1),
    )
