"""Real browsers: Chromium with a fake, moving camera, and proofs about what its pages show."""

from __future__ import annotations

import os
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from playwright.async_api import async_playwright

from tests.lab.process import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from playwright.async_api import Browser as PlaywrightBrowser
    from playwright.async_api import BrowserContext, ConsoleMessage, Page, Playwright, Request

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--use-fake-device-for-media-stream=device-count=3,fps=30",
)
LOOPBACK_FLAGS = ("--allow-loopback-in-peer-connection",)
DESK = {"width": 1366, "height": 768}
IPAD = "iPad (gen 7)"
PIXEL = "Pixel 7"
WEB_SCHEMES = {"http", "https", "ws", "wss"}


def _probe(name: str) -> str:
    return (Path(__file__).with_name("probes") / f"{name}.js").read_text()


_SAMPLE = _probe("sample")

_AUDIO = _probe("audio")

_WATCH = _probe("watch")

_REFLOW = _probe("reflow")

#: Two frames, or false after so many seconds. They are counted one by one: after a machine stood still,
#: a single timer would end before the first frame.
_DRAWN = """(seconds) => new Promise((done) => {
  const end = (drawn) => { clearInterval(counting); done(drawn); };
  const counting = setInterval(() => { if (!--seconds) end(false); }, 1000);
  requestAnimationFrame(() => requestAnimationFrame(() => end(true)));
})"""
DRAWN_SECONDS = 20


class Asked(Protocol):
    """A page in any browser, as far as the proofs below need it."""

    @property
    def url(self) -> str: ...

    async def evaluate(self, expression: str, arg: Any = None) -> Any: ...


@dataclass
class Client:
    """One person's browser: a context of its own, and everything it complained about."""

    context: BrowserContext
    name: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    sockets: list[str] = field(default_factory=list)
    allowed: list[re.Pattern[str]] = field(default_factory=list)

    async def open(self, url: str) -> Page:
        """Open a page in a new tab."""
        page = await self.context.new_page()
        await page.goto(url)
        return page

    def allow(self, pattern: str) -> None:
        """Expect a console message or page error that matches, such as the 403 a test provokes."""
        self.allowed.append(re.compile(pattern))

    def assert_clean(self, origin: str | None = None) -> None:
        """Fail on console errors, page errors, and requests that left `origin` (default: the first page's)."""
        left = [text for text in self.problems if not any(p.search(text) for p in self.allowed)]
        assert not left, f"{self.name} complained: {left}"
        origins = {
            _origin(url)
            for url in self.requests + self.sockets
            if urlsplit(url).scheme in WEB_SCHEMES
        }
        expected = (
            _origin(origin) if origin else next(iter([_origin(url) for url in self.requests]), "")
        )
        assert origins <= {expected}, (
            f"{self.name} left its origin {expected}: {origins - {expected}}"
        )

    def _watch(self, page: Page) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.problems.append(f"console: {message.text} ({message.location.get('url', '')})")

        def request(sent: Request) -> None:
            self.requests.append(sent.url)

        page.on("console", console)
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("crash", lambda _page: self.problems.append("the page crashed"))
        page.on("request", request)
        page.on("websocket", lambda socket: self.sockets.append(socket.url))


def _origin(url: str) -> str:
    parts = urlsplit(url)
    scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}"


@dataclass
class Browser:
    """A running Chromium."""

    playwright: Playwright
    chromium: PlaywrightBrowser
    clients: list[Client] = field(default_factory=list)

    async def client(self, name: str, *, camera: bool = True, **options: Any) -> Client:
        """Open a context; `camera` grants the camera (never the microphone), otherwise the page is refused."""
        options.setdefault("ignore_https_errors", True)
        context = await self.chromium.new_context(
            permissions=["camera"] if camera else [], **options
        )
        context.set_default_timeout(PATIENCE * 1000)
        await context.add_init_script(_WATCH)
        client = Client(context, name)
        context.on("page", client._watch)
        self.clients.append(client)
        return client

    async def desk(self, name: str = "desk", *, camera: bool = True, **options: Any) -> Client:
        """Open a regulator's PC, 1366×768, in French, dark."""
        return await self.client(
            name,
            camera=camera,
            viewport=DESK,
            **{
                "locale": "fr-FR",
                "timezone_id": "Europe/Paris",
                "color_scheme": "dark",
                **options,
            },
        )

    async def caller(
        self, device: str = PIXEL, *, camera: bool = True, locale: str = "fr-FR", **options: Any
    ) -> Client:
        """Open a caller's phone (PIXEL) or tablet (IPAD), in the language of its owner."""
        shape = {**self.playwright.devices[device]}
        shape.pop("default_browser_type", None)
        return await self.client(device, camera=camera, **{**shape, "locale": locale, **options})

    def assert_clean(self, origin: str | None = None) -> None:
        for client in self.clients:
            client.assert_clean(origin)


