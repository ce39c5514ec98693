"""The storm: desks invite, the server is killed again and again, and in the end everything is counted."""

from __future__ import annotations

import asyncio
import json
import random
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from server.core.tasks import cancel_and_wait, create_task
from server.storage.engine import make_engine
from tests.bench.house import house
from tests.kills.carrier import Carrier, carrier
from tests.kills.desks import Desk
from tests.lab.postgres import postgres
from tests.lab.process import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.bench.house import House

STATIONS = ("1601", "1602", "1603", "1604")
UP = (0.2, 2.0)  # seconds it lives
PATIENCE = 90.0  # seconds until the last message must have left
STAYED = "SELECT count(*) FROM message WHERE state = 'queued' OR asked IS NOT NULL"
MESSAGES = """
SELECT s.id AS session, s.command, i.id AS invitation, m.id AS message, m.history, m.state
FROM session s LEFT JOIN invitation i ON i.session = s.id LEFT JOIN message m ON m.invitation = i.id
"""
ORPHANS = """
SELECT (SELECT count(*) FROM message m WHERE m.invitation IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM invitation i WHERE i.id = m.invitation))
     + (SELECT count(*) FROM invitation i WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.id = i.session))
     + (SELECT count(*) FROM session s WHERE NOT EXISTS (SELECT 1 FROM session_link l WHERE l.session = s.id))
"""


@dataclass
class Damage:
    """What came of it; `wrong` is empty when nothing was lost, and each doubled message is known."""

    kills: int
    acknowledged: int = 0
    sent: int = 0
    doubled: int = 0
    in_doubt: int = 0
    sent_again: int = 0
    wrong: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Say it in a line."""
        return (
            f"{self.kills} kills, {self.acknowledged} invitations acknowledged, {self.sent} SMS taken by the carrier; "
            f"in doubt {self.in_doubt}, sent again {self.sent_again}, doubled {self.doubled}; "
            + ("; ".join(self.wrong) or "nothing lost, every link the same")
        )


@asynccontextmanager
async def database(kind: str) -> AsyncIterator[str | None]:
    """Give an empty database's URL; None: the house makes a file of its own."""
    if kind == "sqlite":
        yield None
        return
    async with postgres(durable=True) as cluster:
        yield cluster.create("kills")


async def storm(
    kills: int, *, kind: str = "sqlite", receipts: str = "repeated", seed: int = 15
) -> Damage:
    """Kill the server so often under load; return what that did."""
    chance = random.Random(seed)
    async with database(kind) as url, carrier(receipts, chance) as gateway:
        extra = {
            "VISIO15_DEMO": "false",  # which sends nothing
            "VISIO15_SMS": json.dumps(gateway.settings()),
            "VISIO15_SMS_LIMITS": json.dumps({"site_hour": 0, "number_hour": 0}),
        }
        async with house(stations=STATIONS, extra=extra, database=url) as home:
            desks = [
                Desk(home.url, home.signed_in(station=station), station, 100_000 * n, chance)
                for n, station in enumerate(STATIONS, 1)
            ]
            working = [create_task(desk.work(), f"kills.desk.{desk.name}") for desk in desks]
            try:
                for _ in range(kills):
                    await asyncio.sleep(chance.uniform(*UP))
                    home.server.kill()
                    await home.server.start()
                for desk in desks:
                    desk.stopping = True
                async with asyncio.timeout(PATIENCE):
                    await asyncio.gather(*working)
            finally:
                await cancel_and_wait(*working)
            return await _counted(Damage(kills), home, gateway, desks)


async def _counted(damage: Damage, home: House, gateway: Carrier, desks: list[Desk]) -> Damage:
    engine = make_engine(home.server.env["VISIO15_DATABASE"])
    try:

        async def ask(query: str) -> list[Any]:
            async with engine.connect() as connection:
                return list((await connection.execute(text(query))).mappings())

        async def none_waits() -> bool:
            [row] = await ask(STAYED)
            return not any(row.values())

        await until(none_waits, "the last message leaves", timeout=PATIENCE)
        rows, [orphans] = await ask(MESSAGES), await ask(ORPHANS)
    finally:
        await engine.dispose()
    _check(damage, rows, gateway.copies(), desks)
    if any(orphans.values()):
        damage.wrong.append(f"orphans: {dict(orphans)}")
    verdict = await home.server.cli("audit", "verify")
    damage.wrong += [line for line in verdict.splitlines() if not line.endswith("whole")]
    return damage


def _check(
    damage: Damage, rows: list[Any], copies: dict[str, list[str]], desks: list[Desk]
) -> None:
    """Compare what was acknowledged, what is stored, and what the carrier took."""
    acknowledged = {number: desk for desk in desks for number in desk.acknowledged}
    damage.acknowledged, damage.sent = len(acknowledged), sum(map(len, copies.values()))
    known = {row["session"]: row for row in rows}
    commands = [row["command"] for row in rows]
    if len(commands) != len(set(commands)):
        damage.wrong.append("a command made two sessions")
    told: set[str] = set()
    for number, desk in acknowledged.items():
        row = known.get(desk.acknowledged[number])
        texts = copies.get(number, [])
        if row is None or row["message"] is None or not texts:
            damage.wrong.append(f"lost: {number}")
            continue
        if len(set(texts)) != 1:
            damage.wrong.append(f"two links: {number}")
        outcomes = _outcomes(row["history"])
        damage.in_doubt += outcomes.count("in_doubt")
        damage.sent_again += outcomes.count("sent_again")
        if outcomes.count("sent_again"):
            told.add(number)
    doubled = {number for number, texts in copies.items() if len(texts) > 1}
    damage.doubled = sum(len(copies[number]) - 1 for number in doubled)
    if unknown := sorted(doubled - told):
        damage.wrong.append(f"doubled and not told: {', '.join(unknown[:5])} ({len(unknown)})")


def _outcomes(history: Any) -> list[str]:
    steps = json.loads(history) if isinstance(history, str) else history
    return [step["outcome"] for step in steps]
