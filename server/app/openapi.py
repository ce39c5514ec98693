"""What machines may ask, as OpenAPI 3.1 made from the code's own schemas, and as a page without a foreign script."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter
from tornado.routing import URLSpec

from server import __version__
from server.audit.domain.record import Record
from server.identity.web.signed_in import SESSION_COOKIE
from server.line15.domain.signing import WINDOW
from server.line15.service.health import LineHealth
from server.line15.web.event_bodies import MAX_BODY, CallEvents, EventResults
from server.web.base import HOST_ONLY, BaseHandler, Web
from server.web.routing import path

Json = dict[str, Any]
REF: Final = "#/components/schemas/{model}"


class ErrorBody(BaseModel):
    """What went wrong: `code` is the contract, `message` is for a person."""

    model_config = ConfigDict(extra="forbid")
    code: str
    message: str
    say: str


class Error(BaseModel):
    """Every refusal."""

    model_config = ConfigDict(extra="forbid")
    error: ErrorBody


class Parts(BaseModel):
    """Which parts are ready; `away` names the background loops that fail again and again."""

    status: str
    parts: dict[str, bool]
    away: list[str]


class Alive(BaseModel):
    """The process answers."""

    status: str


STATUSES: Final[Mapping[int, str]] = {
    400: "not readable: sending it again will not help",
    401: "nobody is signed in, or the signature does not hold",
    403: "the role does not carry this permission",
    404: "does not exist, or may not be shown",
    409: "said before, in another way",
    429: "more than a sender may say: the same again in some seconds",
    503: "a part does not answer, nothing was lost: send it again",
}


def _json(schema: Json, description: str) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _answers(good: Mapping[int, Json], *, refusals: Iterable[int]) -> Json:
    error = {"$ref": REF.format(model="Error")}
    bad = {status: _json(error, STATUSES[status]) for status in refusals}
    return {str(status): answer for status, answer in sorted({**good, **bad}.items())}


def _header(name: str, description: str, *, required: bool, **schema: object) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _ref(model: str) -> Json:
    return {"$ref": REF.format(model=model)}


def _calls() -> Json:
    alias: Json = {
        "name": "alias",
        "in": "query",
        "required": True,
        "description": "any id the call ever had: SIP Call-ID, Linkedid, the recorder's, the dossier's …",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    }
    found = {
        "type": "object",
        "required": ["calls"],
        "properties": {"calls": {"type": "array", "items": _ref("Record")}},
    }
    return {
        "operationId": "findCalls",
        "summary": "Everything about every call that ever had this id",
        "description": "For the roles auditor and referent; written down in the audit.",
        "security": [{"session": []}],
        "parameters": [alias],
        "responses": _answers({200: _json(found, "the calls")}, refusals=(400, 401, 403, 404, 503)),
    }


def _events() -> Json:
    seconds = int(WINDOW.total_seconds())
    return {
        "operationId": "postCallEvents",
        "summary": "What happens on line 15, from the call-centre software",
        "description": "X-Visio15-Signature is `v1=` and the hexadecimal HMAC-SHA-256, under the site's secret, "
        f"of X-Visio15-Timestamp, a full stop and the body; at most {seconds} s old and {MAX_BODY // 1024} kB.",
        "security": [{"signature": []}],
        "parameters": [
            _header("X-Visio15-Site", "key of the site", required=True),
            _header("X-Visio15-Timestamp", "seconds since 1970", required=True),
            _header(
                "Idempotency-Key",
                "the same key and body: the same answer for 24 h",
                required=False,
                maxLength=255,
            ),
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _ref("CallEvents")}},
        },
        "responses": _answers(
            {202: _json(_ref("EventResults"), "durable; what became of each event")},
            refusals=(400, 401, 409, 429, 503),
        ),
    }


def _health() -> Json:
    return {
        "operationId": "telephonyHealth",
        "summary": "How the site's line 15 fares: each feed, its calls, its queue",
        "description": "For the role admin; holds no number of anybody.",
        "security": [{"session": []}],
        "responses": _answers({200: _json(_ref("LineHealth"), "now")}, refusals=(401, 403, 503)),
    }


def _plain(name: str, summary: str, answer: Json, *refusals: int) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "security": [],
        "responses": _answers({200: answer}, refusals=refusals),
    }


def _receipt(method: str) -> Json:
    operation = _plain(
        f"{method}Receipt", "Delivery receipt of an SMS", _json({}, "noted"), 400, 404, 503
    )
    status = {
        "name": "status",
        "in": "query",
        "required": True,
        "description": "1 delivered, 2 failed, 4 queued, 8 handed over, 16 refused",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999},
    }
    ref = {
        "name": "ref",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{20,64}$"},
    }
    carrier = {
        "name": "carrier",
        "in": "path",
        "required": True,
        "description": "the carrier's name in the configuration; `sms` for the only one",
        "schema": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,31}$"},
    }
    return {**operation, "parameters": [carrier, ref, status]}


def operations() -> dict[str, Json]:
    """Return the table of what machines may ask: path → method → operation."""
    any_object: Json = {"type": "object"}
    ready = _json(_ref("Parts"), "every part is ready")
    readyz = _plain("ready", "Database, schema, delivery and background loops", ready)
    readyz["responses"]["503"] = _json(_ref("Parts"), "a part is not ready")
    html = {"description": "the page", "content": {"text/html": {"schema": {"type": "string"}}}}
    return {
        "/api": {"get": _plain("page", "This description as a page", html)},
        "/api/openapi.json": {
            "get": _plain("openapi", "This description", _json(any_object, "OpenAPI 3.1"))
        },
        "/api/v1/calls": {"get": _calls()},
        "/api/v1/telephony/events": {"post": _events()},
        "/api/v1/telephony/events.schema.json": {
            "get": _plain("eventsSchema", "JSON schema of the events", _json(any_object, "2020-12"))
        },
        "/api/v1/telephony/health": {"get": _health()},
        "/healthz": {
            "get": _plain("healthy", "The process answers", _json(_ref("Alive"), "alive"))
        },
        "/readyz": {"get": readyz},
        "/receipts/{carrier}/{ref}": {"get": _receipt("get"), "post": _receipt("post")},
    }


def _components(models: Sequence[Any]) -> Json:
    found: Json = {}
    for model in models:
        mode: Literal["validation", "serialization"] = (
            "validation" if model is CallEvents else "serialization"
        )
        made = TypeAdapter(model).json_schema(ref_template=REF, mode=mode)
        found.update(made.pop("$defs", {}))
        found[model.__name__] = made
    return found


@lru_cache(maxsize=1)
def document() -> Json:
    """Return the whole description."""
    models = (Alive, Parts, Error, CallEvents, EventResults, Record, LineHealth)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Visio15",
            "version": __version__,
            "description": "Muted video for line-15 calls, linked to the recorded call: what machines may ask.",
        },
        "paths": operations(),
        "components": {
            "schemas": _components(models),
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": f"{HOST_ONLY}{SESSION_COOKIE}",
                    "description": "the cookie of a signed-in browser (without TLS: v15_session)",
                },
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-Visio15-Signature",
                    "description": "v1= and a hexadecimal HMAC-SHA-256",
                },
            },
        },
    }


class OpenApi(BaseHandler):
    """GET /api/openapi.json."""

    wants_json = True

    async def prepare(self) -> None:
        """Need nobody signed in: it says nothing of anybody."""

    def get(self) -> None:
        """Answer with the description."""
        self.json(document())


class ApiPage(BaseHandler):
    """GET /api."""

    async def prepare(self) -> None:
        """Need nobody signed in."""

    def get(self) -> None:
        """Show the description."""
        self.page("admin/api.html", api=document())


def routes(web: Web) -> list[URLSpec]:
    """List the paths of the description."""
    return [
        path(r"/api", ApiPage, web=web),
        path(r"/api/openapi\.json", OpenApi, web=web),
    ]
