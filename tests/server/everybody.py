"""A desk, a caller and an observer of one video, each in place, and how each would greet again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.server.observers.test_observers import invite, joined, links, looks

if TYPE_CHECKING:
    from tests.server.house import Browser
    from tests.server.running import Page, Running


@dataclass(frozen=True)
class Everybody:
    """The pages, their browsers, and what each says first."""

    session: str
    desk: Page
    caller: Page
    observer: Page
    browsers: dict[str, Browser]
    hellos: dict[str, dict[str, str]]


async def everybody(house: Running) -> Everybody:
    """Bring all of them together."""
    regulator = await house.signed_in("regulator")
    desk = await house.desk(regulator)
    session = await house.invite(desk)
    await desk.say("session.watch", id="command-0002", session=session)
    await desk.hear("done", id="command-0002")
    [token] = await house.tokens()
    phone = await house.tapped(token)
    caller = await house.caller(token, phone)
    await invite(desk, session)
    [eye] = await links(house)
    eyes = await joined(house, eye)
    observer = await looks(house, eye, eyes)
    await observer.hear("participants")
    return Everybody(
        session,
        desk,
        caller,
        observer,
        {"desk": regulator, "caller": phone, "observer": eyes, "selftest": regulator},
        {
            "desk": {"peer": "desk-peer-1", "watch": session},
            "caller": {"token": token, "page": "phone-page-1"},
            "observer": {"token": eye, "page": "observer-page-1"},
            "selftest": {},
        },
    )
