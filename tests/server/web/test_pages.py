"""What every page is made of."""

from __future__ import annotations

import re
from pathlib import Path
from posixpath import dirname, normpath

import pytest

from server.core.resources import root
from server.web.pages import Pages


@pytest.mark.parametrize("script", ["caller/main", "desk/main", "selftest/main"])
def test_a_page_asks_at_once_for_every_module_it_needs(script: str) -> None:
    """One by one, each import would cost the caller another turn over a slow network."""
    named = Pages(root()).modules(script)
    for name in (script, *named):
        source = (root() / "static" / "js" / f"{name}.js").read_text()
        needed = re.findall(r"""from ['"](\.[\w./]+)\.js['"]""", source)
        assert {normpath(f"{dirname(name) or '.'}/{one}") for one in needed} <= set(named), name
    assert script not in named


def test_modules_that_are_loaded_later_are_not_asked_for_with_the_page(tmp_path: Path) -> None:
    js = tmp_path / "static" / "js"
    for folder in ("page", "lib/deep"):
        (js / folder).mkdir(parents=True)
    (js / "page/main.js").write_text(
        'import { a } from "../lib/a.js";\nimport { d } from "./d.js";\n'
        'const later = () => import("./late.js");\n'
    )
    (js / "lib/a.js").write_text(
        'import {\n  b,\n} from "./deep/b.js";\nexport { c } from "../c.js";\n'
    )
    for name in ("lib/deep/b", "c", "page/d"):
        (js / f"{name}.js").write_text("export const x = 1;\n")
    pages = Pages.__new__(Pages)
    pages.static = tmp_path / "static"
    assert pages.modules("page/main") == ("c", "lib/a", "lib/deep/b", "page/d")
