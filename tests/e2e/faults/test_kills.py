"""SIGKILL under load, a few times: the long storm is `python -m tests.kills`."""

from __future__ import annotations

import pytest

from tests.kills.storm import storm

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_nothing_acknowledged_is_lost_and_what_is_doubled_is_known(kind: str) -> None:
    damage = await storm(3, kind=kind)
    assert not damage.wrong, damage.text()
    assert damage.acknowledged > 0
    assert damage.doubled <= damage.sent_again


async def test_where_no_receipts_come_what_is_doubled_is_known() -> None:
    damage = await storm(2, receipts="none")
    assert not damage.wrong, damage.text()
    assert damage.doubled <= damage.sent_again == damage.in_doubt
