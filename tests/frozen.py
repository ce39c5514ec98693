"""What others see of the product, as plain values: see `PARTS`, from routes to the call graphs of recorded traces.

tests/repository/test_frozen.py compares it with tests/frozen.json. Code may move and be renamed; this picture stays. An
issue that adds something seen from outside writes the file anew, and its commit shows the addition as the diff of that
one file:

    .venv/bin/python -m tests.frozen --write

It holds no module, class or function name and no docstring, but those that are shown: the schemas of OpenAPI and the
help of the commands. Everything that knows where code stands is in the first lines.
"""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import re
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click
from click.testing import CliRunner
from pydantic import TypeAdapter
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import RequestHandler

import server
import telephony
from server.app.all_tables import metadata
from server.app.openapi import document
from server.app.routes import make_app
from server.app.rules import every_rule
from server.app.settings.settings import CONFIG, Settings
from server.cli.main import main
from server.core.errors import walk
from server.demo import trust
from server.identity.domain.access import PERMISSIONS
from server.identity.web.signed_in import MaybeSignedIn, SignedIn
from server.protocol.caller import CallerMessage
from server.protocol.desk import DeskMessage
from server.protocol.observer import ObserverMessage
from server.protocol.selftest import SelftestMessage
from server.video.domain.session import BEFORE_ASKING
from server.web.base import BaseHandler
from server.web.metrics import Metrics
from server.web.sockets.page_socket import PageSocket
from server.web.status import close_code_of, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sqlalchemy import Dialect, Table
    from tornado.web import Application

#: What a handler class says of itself, and which methods count as its own when no class of `SHARED` has them.
DECLARED = ("permission", "wants_json", "automatic", "finishes", "old_cookies", "kind")
GUARDS = ("prepare", "check_xsrf_cookie", "check_origin")
SHARED = (BaseHandler, MaybeSignedIn, SignedIn, RequestHandler)
#: Files with these words in their path build no message of the server: they speak as a caller, or describe an API.
NOT_SENDING = re.compile(r"synthetic|demo|openapi")

ROOT = Path(__file__).resolve().parents[1]
PROTOCOL = ROOT / "docs" / "protocol.md"
RECORDED = ("telephony/traces", "tests/telephony/traces", "tests/telephony/cases")
FILE = Path(__file__).with_name("frozen.json")
WRITE = ".venv/bin/python -m tests.frozen --write"
WIDTH = 100  # of a terminal


# --- routes ----------------------------------------------------------------------------------------
class _Anything:
    """Stands for services that a route only keeps, and for hosts that are all known."""

    def __init__(self, **known: Any) -> None:
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return "static" if name == "static" else _Anything()

    def __call__(self, *args: Any) -> bool:
        return True


TOKEN, NAME = "a" * 27, "b" * 24
LINKS = [
    *(
        "/c",
        "/c/",
        "/c.",
        "/c/123456",
        "/v",
        "/v/",
        "/v/short",
        "/v/words/fr",
        "/v/words/FR",
        "/o/",
    ),
    *(f"/{page}/{TOKEN}{tail}" for page in "vo" for tail in ("", "/", ".", "/x", "/join")),
    *(f"/v/{TOKEN}/{tail}" for tail in ("cannot", "open", "tap", "release", "photo", "wire")),
    *(f"/v/{TOKEN}/wire/{NAME}/{tail}" for tail in ("up", "down")),
]
OTHERS = [
    "/desk/",
    "/login.",
    "/static/js/x.js",
    "/favicon.ico",
    "/audit/reconcile/a",
    "/incidents.csv",
]
#: Where several patterns may fit: method, path, host.
ASKED = [
    *(f"{method} {path}" for method in ("GET", "POST") for path in (*LINKS, *OTHERS)),
    *(f"GET {path} dotted.example." for path in LINKS),
]


def application(*, demo: bool) -> Application:
    """Every route, of a server that can do nothing."""
    web: Any = _Anything(demo=demo)
    any_: Any = _Anything()
    rules = every_rule(web, any_, bus=any_, callers=any_, ready=any_, refresh=any_)
    return make_app(web, rules)


