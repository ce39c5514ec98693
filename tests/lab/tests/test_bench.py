"""The bench must not rot: every figure can be taken, at sizes that measure nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.bench.__main__ import FIGURES, arguments, measure, sizes_of
from tests.bench.results import QUICK, Sizes, keep

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab


def test_sizes_are_what_was_asked_for() -> None:
    assert sizes_of(arguments(["--calls", "1000000"])).calls == 1_000_000
    assert sizes_of(arguments(["--quick"])) == QUICK
    assert sizes_of(arguments([])) == Sizes()
    assert arguments(["invite", "relay"]).figures == ["invite", "relay"]


#: Those with browsers are the reference procedure's, the feed's, the page's and the networks' own tests, elsewhere.
WITH_BROWSERS = {
    *("first_frame", "call_shown", "caller_page"),
    *("first_frame_networks", "address_change", "narrow_networks", "no_socket"),
}


@pytest.mark.parametrize("name", [name for name in FIGURES if name not in WITH_BROWSERS])
async def test_a_figure_is_taken_beside_its_floor_and_kept(name: str, tmp_path: Path) -> None:
    results = await measure([name], QUICK)

    for result in results:
        assert result.lost == 0, result
        assert result.product.n, result
        assert result.floor.n, result
        assert result.name in "\n".join(result.rows())
    kept = json.loads(keep(results, tmp_path).read_text())
    assert [each["name"] for each in kept["results"]] == [result.name for result in results]