@asynccontextmanager
async def browser(
    *flags: str, loopback_media: bool = False, executable: Path | str = CHROMIUM
) -> AsyncIterator[Browser]:
    """Run Chromium.

    Args:
        flags: further command line flags.
        executable: what starts it, when that is not Chromium itself.
        loopback_media: let peer connections use the loopback interface (outside scripts/netns).
    """
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=executable,
            args=[*FLAGS, *(LOOPBACK_FLAGS if loopback_media else ()), *flags],
        )
        try:
            running = Browser(playwright, chromium)
            yield running
        finally:
            await chromium.close()


async def moving_picture(
    page: Asked, selector: str = "video", *, timeout: float = PATIENCE, gap: float = 0.25
) -> tuple[int, int]:
    """Prove by decoded pixels that the <video> shows a moving picture that is not black; return its size."""
    last: list[Any] = [None]

    async def moving() -> bool:
        last[0] = await page.evaluate(_SAMPLE, [selector, int(gap * 1000)])
        return bool(last[0] and last[0]["light"] > 8 and last[0]["changed"] > 10)

    await until(
        moving,
        f"a moving picture in {selector} of {page.url}",
        timeout=timeout,
        explain=lambda: f"last sample: {last[0]} (None: no decoded frame at all)",
    )
    return last[0]["width"], last[0]["height"]


async def still_or_gone(
    page: Asked, selector: str = "video", *, timeout: float = PATIENCE, gap: float = 0.5
) -> None:
    """Prove that the <video> is gone, empty, or does not move any more."""

    async def still() -> bool:
        sample = await page.evaluate(_SAMPLE, [selector, int(gap * 1000)])
        return sample is None or sample["changed"] == 0

    await until(still, f"no moving picture in {selector} of {page.url}", timeout=timeout)


async def no_audio(page: Asked, *, peers: int | None = None) -> None:
    """Prove invariant I1, no sound, on a page.

    No transceiver, sender, receiver, SDP line, statistics row or played track of audio, no data channel,
    and the page never asked for a microphone. The page exposes its connections as `window.__visio15.peers`,
    an iterable.

    Args:
        page: the page.
        peers: how many connections there must be; by default at least one.
    """
    result = await page.evaluate(_AUDIO)
    if peers is None:
        assert result["peers"] > 0, (
            f"{page.url} exposes no peer connection in window.__visio15.peers"
        )
    else:
        assert result["peers"] == peers, (
            f"{page.url} has {result['peers']} peer connections, not {peers}"
        )
    assert not result["found"], f"sound on {page.url}: {result['found']}"


async def open_cameras(page: Asked) -> int:
    """Return how many tracks the page was given by a camera are still live (camera light on)."""
    live: int = await page.evaluate(
        "() => window.__labTracks.filter((track) => track.readyState === 'live').length"
    )
    return live


async def candidate_types(page: Page) -> set[str]:
    """Return the local candidate types of the pairs in use, such as "host" or "relay"."""
    types: list[str] = await page.evaluate(
        """async () => {
          const out = [];
          for (const peer of (window.__visio15 && window.__visio15.peers) || []) {
            const stats = await peer.getStats();
            for (const [, row] of stats)
              if (row.type === 'transport' && row.selectedCandidatePairId)
                out.push(stats.get(stats.get(row.selectedCandidatePairId).localCandidateId).candidateType);
          }
          return out;
        }"""
    )
    return set(types)


async def axe(
    page: Page,
    *,
    impacts: Sequence[str] = ("serious", "critical"),
    rules: Sequence[str] = (),
) -> list[str]:
    """Run axe-core; return what it finds of these impacts, one line each (rule, help, the elements).

    Args:
        page: the page.
        impacts: the impacts that count.
        rules: these rules only, even those that are off by default.
    """
    source = (ROOT / "node_modules/axe-core/axe.min.js").read_text()
    await page.evaluate(
        f"() => {{ const module = undefined, exports = undefined, define = undefined;\n{source}\n}}"
    )
    only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    report = await page.evaluate(
        "(only) => window.axe.run(document, {resultTypes: ['violations'], ...only})", only
    )
    return [
        f"{found['id']} ({found['impact']}): {found['help']}: "
        + "; ".join(" ".join(map(str, node["target"])) for node in found["nodes"])
        for found in report["violations"]
        if found["impact"] in impacts
    ]


async def resize(page: Page, width: int, height: int) -> None:
    """Give the window this size, and wait until the page is drawn at it.

    Once, after several sizes within one frame, headless Chromium seemed to draw nothing more: a click waited for ever.
    So a size is drawn before the next one is given, and a page that is not drawn is named here.
    """
    await page.set_viewport_size({"width": width, "height": height})
    drawn = await page.evaluate(_DRAWN, DRAWN_SECONDS)
    assert drawn, f"{page.url} drew nothing for {DRAWN_SECONDS} s at {width}×{height}"


async def unreachable(page: Page, part: str | None = None) -> list[str]:
    """Return what of the page, its dialog or a part nobody can read or use by scrolling up and down, a line each."""
    found: list[str] = await page.evaluate(_REFLOW, part)
    return found


async def screenshot(page: Page, name: str, *, full_page: bool = False) -> Path | None:
    """Take a picture for the docs, only when asked for (make screenshots does)."""
    folder = os.environ.get("LAB_SCREENSHOTS")
    if not folder:
        return None
    path = Path(folder) / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=path, full_page=full_page, animations="disabled")
    return path