def _rules(app: Application) -> Iterator[tuple[str, type[RequestHandler]]]:
    for rule in app.wildcard_router.rules:
        matcher: Any = rule.matcher
        yield matcher.regex.pattern, rule.target


def _own(kind: type, name: str) -> bool:
    """Whether a class has something else than what all handlers share."""
    return any(name in vars(each) for each in kind.__mro__ if each not in (*SHARED, object))


def _route(pattern: str, kind: type[RequestHandler]) -> dict[str, Any]:
    """What guards a route, as far as its class declares it; what is not said has no entry."""
    nothing = RequestHandler._unimplemented_method
    methods = [m for m in kind.SUPPORTED_METHODS if getattr(kind, m.lower()) is not nothing]
    declared = {name: getattr(kind, name, None) for name in DECLARED}
    declared["signed_in"] = issubclass(kind, SignedIn) and kind.permission is None
    declared["automatic"] = declared["automatic"] or issubclass(kind, PageSocket)
    own = {name: "its own" for name in GUARDS if _own(kind, name)}
    said = {name: value for name, value in declared.items() if value}
    return {"path": pattern, "methods": " ".join(sorted(methods)), **said, **own}


def _found(app: Application, asked: str, names: dict[type, str]) -> str:
    method, path, *host = asked.split()
    headers = HTTPHeaders({"Host": host[0] if host else "visio15.example"})
    line = RequestStartLine(method, path, "HTTP/1.1")
    connection: Any = _Anything(context=None)
    request = HTTPServerRequest(start_line=line, headers=headers, connection=connection)
    return names.get(app.find_handler(request).handler_class, "nothing")


def routes() -> dict[str, Any]:
    """Every path with its methods and guards, and which of them has the word where several fit."""
    usual, demo = application(demo=False), application(demo=True)
    listed = [_route(*rule) for rule in _rules(usual)]
    more = [each for each in (_route(*rule) for rule in _rules(demo)) if each not in listed]
    phones = trust.routes(_Anything(), Path(), "")  # type: ignore[arg-type]
    more += [_route(rule.regex.pattern, rule.target) for rule in phones]
    names: dict[type, str] = {}
    for pattern, kind in _rules(usual):
        known = names.get(kind)
        names[kind] = f"{known} or {pattern}" if known and pattern not in known else pattern
    settings = {
        name: value
        for name, value in usual.settings.items()
        if isinstance(value, (str, int, dict)) and not name.endswith(("_path", "_args"))
    }
    return {
        "listed": sorted([*listed, *({**each, "only": "demo"} for each in more)], key=_text),
        "any other": _route("", usual.settings["default_handler_class"]),
        "who answers": {asked: _found(usual, asked, names) for asked in ASKED},
        "application": settings,
        "roles": {role.value: sorted(may) for role, may in PERMISSIONS.items()},
    }


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


# --- messages --------------------------------------------------------------------------------------
def _plain(schema: Any, known: dict[str, Any] | None = None) -> Any:
    """A JSON schema without what only names our classes: references are written out, titles and prose left out."""
    if isinstance(schema, list):
        return [_plain(each, known) for each in schema]
    if not isinstance(schema, dict):
        return schema
    known = {**(known or {}), **schema.get("$defs", {})}
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _plain({**known[name], **{k: v for k, v in schema.items() if k != "$ref"}}, known)
    left_out = {"$defs", "title", "description", "discriminator"}
    kept = {name: each for name, each in schema.items() if name not in left_out}
    fields = kept.pop("properties", None)
    found = {name: _plain(each, known) for name, each in kept.items()}
    if fields is not None:  # a field may be called "title"
        found["properties"] = {name: _plain(each, known) for name, each in fields.items()}
    return found


def _incoming(union: Any) -> dict[str, Any]:
    """What one kind of page may say: type → schema."""
    found = {}
    for model in get_args(union):
        schema = _plain(TypeAdapter(model).json_schema())
        found[schema["properties"].pop("type")["const"]] = schema
    return found


