"""What every page is made of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from server.resources import root
from server.web.pages import Pages


@pytest.mark.parametrize("script", ["caller", "desk"])
def test_a_page_asks_at_once_for_every_module_it_needs(script: str) -> None:
    """One by one, each import would cost the caller another turn over a slow network."""
    named = Pages(root()).modules(script)
    for name in (script, *named):
        source = (root() / "static" / "js" / f"{name}.js").read_text()
        needed = re.findall(r"""from ['"]\./([\w.]+)['"]""", source)
        assert {one.removesuffix(".js") for one in needed} <= set(named), name
    assert script not in named


def test_modules_that_are_loaded_later_are_not_asked_for_with_the_page(tmp_path: Path) -> None:
    js = tmp_path / "static" / "js"
    js.mkdir(parents=True)
    (js / "page.js").write_text(
        'import { a } from "./a.js";\nconst later = () => import("./late.js");\n'
    )
    (js / "a.js").write_text('import {\n  b,\n} from "./b.js";\nexport { c } from "./c.js";\n')
    for name in "bc":
        (js / f"{name}.js").write_text("export const x = 1;\n")
    pages = Pages.__new__(Pages)
    pages.static = tmp_path / "static"
    assert pages.modules("page") == ("a", "b", "c")
