"""What the caller's page costs before the tap, what it leaves behind, and how a browser gives its link back."""

from __future__ import annotations

import gzip
import re
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.databases import Furnished

LIMIT = 60_000
HOURS = 6


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


async def invited(house: Running) -> str:
    desk = await house.desk(await house.signed_in("regulator"))
    await house.invite(desk)
    [token] = await house.tokens()
    return token


@pytest.mark.parametrize("language", ["fr", "ar"])
async def test_the_page_weighs_less_than_sixty_kilobytes(house: Running, language: str) -> None:
    """Everything asked for before the tap, compressed: document, styles, modules, pictograms."""
    token = await invited(house)
    page = await house.browser().get(f"/v/{token}?lang={language}")
    html = page.body.decode()
    assets = sorted(set(re.findall(r'(?:href|src|content)="(/static/[^"#]+)', html)))
    assert any("js/caller/main.js" in path for path in assets)
    weights = {"the page": len(gzip.compress(page.body, 6, mtime=0))}
    for path in assets:
        answer = await house.browser().get(path)
        assert answer.code == 200, path
        weights[path] = len(gzip.compress(answer.body, 6, mtime=0))
    assert sum(weights.values()) <= LIMIT, weights
    print(sum(weights.values()), "bytes in", len(weights), "requests")  # noqa: T201


async def test_the_page_leaves_one_short_cookie_and_is_never_stored(house: Running) -> None:
    token = await invited(house)
    page = await house.browser().get(f"/v/{token}")
    assert page.headers["Cache-Control"] == "no-store"
    kept: SimpleCookie = SimpleCookie()
    for line in page.headers.get_list("Set-Cookie"):
        kept.load(line)
    assert set(kept) == {"_xsrf", "v15_browser"}
    assert not kept["_xsrf"]["max-age"], "it ends with the browser"
    assert 0 < int(kept["v15_browser"]["max-age"]) <= HOURS * 3600
    assert not any(cookie["expires"] for cookie in kept.values())


async def test_only_the_bound_browser_gives_a_link_back(house: Running) -> None:
    token = await invited(house)
    phone = await house.tapped(token)
    socket = await house.caller(token, phone)
    stranger = await house.tapped_elsewhere(token)
    assert (await stranger.post_json(f"/v/{token}/release", {})).code == 409
    assert (await phone.post_json(f"/v/{token}/release", {})).code == 200
    assert await socket.closed() == (4409, "open_elsewhere")
    # Once free it is as before the first tap: whoever taps first has it, and the other reads "elsewhere".
    assert (await stranger.post_json(f"/v/{token}/tap", {})).code == 200
    assert (await phone.post_json(f"/v/{token}/release", {})).code == 409
    assert (await phone.post_json(f"/v/{token}/tap", {})).code == 409
    actions = [row["action"] for row in await house.rows("SELECT action FROM audit ORDER BY seq")]
    assert actions.count("invitation.released") == 1


async def test_a_link_that_nobody_could_take_any_more_is_not_given_back(house: Running) -> None:
    token = await invited(house)
    phone = await house.tapped(token)
    house.clock.pass_(hours=2)
    assert (await phone.post_json(f"/v/{token}/release", {})).code == 200
    assert (await phone.get(f"/v/{token}")).code == 200, "still bound to this browser"
