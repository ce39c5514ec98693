"""For machines and operators: liveness, readiness and metrics."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tornado.routing import URLSpec

from server.web.base import BaseHandler, Web
from server.web.routing import Asked, path


@dataclass(frozen=True, slots=True)
class Readiness:
    """Which parts work, the names of the background loops that fail again and again, and where the server stands.

    `state`: "ready", or what it does instead: "starting", "draining", …
    """

    parts: Mapping[str, bool]
    away: Sequence[str]
    state: str

    @property
    def status(self) -> str:
        """Return "ready", or why not in a word."""
        if self.state != "ready":
            return self.state
        return "ready" if all(self.parts.values()) else "not_ready"


class Healthz(BaseHandler):
    """GET /healthz: the process answers."""

    wants_json = True

    async def prepare(self) -> None:
        """Need nobody signed in and no database."""

    def get(self) -> None:
        """Say so."""
        self.json({"status": "ok"})


class Readyz(BaseHandler):
    """GET /readyz: database, schema, delivery and background loops work."""

    wants_json = True

    def __init__(self, *asked: *Asked, web: Web, ready: Callable[[], Awaitable[Readiness]]) -> None:
        super().__init__(*asked, web=web)
        self.ready = ready

    async def prepare(self) -> None:
        """Need nobody signed in."""

    async def get(self) -> None:
        """Say what is ready and what is not."""
        found = await self.ready()
        self.json(
            {"status": found.status, "parts": dict(found.parts), "away": list(found.away)},
            200 if found.status == "ready" else 503,
        )


class MetricsPage(BaseHandler):
    """GET /metrics."""

    def __init__(self, *asked: *Asked, web: Web, refresh: Callable[[], Awaitable[None]]) -> None:
        super().__init__(*asked, web=web)
        self.refresh = refresh

    async def prepare(self) -> None:
        """Need nobody signed in; the proxy keeps it inside (docs/operations.md)."""

    async def get(self) -> None:
        """Render the exposition format."""
        await self.refresh()
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.finish(self.web.metrics.text())


class Root(BaseHandler):
    """GET /."""

    async def prepare(self) -> None:
        """Need nobody signed in."""

    def get(self) -> None:
        """Lead to the kiosk."""
        self.redirect("/kiosk")


def routes(
    web: Web,
    *,
    ready: Callable[[], Awaitable[Readiness]],
    refresh: Callable[[], Awaitable[None]],
) -> list[URLSpec]:
    """List the paths for machines and operators, and the address alone."""
    return [
        path(r"/", Root, web=web),
        path(r"/healthz", Healthz, web=web),
        path(r"/readyz", Readyz, web=web, ready=ready),
        path(r"/metrics", MetricsPage, web=web, refresh=refresh),
    ]
