"""A session of another site is not there, whatever is asked of it (I7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from server.core.audit_entries import Actor
from server.core.errors import NotFound
from server.video.domain.session import InvitationOpened
from tests.server.house import a_video

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from server.video.service.sessions import Sessions
    from tests.server.house import House

ASKED: dict[str, Callable[[Sessions, Actor], Awaitable[object]]] = {
    "happen": lambda sessions, actor: sessions.happen("video1", InvitationOpened(), actor),
    "quit": lambda sessions, actor: sessions.quit(actor, "video1", "201"),
    "get": lambda sessions, actor: sessions.get(actor.site, "video1"),
    "refresh": lambda sessions, actor: sessions.refresh(actor.site, "video1"),
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
async def test_another_site_s_session_is_not_there(
    house: House, asked: Callable[[Sessions, Actor], Awaitable[object]]
) -> None:
    await a_video(house, call=None)
    before = await house.all_of("session")
    with pytest.raises(NotFound):
        await asked(house.server.sessions, Actor("desk", house.sites["montagne"].id))
    assert await house.all_of("session") == before
    await asked(house.server.sessions, Actor("desk", house.sites["rivage"].id))