def _keys(node: ast.expr) -> Iterator[str]:
    """The keys of a dictionary in the source, and of those in it as `outer.inner`; `**`: something is merged."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            name = str(key.value) if isinstance(key, ast.Constant) else "**"
            yield name
            yield from (f"{name}.{inner}" for inner in _keys(value))
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp)):
        yield from _keys(node.elt)
    elif isinstance(node, ast.IfExp):
        yield from (*_keys(node.body), *_keys(node.orelse))
    elif isinstance(node, (ast.List, ast.Tuple)):
        for each in node.elts:
            yield from _keys(each)


def _kind(node: ast.AST | None) -> str | None:
    """The `type` of a dictionary in the source, where it is one word."""
    if not isinstance(node, ast.Dict):
        return None
    for key, value in zip(node.keys, node.values, strict=True):
        if (
            isinstance(key, ast.Constant)
            and key.value == "type"
            and isinstance(value, ast.Constant)
        ):
            return str(value.value)
    return None


def _said(source: str) -> Iterator[tuple[str, str]]:
    """Type and keys of each message that a file builds; `key?` is added to it afterwards."""
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        named: dict[str, str] = {}
        for node in ast.walk(function):
            if kind := _kind(node):
                yield kind, " ".join(sorted(set(_keys(node)) - {"type"}))  # type: ignore[arg-type]
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                if isinstance(target, ast.Name) and (kind := _kind(node.value)):
                    named[target.id] = kind
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.ctx, ast.Store)
                and isinstance(node.value, ast.Name)
                and isinstance(node.slice, ast.Constant)
                and node.value.id in named
            ):
                yield named[node.value.id], f"{node.slice.value!s}?"


def built() -> dict[str, list[str]]:
    """Every message that the server's source builds: type → the sets of keys it is built with."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "server").rglob("*.py")):
        if not NOT_SENDING.search(str(file.relative_to(ROOT))):
            for kind, keys in _said(file.read_text()):
                found.setdefault(kind, set()).add(keys)
    return {kind: sorted(shapes) for kind, shapes in found.items()}


def written() -> dict[str, dict[str, str]]:
    """Every message from the server as docs/protocol.md has it: page → type → fields."""
    page = PROTOCOL.read_text()
    found = {}
    for section in re.split(r"\n#+ ", page):
        title, _, text = section.partition("\n")
        if title.startswith("Server to "):
            rows = [line.strip("|").split("|") for line in text.splitlines() if line[:1] == "|"][2:]
            found[title] = {row[0].strip(): row[1].strip() for row in rows}
    return found


def messages() -> dict[str, Any]:
    """Every message of every socket."""
    page = PROTOCOL.read_text()
    return {
        "Desk to server": _incoming(DeskMessage),
        "Caller to server": _incoming(CallerMessage),
        "Observer to server": _incoming(ObserverMessage),
        "Self-test to server": _incoming(SelftestMessage),
        **written(),
        "built by the server": built(),
        "the view": page.split("### The view\n", 1)[1].split("```")[1].splitlines(),
    }


# --- the rest --------------------------------------------------------------------------------------
def _import_all() -> None:
    """Import every module, so that what registers itself (errors, tables) has done so, wherever it stands."""
    for package in (server, telephony):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)  # pyVoIP imports audioop
                    importlib.import_module(module.name)


def errors() -> list[dict[str, Any]]:
    """Every refusal: its code, what it is on the wire, and what a person reads."""
    ours = [kind() for kind in walk() if kind.__module__.partition(".")[0] == server.__name__]
    found = [
        {
            "code": error.code,
            "http": status_of(error),
            "close": close_code_of(error),
            "message": error.message,
            "say": error.say,
        }
        for error in ours
    ]
    return sorted(found, key=_text)


def _help(
    command: click.Command, name: str, parent: click.Context | None
) -> Iterator[tuple[str, list[str]]]:
    with click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH) as context:
        yield context.command_path, command.get_help(context).splitlines()
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                inner = command.get_command(context, each)
                assert inner is not None, each
                yield from _help(inner, each, context)


