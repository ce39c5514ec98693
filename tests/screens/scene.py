"""A film for Chromium's fake camera: Chromium's own green disc says nothing to a reader of the docs."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.async_api import async_playwright

from tests.lab.browsers.browser import CHROMIUM, FLAGS

WIDTH, HEIGHT, FRAMES = 480, 640, 30
_FRAME = Path(__file__).with_name("scene.js").read_text()


async def film(path: Path) -> str:
    """Draw the film (YUV4MPEG2) and return the flag that puts it before the cameras."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        page = await chromium.new_page()
        with path.open("wb") as file:
            file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F15:1 Ip A1:1 C420jpeg\n".encode())
            for number in range(FRAMES):
                drawn = await page.evaluate(_FRAME, [WIDTH, HEIGHT, number / FRAMES])
                file.write(b"FRAME\n" + base64.b64decode(drawn))
        await chromium.close()
    return f"--use-file-for-fake-video-capture={path}"
