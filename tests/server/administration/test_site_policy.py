"""A stored decision that this release cannot read: no start, no change, and a running house keeps its line."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from server.app.wiring import build
from server.audit.service.erasure import Erasure
from server.core.audit_entries import Actor
from server.core.errors import SitePolicyUnreadable
from server.core.site_policy import SnapshotPolicy
from server.core.sites import SiteStore
from server.doctor.checks import stored
from tests.lab.server import visio15
from tests.server.app.test_health import ended, environment, serve
from tests.server.line15.signed import Cti, secrets
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = {"launch_signature": "required", "colour": "red"}


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def write(house: Running, policy: object) -> None:
    """Write a policy as somebody does by hand."""
    async with house.server.transactions() as uow:
        await uow.connection.execute(
            text("UPDATE site SET policy = :policy WHERE key = 'rivage'"),
            {"policy": json.dumps(policy)},
        )
        await uow.commit()


async def column(house: Running) -> Any:
    async with house.server.transactions(write=False) as uow:
        query = text("SELECT policy FROM site WHERE key = 'rivage'")
        found = (await uow.connection.execute(query)).scalar_one()
    return json.loads(found) if isinstance(found, str) else found


async def test_a_running_house_keeps_its_line_and_does_not_start_again(house: Running) -> None:
    cti = await Cti.of(house)
    desk = await house.desk(await house.signed_in("regulator"))
    await write(house, UNKNOWN)
    event = cti.event("answered", caller="+33612345678", called="15", station="201")
    assert [result["status"] for result in await cti.tell(event)] == ["accepted"]
    view = await desk.hear("view")
    while not view["calls"] or view["line15"]["state"] != "connected":
        view = await desk.hear("view")
    await house.invite(desk)
    await house.desk(await house.signed_in("arm", None), station="202")
    assert await column(house) == UNKNOWN, "nothing was dropped"
    await house.server.stop()
    again = build(house.server.settings.model_copy(update={"port": 0}), house.clock)
    with pytest.raises(SitePolicyUnreadable, match=r"^rivage: 'colour'$"):
        await again.start()
    await again.stop()


async def test_no_command_changes_what_it_cannot_read(house: Running) -> None:
    await write(house, UNKNOWN)
    with pytest.raises(SitePolicyUnreadable, match=r"^rivage: 'colour'$"):
        await secrets(house).snapshots("rivage", SnapshotPolicy.STORE)
    erasure = Erasure(house.server.transactions, house.clock)
    with pytest.raises(SitePolicyUnreadable):
        await erasure.forget(Actor("cli", house.sites["rivage"].id), "06 12 34 56 78")
    assert await column(house) == UNKNOWN
    await write(house, {})
    await secrets(house).snapshots("rivage", SnapshotPolicy.STORE)
    assert await column(house) == {"snapshots": "store"}
    async with house.server.transactions(write=False) as uow:
        policy = (await SiteStore(uow).by_key("rivage")).policy
    assert policy.snapshots is SnapshotPolicy.STORE


async def test_the_doctor_names_it(house: Running) -> None:
    before = await stored(house.server.settings)
    await write(house, UNKNOWN)
    [bad] = [finding for finding in await stored(house.server.settings) if finding not in before]
    assert bad.level == "bad"
    assert bad.text == "site_policy_unreadable (rivage: 'colour')"


async def test_the_start_is_refused_in_one_sentence(tmp_path: Path) -> None:
    env = environment(tmp_path)
    await visio15("migrate", env=env)
    added = ("rivage", "SAMU", "--referent", "r@example.org", "--sms-sender", "SAMU15")
    await visio15("site", "add", *added, env=env)
    with closing(sqlite3.connect(tmp_path / "visio15.db")) as database, database:
        database.execute("UPDATE site SET policy = ?", (json.dumps(UNKNOWN),))
    status, said = await ended(serve(tmp_path, env))
    assert status == 3
    assert "Démarrage impossible. site_policy_unreadable (rivage: 'colour'): Lancez" in said
    assert "Traceback" not in said