def commands() -> dict[str, list[str]]:
    """The help of every command."""
    return dict(_help(main, "visio15", None))


def metrics() -> dict[str, Any]:
    """Every metric, and the labels that have a sample before anything has happened."""
    registry = Metrics(BEFORE_ASKING).registry
    found = {}
    for collector in list(registry._collector_to_names):
        for metric in collector.collect():
            labels = {" ".join(f"{k}={v}" for k, v in s.labels.items()) for s in metric.samples}
            found[metric.name] = {
                "type": metric.type,
                "help": metric.documentation,
                "labels": list(collector._labelnames),  # type: ignore[attr-defined]
                "from the start": sorted(labels - {""}),
            }
    return found


def _statements(table: Table, dialect: Dialect) -> list[str]:
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    made: list[DDLElement] = [CreateTable(table), *(CreateIndex(index) for index in indexes)]
    text = "\n".join(str(each.compile(dialect=dialect)) for each in made)
    return [line.strip() for line in text.splitlines() if line.strip()]


def tables() -> dict[str, Any]:
    """Every table as the two databases are told to make it."""
    dialects: dict[str, Dialect] = {
        "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
        "sqlite": sqlite.dialect(),
    }
    return {
        name: {kind: _statements(table, dialect) for kind, dialect in dialects.items()}
        for name, table in metadata.tables.items()
    }


def _recorded() -> Iterator[tuple[str, Path]]:
    for folder in RECORDED:
        for case in sorted((ROOT / folder).iterdir()):
            files = sorted(each for each in case.iterdir() if each.is_file())
            yield from ((f"{case.name}/{each.name}", each) for each in files)
            if len(files) > 1 and case.parent.name == "traces":
                yield f"{case.name}, its streams together", case


def replays() -> dict[str, Any]:
    """The call graph of each recorded trace, or why there is none."""
    found: dict[str, Any] = {}
    for name, path in _recorded():
        assert name not in found, name
        result = CliRunner().invoke(main, ["replay", "--json", str(path)])
        assert isinstance(result.exception, SystemExit | None), result.exception
        told = json.loads(result.stdout) if result.exit_code == 0 else {"status": result.exit_code}
        notes = result.stderr.splitlines()
        found[name] = {**told, **({"notes": notes} if notes else {})}
    return found


def _settings(prefix: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in schema["properties"].items():
        variable = f"{prefix}{name}".upper()
        options = [value, *value.get("anyOf", [])]
        group = next((each for each in options if "properties" in each), None)
        needed = {"required": True} if name in schema.get("required", []) else {}
        if group is not None:
            yield variable, {"default": value.get("default"), **needed}
            yield from _settings(f"{variable}__", group)
        elif any(each.get("format") == "password" for each in options):
            yield variable, {"secret": True, **needed}
        else:
            yield variable, {**value, **needed}


def settings() -> dict[str, Any]:
    """Every variable that can be set: its type, bounds and default; of secrets the name."""
    schema = _plain(Settings.model_json_schema())
    return {CONFIG: "a TOML file", **dict(_settings("VISIO15_", schema))}


def openapi() -> dict[str, Any]:
    """The description as it is served, but for the version, which each release changes."""
    served = document()
    return {**served, "info": {**served["info"], "version": ""}}


PARTS: dict[str, Callable[[], Any]] = {
    "routes": routes,
    "messages": messages,
    "errors": errors,
    "commands": commands,
    "metrics": metrics,
    "tables": tables,
    "replays": replays,
    "openapi": openapi,
    "settings": settings,
}


def collect(parts: Iterable[str] = PARTS) -> dict[str, Any]:
    """The picture of the running code, as JSON values."""
    _import_all()
    picture: dict[str, Any] = json.loads(_text({part: PARTS[part]() for part in parts}))
    return picture


def lines(picture: Any) -> str:
    """Write a picture so that its diff is readable."""
    return json.dumps(picture, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(f"Usage: {WRITE}")
    FILE.write_text(lines(collect()))
