"""docs/protocol.md says what the code does: every message with its fields, every route, every error code."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from server.core.errors import walk
from server.delivery.web import CARRIER
from server.desk.domain.funnel import STEPS
from server.protocol import caller as m
from server.protocol.desk import DeskMedia, DeskMessage, RungAsked
from server.protocol.message import MAX_FRAME
from server.protocol.observer import ObserverMessage
from server.protocol.selftest import SelftestMessage
from server.video.domain.session import SessionState
from server.web.status import WIRE
from tests.frozen import application

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "protocol.md").read_text()
#: Added by `visio15 demo` for real phones, and by the framework.
UNLISTED = {
    *("/trust", "/trust/visio15.crt", "/static/(.*)", "/(favicon.ico)", "/(robots.txt)"),
    *("/v(?:/.*)?", "/o(?:/.*)?", "/c(?:/.*)?"),  # other ways to write a page that is listed
}


def table(title: str) -> list[list[str]]:
    """The rows of the first table under a heading."""
    section = PAGE.split(f"# {title}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def fields(cell: str) -> dict[str, bool]:
    """`peer, launch?` → which fields there are, and whether each is required."""
    names = [name.strip() for name in cell.split(",") if name.strip()]
    return {name.rstrip("?"): not name.endswith("?") for name in names}


def documented(title: str) -> dict[str, dict[str, bool]]:
    return {row[0]: fields(row[1]) for row in table(title)}


def declared(union: Any) -> dict[str, dict[str, bool]]:
    """What the schemas take: type → field → required."""
    found = {}
    for schema in get_args(union):
        kind = get_args(schema.model_fields["type"].annotation)[0]
        others = {k: f for k, f in schema.model_fields.items() if k != "type"}
        found[kind] = {name: field.is_required() for name, field in others.items()}
    return found


@pytest.mark.parametrize(
    ("title", "union"),
    [
        ("Desk to server", DeskMessage),
        ("Caller to server", m.CallerMessage),
        ("Self-test to server", SelftestMessage),
        ("Observer to server", ObserverMessage),
    ],
)
def test_what_the_pages_may_say_is_what_is_written(title: str, union: Any) -> None:
    assert documented(title) == declared(union)


@pytest.mark.parametrize(
    ("title", "schema", "field"),
    [
        ("Caller to server", m.Camera, "state"),
        ("Caller to server", m.CallerMedia, "camera"),
        ("Caller to server", m.Facing, "facing"),
        ("Desk to server", DeskMedia, "state"),
        ("Desk to server", RungAsked, "rung"),
    ],
)
def test_the_words_of_a_message_are_written(title: str, schema: Any, field: str) -> None:
    kind = get_args(schema.model_fields["type"].annotation)[0]
    meaning = next(row[2] for row in table(title) if row[0] == kind)
    words = set(get_args(schema.model_fields[field].annotation))
    assert set(re.findall(r"`(\w+)`", meaning)) == words


# --- from the server -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Said:
    """A message as the code builds it, and which end receives it."""

    type: str
    keys: frozenset[str]
    to: str


#: Who receives what a file sends.
RECEIVERS = {
    "server/desk/web/socket.py": "desk",
    "server/desk/web/seats.py": "desk",
    "server/desk/service/view.py": "desk",
    "server/caller/web/socket.py": "caller",
    "server/web/sockets/page_socket.py": "both",
    "server/video/service/rooms.py": "caller",
    "server/video/service/ladder.py": "desk",
    "server/video/service/photos.py": "desk",
    "server/video/service/remote_help.py": "caller",
    "server/video/service/snapshots.py": "caller",
}
#: These leave a file that talks to the other end too.
CROSSED = {
    "caller.state": "desk",
    "caller.abilities": "desk",
    "help.done": "desk",
    "signal.offer": "desk",
    "signal.answer": "caller",
    "signal.restart": "caller",
    "webcam": "caller",
    "ladder": "caller",
}


def literals(path: str) -> Iterator[Said]:
    """Every dictionary with a literal `type` that a file sends."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if not isinstance(node, ast.Dict):
            continue
        pairs = zip(node.keys, node.values, strict=True)
        named = {str(k.value): v for k, v in pairs if isinstance(k, ast.Constant)}
        kind = getattr(named.pop("type", None), "value", None)
        if isinstance(kind, str):
            to = CROSSED.get(kind, RECEIVERS.get(path, ""))
            yield Said(kind, frozenset(named), to)


def sent(end: str) -> dict[str, set[str]]:
    """Type → fields of what the code sends to one end."""
    found: dict[str, set[str]] = {}
    for path in RECEIVERS:
        for said in literals(path):
            if said.to in {end, "both"}:
                found.setdefault(said.type, set()).update(said.keys)
    # server/video/service/signalling.py adds the address of the far end.
    added = {
        "desk": {"caller.state": {"session", "state"}, "signal.offer": {"session", "page", "sdp"}},
        "caller": {
            "signal.answer": {"peer", "sdp"},
            "signal.restart": {"peer"},
            "webcam": {"peer"},
        },
    }
    for kind, keys in added[end].items():
        found.setdefault(kind, set()).update(keys)
    address = {"desk": {"session", "page"}, "caller": {"peer"}}[end]
    found["signal.candidate"] = address | {"candidate"}
    return found


