"""Each refusal has its sentence in the catalogue of every reader who can meet it, and none in another's."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

import click
import pytest

import server
from server.caller.web.page import PHASES
from server.caller.web.spoken import SHOWN
from server.cli.main import main
from server.core.errors import AppError, NotFound, walk
from server.core.words.for_caller import ALOUD, ON_PAGE, for_caller
from server.core.words.for_doctor import SENTENCES as DOCTOR
from server.core.words.for_doctor import for_doctor
from server.core.words.for_observer import SENTENCES as OBSERVER
from server.core.words.for_observer import for_observer
from server.core.words.for_shell import SENTENCES as SHELL
from server.core.words.for_shell import for_shell
from server.line15.errors import LaunchExpired
from server.observers.web import CLOSED
from server.storage.errors import SchemaMismatch
from server.web.status import WIRE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

ROOT: Final = Path(__file__).resolve().parents[3]
for _each in pkgutil.walk_packages(server.__path__, "server."):
    importlib.import_module(_each.name)
KINDS: Final = [kind for kind in walk() if kind.__module__.partition(".")[0] == "server"]
CODES: Final = {kind.code for kind in KINDS}
#: No page and no socket is there when these are raised.
AT_A_SHELL: Final = {
    "backup_refused",
    "certificate_unusable",
    "demonstration_refused",
    "schema_mismatch",
}
#: What a command runs that can refuse; the families speak for the rest.
RUN_BY_COMMANDS: Final = (
    *("administration", "app", "audit/service/chain.py", "audit/service/erasure.py", "audit/store"),
    *("cli", "core", "delivery/domain", "demo", "doctor", "identity/service/unlock.py"),
    *("identity/store", "reconcile/domain", "reconcile/service/cdr_import.py", "storage"),
)
#: Refusals in there of what only a server is asked.
OF_THE_SERVER: Final = {
    ("invalid", "day"),  # the auditor's look-up
    ("not_found", "outbox"),  # the demonstration's page
    ("too_many", "synthetic_callers"),  # the same
}
ENGLISH: Final = re.compile(
    r"\b(the|is|not|please|and|your|error|invalid|unknown)\b", re.IGNORECASE
)
#: What an administrator at a shell has not: a page, a session of theirs, a caller on the line.
ON_A_SCREEN: Final = re.compile(
    r"\b(la page|cette page|rechargez|reconnectez|votre rôle|l'appelant|à jour, recommencez)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Raised:
    """One `raise` of a refusal."""

    kind: type[AppError]
    detail: str
    facts: frozenset[str]
    where: str


def raised(path: Path) -> Iterator[Raised]:
    """Every refusal that a module raises by name."""
    module = importlib.import_module(
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    )
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Raise) and node.exc is not None:
            yield from _refusals(node.exc, module, f"{path}:{node.lineno}")
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_require":
            yield from _refusals(
                ast.Call(ast.Name("Invalid"), node.args[2:], []), module, f"{path}:{node.lineno}"
            )


def _refusals(told: ast.expr, module: ModuleType, where: str) -> Iterator[Raised]:
    if isinstance(told, ast.IfExp):
        yield from _refusals(told.body, module, where)
        yield from _refusals(told.orelse, module, where)
        return
    call = told if isinstance(told, ast.Call) else ast.Call(told, [], [])
    kind = getattr(module, getattr(call.func, "id", ""), None)
    if isinstance(kind, type) and issubclass(kind, AppError):
        facts = frozenset(one.arg for one in call.keywords if one.arg)
        for detail in _details(call.args):
            yield Raised(kind, detail, facts, where)


def _details(given: list[ast.expr]) -> list[str]:
    """The slugs that are written out; "" for what is only known when it happens."""
    first = given[0] if given else None
    choices = [first.body, first.orelse] if isinstance(first, ast.IfExp) else [first]
    return [str(one.value) if isinstance(one, ast.Constant) else "" for one in choices]


def modules(*parts: str) -> list[Path]:
    found = [ROOT / "server" / part for part in parts]
    return [
        file
        for each in found
        for file in (sorted(each.rglob("*.py")) if each.is_dir() else [each])
        if file.name != "__main__.py"
    ]


EVERYWHERE: Final = [one for path in modules("") for one in raised(path)]


# --- one code, one class, one sentence
def test_each_class_has_a_code_of_its_own() -> None:
    assert len(KINDS) == len(CODES)
    assert [kind for kind in KINDS if "code" not in vars(kind)] == []


def test_a_professional_can_meet_every_code_but_those_of_a_shell() -> None:
    assert set(DOCTOR) == CODES - AT_A_SHELL


@pytest.mark.parametrize("catalogue", [ALOUD, ON_PAGE], ids=["aloud", "on the page"])
def test_a_caller_is_told_of_codes_there_are(catalogue: Mapping[str, object]) -> None:
    assert set(catalogue) <= CODES


@pytest.mark.parametrize("kind", [*PHASES, *SHOWN], ids=lambda kind: kind.code)
def test_what_the_caller_s_page_shows_is_a_sentence_of_its_table(kind: type[AppError]) -> None:
    table = (ROOT / "templates" / "caller" / "words.html").read_text()
    for key in for_caller(kind()):
        assert f'\n  "{key}": _("' in table


def test_the_caller_s_page_shows_every_refusal_it_has_words_for() -> None:
    assert {kind.code for kind in (*PHASES, *SHOWN)} == set(ON_PAGE)


def test_the_observer_s_page_has_words_for_what_it_closes_with() -> None:
    assert {kind.code for kind in CLOSED} == set(OBSERVER)
    assert [for_observer(kind()) for kind in CLOSED] == [OBSERVER[kind.code] for kind in CLOSED]


def test_every_family_has_a_sentence_at_the_shell() -> None:
    assert {kind.code for kind in (AppError, *WIRE)} <= set(SHELL)


@pytest.mark.parametrize("key", sorted(SHELL))
def test_a_sentence_at_the_shell_is_said_of_something_and_has_its_facts(key: str) -> None:
    code, _, detail = key.partition(".")
    assert code in CODES
    named = {name for _, name, _, _ in Formatter().parse(SHELL[key]) if name}
    its = [one for one in EVERYWHERE if (one.kind.code, one.detail) == (code, detail)]
    assert its or not detail, "nothing raises it"
    for one in its:
        assert named <= one.facts, one.where
    if not detail:
        assert not named, "whatever has no detail has no facts"


def test_every_refusal_of_a_command_has_a_sentence_of_its_own() -> None:
    """A family alone says too little: there, each detail has its own."""
    silent = []
    for one in (one for path in modules(*RUN_BY_COMMANDS) for one in raised(path)):
        code, detail = one.kind.code, one.detail
        needed = f"{code}.{detail}" if one.kind in WIRE and detail else code
        if needed not in SHELL and (code, detail) not in OF_THE_SERVER:
            silent.append((needed, one.where))
    assert silent == []


def test_the_most_precise_sentence_is_said() -> None:
    assert for_shell(NotFound("site")) == SHELL["not_found.site"]
    assert for_shell(NotFound("thing")) == SHELL["not_found"]
    assert for_shell(LaunchExpired()) == SHELL["forbidden"]
    assert for_shell(LaunchExpired("site")) == SHELL["forbidden"]
    assert for_doctor(LaunchExpired()) == DOCTOR["launch_expired"]
    assert for_doctor(SchemaMismatch()) == DOCTOR["unavailable"]


# --- what the sentences are
@pytest.mark.parametrize(
    "sentence",
    [*DOCTOR.values(), *ALOUD.values(), *OBSERVER.values(), *SHELL.values()],
    ids=lambda text: text[:40],
)
def test_a_sentence_is_french_and_whole(sentence: str) -> None:
    assert re.fullmatch(r"[A-ZÀ-Ý{-].*[.?!]", sentence)
    assert not ENGLISH.search(re.sub(r"«.*?»|\S+\.md\S*|\{\w+\}", "", sentence))


@pytest.mark.parametrize(
    "sentence",
    [*DOCTOR.values(), *ALOUD.values(), *OBSERVER.values()],
    ids=lambda text: text[:40],
)
def test_a_screen_s_sentence_is_short(sentence: str) -> None:
    assert len(sentence) <= 120


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command by its path below `visio15`."""
    todo: list[tuple[str, click.Command]] = [("", main)]
    while todo:
        path, command = todo.pop()
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                inner = command.get_command(context, name)
                assert inner is not None
                todo.append((f"{path} {name}".strip(), inner))


