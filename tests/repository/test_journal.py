"""The audit is written by the functions of the journal alone, and the docs know every verb."""

from __future__ import annotations

import ast
from pathlib import Path

import server
from server.core.journal.verbs import VERBS
from tests import verbs

ROOT = Path(server.__file__).parent
JOURNAL = ROOT / "core/journal"
ELSEWHERE = {
    file.relative_to(ROOT).as_posix(): ast.parse(file.read_text())
    for file in sorted(ROOT.rglob("*.py"))
    if JOURNAL not in file.parents
}


def test_only_the_journal_makes_entries() -> None:
    """Elsewhere an entry is only named as a type."""
    made = [
        f"{name}:{node.lineno}"
        for name, tree in ELSEWHERE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in {"Entry", "AuditRow", "entry"}
    ]
    assert made == [f"audit/store/audit.py:{_row()}"], "one is read from the database"
    taken = {
        alias.name
        for tree in ELSEWHERE.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "server.core.journal.entries"
        for alias in node.names
    }
    assert taken == {"Entry"}


def _row() -> int:
    """The line of the store that makes a row of what it read."""
    lines = (ROOT / "audit/store/audit.py").read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if "AuditRow(**" in line)


def test_only_the_journal_writes_to_the_chain() -> None:
    calls = {
        f"{name}: {ast.unparse(node)}"
        for name, tree in ELSEWHERE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"insert", "update", "delete"}
        and ast.unparse(node.args[0]).startswith("audit")
    }
    assert calls == {"audit/store/erasure.py: update(audit_payload)"}, "which erases"


def test_no_action_is_named_elsewhere() -> None:
    """Whoever needs one takes it from the list; two are names of other things, too."""
    named = {
        f"{name}: {node.value}"
        for name, tree in ELSEWHERE.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in VERBS
    }
    assert named == {
        "observers/web.py: observer.left",  # a task
        "protocol/caller.py: help.done",  # a socket message
        "video/service/remote_help.py: help.done",
    }


def test_the_docs_have_every_verb_and_no_other() -> None:
    assert verbs.FILE.read_text() == verbs.written(verbs.FILE.read_text()), (
        f"docs/audit.md is not what the list says: {verbs.WRITE}"
    )
