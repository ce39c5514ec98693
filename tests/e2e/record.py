"""What the audit says, asked as an auditor's program asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import APIRequestContext

    from tests.e2e.house import House


async def auditor(home: House, identifier: str = "auditeur") -> APIRequestContext:
    """Sign an auditor in, once a house; return what sends requests with that sign-in."""
    for client in home.browser.clients:
        if client.name == identifier:
            return client.context.request
    client = await home.browser.desk(identifier)
    await home.sign_in(await client.context.new_page(), identifier)
    return client.context.request


async def records(home: House, alias: str) -> list[dict[str, Any]]:
    """Every call that ever had this name, with everything."""
    asking = await auditor(home)
    answer = await asking.get(f"{home.url}/api/v1/calls", params={"alias": alias})
    assert answer.ok, await answer.text()
    found: list[dict[str, Any]] = (await answer.json())["calls"]
    assert all(one["chain"]["verified"] for one in found)
    return found


async def record_of_session(home: House, alias: str, session: str) -> dict[str, Any]:
    """The record of the one call with this name, which has this one session."""
    (found,) = await records(home, alias)
    assert [one["id"] for one in found["sessions"]] == [session]
    return found


async def verified(home: House) -> None:
    """`visio15 audit verify` finds the chain whole."""
    said = await home.server.cli("audit", "verify")
    for line in said.splitlines():
        assert line.endswith("whole"), said
