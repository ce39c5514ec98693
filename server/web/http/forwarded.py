"""Believes X-Forwarded-For, -Proto and -Host from trusted proxies only; Tornado's own xheaders trusts whoever connects.

From anybody else the headers are taken away, so that nothing behind can believe them by mistake.
"""

import re
import socket
import ssl
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Final, cast

from tornado.httpserver import HTTPServer
from tornado.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    RequestStartLine,
    ResponseStartLine,
)

from server.core.net.addresses import IpAddress, read_address, source_of
from server.web.http.accepting import Acceptor, Counted, stream
from server.web.http.connections import Connection, Connections

FORWARDED: Final = (
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Real-Ip",
    "X-Scheme",
    "Forwarded",
)
#: What is answered although every connection is taken.
OPERATIONS: Final = frozenset({"/healthz", "/readyz", "/metrics"})
_HOST: Final = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
_PORT: Final = re.compile(r"\[([^\]]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+")


def networks(texts: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read the setting trusted_proxies."""
    return tuple(ip_network(text) for text in texts)


def address(text: str) -> IpAddress | None:
    """Read one hop, also `192.0.2.1:4711` and `[2001:db8::1]:4711`; an IPv4 address in IPv6 clothes is itself."""
    text = text.strip()
    if found := _PORT.fullmatch(text):
        text = found.group(1) or found.group(2)
    return read_address(text)


@dataclass(frozen=True, slots=True)
class ForwardedClient:
    """Where a request comes from; None: as the connection says."""

    remote_ip: str | None = None
    protocol: str | None = None
    host: str | None = None


def origin(
    peer: str, headers: HTTPHeaders, trusted: Sequence[IPv4Network | IPv6Network]
) -> ForwardedClient | None:
    """Return what a trusted proxy says; None when the peer is none: then its words mean nothing."""
    if not _trusted(address(peer), trusted):
        return None
    protocol = _last(headers, "X-Forwarded-Proto").lower()
    host = _last(headers, "X-Forwarded-Host")
    return ForwardedClient(
        _client(headers, trusted),
        protocol if protocol in {"http", "https"} else None,
        host if _HOST.fullmatch(host) else None,
    )


def _client(headers: HTTPHeaders, trusted: Sequence[IPv4Network | IPv6Network]) -> str | None:
    """Walk from the nearest hop outwards to the first that is no proxy of ours: what it says itself may be invented."""
    seen: IpAddress | None = None
    for hop in reversed(",".join(headers.get_list("X-Forwarded-For")).split(",")):
        found = address(hop)
        if found is None:
            break
        seen = found
        if not _trusted(found, trusted):
            break
    return str(seen) if seen else None


def _last(headers: HTTPHeaders, name: str) -> str:
    return ",".join(headers.get_list(name)).rpartition(",")[2].strip()


def counted_as(peer: str, trusted: Sequence[IPv4Network | IPv6Network]) -> str | None:
    """Return under which address a peer's connections are counted; None for a trusted proxy, behind which many are."""
    return None if _trusted(address(peer), trusted) else source_of(peer)


def _trusted(found: IpAddress | None, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    return found is not None and any(found in network for network in trusted)


class ProxiedServer(HTTPServer):
    """Tornado's server, with the rule above for every request, and with limits for its connections."""

    trusted: Sequence[IPv4Network | IPv6Network] = ()
    connections: Connections
    _acceptor: Acceptor

    def serve(self, sockets: Sequence[socket.socket], connections: Connections) -> None:
        """Accept on these sockets, within the limits."""
        self.connections = connections
        self._acceptor = Acceptor(sockets, self._take, lambda: connections.closed("files"))

    def _take(self, accepted: socket.socket, peer: Any) -> None:
        """Serve one accepted connection, or close it."""
        connection = Connection(counted_as(str(peer[0]), self.trusted))
        if not self.connections.enter(connection, time.monotonic()):
            accepted.close()
            return
        tls = cast("ssl.SSLContext | None", self.ssl_options)
        try:
            made = stream(accepted, connection, self.connections, tls, self.max_buffer_size)
        except OSError:  # it has left already
            accepted.close()
            self.connections.leave(connection)
            return
        self.handle_stream(made, peer)

    def close_late(self) -> None:
        """Close the connections whose peer keeps us waiting."""
        self.connections.close_late(time.monotonic())

    def stop(self) -> None:
        """Accept nothing more."""
        self._acceptor.close()
        super().stop()

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """Put the rule before the application."""
        inner = super().start_request(server_conn, request_conn)
        asked = cast("Any", request_conn)
        self.connections.rests(asked.stream.connection)
        return _Rule(inner, asked.context, self.trusted, asked.stream)


class _Rule(HTTPMessageDelegate):
    """Changes where one request comes from, and changes it back: the next one may come from somebody else."""

    def __init__(
        self,
        inner: HTTPMessageDelegate,
        context: Any,
        trusted: Sequence[IPv4Network | IPv6Network],
        stream: Counted,
    ) -> None:
        self._inner = inner
        self._stream = stream
        self._context = context
        self._trusted = trusted
        self._before = (context.remote_ip, context.protocol)

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._stream.reads()
        path = cast("RequestStartLine", start_line).path.partition("?")[0]
        if self._stream.connection.spare and path not in OPERATIONS:
            self._inner = HTTPMessageDelegate()
            self._stream.refuse()
            return None
        told = origin(self._before[0], headers, self._trusted)
        for name in FORWARDED:
            headers.pop(name, None)
        if told is not None:
            self._context.remote_ip = told.remote_ip or self._before[0]
            self._context.protocol = told.protocol or self._before[1]
            if told.host:
                headers["Host"] = told.host
        return self._inner.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._inner.data_received(chunk)

    def finish(self) -> None:
        self._stream.works()
        self._inner.finish()
        self._undo()

    def on_connection_close(self) -> None:
        self._inner.on_connection_close()
        self._undo()

    def _undo(self) -> None:
        self._context.remote_ip, self._context.protocol = self._before