OPTIONAL = {"error": {"id", "say"}}  # added to the dictionary after it was made


@pytest.mark.parametrize(
    ("title", "end"), [("Server to desk", "desk"), ("Server to caller", "caller")]
)
def test_what_the_server_says_is_what_is_written(title: str, end: str) -> None:
    written, said = documented(title), sent(end)
    assert set(written) == set(said)
    for kind, keys in written.items():
        if kind == "view":
            continue
        expected = {name for name, required in keys.items() if required}
        assert said[kind] - OPTIONAL.get(kind, set()) == expected, kind


def test_what_a_self_test_is_told_is_what_is_written() -> None:
    files = ("server/selftest/web.py", "server/web/sockets/page_socket.py")
    said = {one.type: one.keys for path in files for one in literals(path)}
    written = documented("Server to self-test")
    assert set(written) == set(said)
    for kind, keys in written.items():
        expected = {name for name, required in keys.items() if required}
        assert said[kind] - OPTIONAL.get(kind, set()) == expected, kind


def test_what_an_observer_hears_is_written() -> None:
    own = [said for said in literals("server/observers/web.py") if said.type not in CROSSED]
    said = {
        one.type: set(one.keys) for one in (*own, *literals("server/web/sockets/page_socket.py"))
    }
    written = documented("Server to observer")
    assert set(written) == set(said)
    for kind, keys in written.items():
        assert said[kind] - OPTIONAL.get(kind, set()) == set(keys), kind


def test_signalling_sends_nothing_else() -> None:
    kinds = {said.type for said in literals("server/video/service/signalling.py")}
    assert kinds <= {"signal.offer", "signal.answer", "signal.candidate"}


def test_the_view_is_what_is_written() -> None:
    section = PAGE.split("### The view\n", 1)[1].split("```")[1]
    view = next(said for said in literals("server/desk/service/view.py") if said.type == "view")
    for key in view.keys:
        assert f'"{key}"' in section, key
    tree = ast.parse((ROOT / "server/desk/service/view.py").read_text())
    names = {"_session", "_station", "_launch", "_call", "_link", "_invitation"}
    builders = [n for n in ast.walk(tree) if getattr(n, "name", None) in names]
    assert builders
    for builder in builders:
        for node in ast.walk(builder):
            if isinstance(node, ast.Dict):
                for each in node.keys:
                    if isinstance(each, ast.Constant):
                        assert f'"{each.value!s}"' in section, each.value


def test_states_and_steps_are_written() -> None:
    assert f"`{' '.join(state.value for state in SessionState)}`" in PAGE
    assert f"`{' '.join(key for key, _ in STEPS)}`" in PAGE


# --- routes and codes ------------------------------------------------------------------------------
def routed() -> dict[str, set[str]]:
    """Path → methods of the application in demo mode."""
    app = application(demo=True)
    found = {}
    for rule in app.default_router.rules + app.wildcard_router.rules:
        for inner in getattr(rule.target, "rules", [rule]):
            path = inner.matcher.regex.pattern.rstrip("$").replace("\\.", ".")
            kind = inner.target
            if path in UNLISTED or not isinstance(kind, type):
                continue
            own = {name.upper() for name in ("get", "post") if name in _methods(kind)}
            found[path] = {"WS"} if "/ws/" in path else own
    return found


def _methods(kind: type) -> set[str]:
    ours = [c for c in kind.__mro__ if c.__module__.startswith("server.")]
    return {name for c in ours for name in vars(c)}


def written_routes() -> dict[str, set[str]]:
    """The same from the page: `GET, POST /a` and `GET /a, /b` and `GET /a, POST /b`."""
    found: dict[str, set[str]] = {}
    for cell, *_ in table("HTTP routes"):
        methods: set[str] = set()
        paths: list[str] = []
        for word in cell.replace(",", "").split():
            if word.startswith("/"):
                paths.append(word.partition("?")[0])
            elif paths:
                methods = {word}
                paths = []
            else:
                methods.add(word)
            for path in paths[-1:]:
                found.setdefault(path, set()).update(methods)
    return found


def test_every_route_is_written_and_every_written_route_exists() -> None:
    plain = {}
    for pattern, methods in routed().items():
        name = (
            "LANG"
            if "/words/" in pattern
            else "TOKEN"
            if "/v/" in pattern or "/o/" in pattern
            else "REF"
            if "receipts" in pattern
            else "ID"
        )
        named = re.sub(r"(?<=/wire/)\([^)]*\)", "NAME", pattern.replace(CARRIER, "CARRIER"))
        plain[re.sub(r"\([^)]*\)", name, named)] = methods
    assert plain == written_routes()


def test_the_codes_on_the_page_exist() -> None:
    section = PAGE.split("## Error codes\n", 1)[1]
    codes = {kind.code for kind in walk()}
    families = re.search(r"`([a-z_ ]+)` are the families \(HTTP ([\d ]+),", section)
    assert families
    names, statuses = families.group(1).split(), [int(s) for s in families.group(2).split()]
    assert dict(zip(names, statuses, strict=True)) == {k.code: s for k, (s, _) in WIRE.items()}
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", section)) | {"open_elsewhere"}
    assert named <= codes


def test_a_frame_is_as_large_as_is_written() -> None:
    assert f"at most {MAX_FRAME // 1024} kB" in PAGE