@pytest.mark.parametrize("sentence", SHELL.values(), ids=lambda text: text[:40])
def test_what_the_shell_s_sentence_names_is_there(sentence: str) -> None:
    known = dict(commands())
    options = {one for each in known.values() for two in each.params for one in two.opts} | {
        "--help"
    }
    for name in re.findall(r"visio15 ([a-z][a-z ]*[a-z])", sentence):
        assert name in known
    for option in re.findall(r"--[a-z-]+", sentence):
        assert option in options
    for page, anchor in re.findall(r"(docs/\w+\.md)(?:#([\w-]+))?", sentence):
        heads = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
        assert not anchor or anchor in {head.lower().replace(" ", "-") for head in heads}


# --- no reader gets another's
def test_no_sentence_is_said_on_a_screen_and_at_a_shell() -> None:
    assert not {*DOCTOR.values(), *ALOUD.values(), *OBSERVER.values()} & {*SHELL.values()}
    assert [text for text in SHELL.values() if ON_A_SCREEN.search(text)] == []


@pytest.mark.parametrize("path", modules("cli", "demo", "doctor"), ids=str)
def test_a_command_has_no_sentence_of_a_screen_of_its_own(path: Path) -> None:
    screens = {*DOCTOR.values(), *ALOUD.values(), *OBSERVER.values()}
    texts = {
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not texts & screens


def test_the_pages_scripts_know_codes_there_are() -> None:
    """A phone and an observer's page have their words in the script: they go by the code."""
    phone = (ROOT / "static/js/caller/phase.js").read_text()
    assert set(re.findall(r'\bcode === "(\w+)"', phone)) == {"open_elsewhere", "session_ended"}
    page = (ROOT / "static/js/observer/main.js").read_text()
    over = page.split("const OVER = {", 1)[1].split("};", 1)[0]
    said = dict(re.findall(r'^  (\w+): "(.*)",$', over, re.MULTILINE))
    assert set(said) <= CODES
    assert said.items() >= OBSERVER.items(), "the page from the server says the same"
