"""What a filled database must hold, by SQL alone: a word for each kind of row, a condition for each state of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text

from server.storage.engine import make_engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncEngine

WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("audit", "action"): """
        audit.missed audit.searched audit.viewed
        call.ended call.held call.imported call.merged call.ringing call.talking
        camera.asked camera.granted camera.refused cdr.imported
        code.created code.expired code.redeemed code.refused desk.launched
        feedback.erased feedback.exported feedback.sent feedback.state_changed
        help.asked help.done help.refused
        invitation.bound invitation.created invitation.moved_to invitation.released invitation.resent
        invitation.revoked link.opened link.tapped
        login.code_sent login.ended login.refused login.succeeded
        message.buffered message.delivered message.failed message.handed message.retried
        network.preflight
        observer.bound observer.invited observer.joined observer.left observer.removed
        personal.erased photo.received
        picture.asked picture.flowing picture.lost picture.rung picture.still
        reconciliation.listed
        recording.attached recording.back recording.missing recording.played recording.withdrawn
        sdp.accepted sdp.refused secret.added secret.retired
        session.created session.followed session.handed_over session.language session.left
        session.linked session.offer_withdrawn session.offered session.released session.timed_out
        site.added site.policy_set snapshot.taken snapshot.viewed station.added
        user.added user.disabled user.enabled user.password_reset user.role_set
        user.sessions_revoked user.unlocked webhook.connected""",
    ("audit", "source"): "server desk phone feed gateway cli observer",
    ("call", "state"): "ringing talking held ended asserted",
    ("call_alias", "type"): """
        sip_call_id linkedid uniqueid nena_callid nena_incidentid cti_call_id recording dossier
        asserted call""",
    ("call_alias", "source"): "desk replay webhook cdr enregistrements correlator",
    ("call_span", "kind"): "station hold recording related cdr",
    ("feedback", "kind"): "incident remark",
    ("feedback", "state"): "new acknowledged forwarded closed",
    ("feedback_step", "state"): "acknowledged forwarded closed",
    ("invitation", "channel"): "sms email code",
    ("login_challenge", "channel"): "email",
    ("message", "channel"): "sms email",
    ("message", "error"): """
        carrier_failed carrier_refused expired http_503 revoked session_ended withheld""",
    ("message", "kind"): "invitation code feedback observer",
    ("message", "state"): "queued handed buffered delivered failed",
    ("observer", "channel"): "sms email",
    ("personal", "kind"): "number email name remark note",
    ("recording", "status"): "present missing unknown",
    ("recording", "sureness"): "certain inferred offered withdrawn",
    ("session", "end_reason"): "quit revoked left expired lost",
    ("session", "ended_by"): "desk phone server",
    ("session", "state"): "invited opened tapped connecting live interrupted ended",
    ("session_link", "certainty"): "certain inferred unlinked",
    ("session_link", "evidence"): """
        launch_context chosen manual_id sole_talking_call several_calls no_call no_feed feed_down
        no_station declined merged reconciled reviewed reviewed_none""",
    ("used_once", "kind"): "launch webhook",
    ("user", "role"): "arm regulator auditor referent admin",
}
STATES: Final = (
    ("audit_payload", "salt IS NULL"),
    ("call", "merged_into IS NOT NULL"),
    ("call", "caller IS NULL"),
    ("call_alias", "valid_to IS NOT NULL"),
    ("call_fact", "sealed IS NULL"),
    ("invitation", "NOT active"),
    ("invitation", "revoked IS NOT NULL"),
    ("invitation", "tapped IS NOT NULL"),
    ("launch", "site IS NOT NULL"),
    ("login_challenge", '"user" IS NULL'),
    ("message", "sealed IS NULL"),
    ("observer", "joined IS NOT NULL AND removed IS NULL"),
    ("observer", "removed IS NOT NULL"),
    ("personal", "sealed IS NULL"),
    ("recording", "sealed IS NULL"),
    ("session", "handed IS NOT NULL"),
    ("session", "offered_to IS NOT NULL"),
    ("session", "station IS NULL"),
    ("site_secret", "sealed IS NULL"),
    ("snapshot", "sealed IS NULL"),
    ("snapshot", "sealed IS NOT NULL"),
    ("spoken_code", "used IS NOT NULL"),
    ("spoken_code", "used IS NULL"),
    ("throttle", "blocked_until IS NOT NULL"),
    ("user", "disabled IS NOT NULL"),
    ("web_session", "revoked IS NOT NULL"),
)


async def words(engine: AsyncEngine, table: str, name: str) -> set[str]:
    """The different values of a column."""
    async with engine.connect() as db:
        rows = await db.execute(text(f'SELECT DISTINCT "{name}" FROM "{table}"'))  # noqa: S608 - names of ours
        return {str(value) for value in rows.scalars() if value is not None}


async def counts(engine: AsyncEngine) -> dict[str, int]:
    """How many rows each table has, whichever tables there are."""
    async with engine.connect() as db:
        tables = await db.run_sync(lambda sync: inspect(sync).get_table_names())
        return {
            table: (await db.execute(text(f'SELECT count(*) FROM "{table}"'))).scalar_one()  # noqa: S608 - same
            for table in tables
        }


async def ids(engine: AsyncEngine, columns: str, table: str) -> list[tuple[Any, ...]]:
    """The rows of a table, some columns of each."""
    async with engine.connect() as db:
        rows = await db.execute(text(f'SELECT {columns} FROM "{table}"'))  # noqa: S608 - same
        return [tuple(row) for row in rows]


async def missing(url: str) -> list[str]:
    """Say which tables are empty, which words nobody wrote and which states no row is in."""
    engine = make_engine(url)
    try:
        found = [f"{table}: no row" for table, count in (await counts(engine)).items() if not count]
        for (table, name), wanted in WORDS.items():
            lost = set(wanted.split()) - await words(engine, table, name)
            found += [f"{table}.{name}: {each}" for each in sorted(lost)]
        async with engine.connect() as db:
            for table, where in STATES:
                query = text(f'SELECT 1 FROM "{table}" WHERE {where} LIMIT 1')  # noqa: S608 - same
                if (await db.execute(query)).first() is None:
                    found.append(f"{table}: {where}")
    finally:
        await engine.dispose()
    return found


async def wrote(url: str, actions: Iterable[str]) -> bool:
    """Whether the audit has all of these words."""
    engine = make_engine(url)
    try:
        return set(actions) <= await words(engine, "audit", "action")
    finally:
        await engine.dispose()
