"""`make notice`: prints docs/notice-fr/notice.html to the one A4 page beside it, with headless Chromium.

Usage: scripts/notice
"""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from tests.lab.browsers.browser import browser
from tests.lab.server import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "docs" / "notice-fr"
SOURCE, PRINTED = FOLDER / "notice.html", FOLDER / "notice.pdf"


async def printed(target: Path) -> None:
    """Print the notice; fail when a picture or a font of it is missing."""
    async with browser("--font-render-hinting=none") as chromium:
        page = await (await chromium.desk("printer")).open(SOURCE.as_uri())
        await page.emulate_media(media="print")
        missing = await page.evaluate(
            """async () => {
              await document.fonts.ready;
              const fonts = [...document.fonts].filter((font) => font.status !== 'loaded');
              const images = [...document.images].filter((image) => !image.naturalWidth);
              return [...fonts.map((font) => font.weight), ...images.map((image) => image.src)];
            }"""
        )
        assert not missing, missing
        await page.pdf(path=target, prefer_css_page_size=True, print_background=True, tagged=True)


if __name__ == "__main__":
    asyncio.run(printed(PRINTED))
    sys.stdout.write(f"{PRINTED.relative_to(ROOT)}: {PRINTED.stat().st_size // 1024} kB\n")
