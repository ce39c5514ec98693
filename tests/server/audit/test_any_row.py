"""Whatever a row holds, the record is put together, shown as a page and written as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from server.audit.domain.chain import ChainVerifier
from server.audit.domain.record import ChainPart, Record, SessionPart
from server.audit.service.reader import event_part, phase_parts
from server.core.audit_entries import GENESIS, AuditRow, canonical, commitment, digest
from server.core.journal.verbs import VERBS, facts, sentence
from server.core.resources import root
from server.video.domain.session import Session
from server.web.json_types import plain
from server.web.pages import Pages
from tests.server.core.test_journal import ANY_DATA

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
VIDEO = Session("v", "s", "201", "u", "command1", NOW, NOW)
PAGES = Pages(root())
ACTIONS = [*sorted(VERBS), "session.cloned"]  # and one of a later release
ROWS = st.lists(st.tuples(st.sampled_from(ACTIONS), ANY_DATA), min_size=1, max_size=9)


def chain(told: list[tuple[str, Any]]) -> list[tuple[AuditRow, tuple[bytes, str]]]:
    """Rows about one video, as anybody may have written them."""
    linked: list[tuple[AuditRow, tuple[bytes, str]]] = []
    prev = GENESIS
    for seq, (action, data) in enumerate(told, 1):
        payload = (b"salt", canonical({"address": "192.0.2.77", "reason": data}))
        row = AuditRow(
            *("s", seq, NOW + timedelta(seconds=seq), "desk", action, "session:v", "v", None, "u"),
            *(data, commitment(*payload), prev, ""),
        )
        row = replace(row, hash=digest(row))
        prev = row.hash
        linked.append((row, payload))
    return linked


def record_of(linked: list[tuple[AuditRow, tuple[bytes, str]]]) -> Record:
    verifier = ChainVerifier()
    for row, payload in linked:
        verifier.feed(row, payload)
    verdict = verifier.verdict()
    events = [event_part(row, "Marie", payload) for row, payload in linked]
    phases = phase_parts(VIDEO, [row for row, _ in linked])
    video = SessionPart(
        *("v", "invited", NOW, None, None, "Marie", "201"),
        phases,
        links=(),
        invitations=(),
        snapshots=(),
    )
    part = ChainPart(verdict.intact, verdict.count, verdict.head, verdict.broken_at)
    return Record(
        call=None,
        aliases=(),
        stations=(),
        moves=(),
        holds=(),
        recordings=(),
        related=(),
        sessions=[video],
        events=events,
        chain=part,
    )


@settings(max_examples=60, deadline=None)
@given(ROWS)
def test_any_row_is_shown_and_exported(told: list[tuple[str, Any]]) -> None:
    record = record_of(chain(told))
    exported = json.loads(json.dumps(plain(record)))
    assert exported["chain"]["verified"]
    assert [one["data"] for one in exported["events"]] == [
        json.loads(json.dumps(data)) for _, data in told
    ]
    page = PAGES.render("audit/call.html", record=plain(record), facts=facts, xsrf_token="x")
    rows = page[page.index('id="events"') :].split("<tr data-event=")[1:]
    assert len(rows) == len(told)
    for row, (action, data) in zip(rows, told, strict=True):
        assert f"<td>{sentence(action)}<br>" in row
        held = data if isinstance(data, dict) else {"data": data}
        reason = action == "session.linked" and isinstance(data, str) and data != ""
        shown = sum(value is not None for value in held.values())
        assert row.count("<span>") == shown + int(reason)


def test_only_changes_of_state_make_phases() -> None:
    """A station may have the name of a state."""
    told = [
        ("session.followed", {"from": "invited", "to": "live"}),
        ("session.left", {"from": "invited", "to": "ended"}),
    ]
    rows = [row for row, _ in chain(told)]
    assert [(one.state, one.end) for one in phase_parts(VIDEO, rows)] == [("invited", rows[1].at)]
