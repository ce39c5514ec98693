"""What a page went through, measured inside it: connections, frames, states of the picture, its own pulse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

_FRAMES = """async () => {
  let decoded = 0;
  for (const peer of window.__visio15?.peers ?? [])
    for (const [, row] of await peer.getStats())
      if (row.type === 'inbound-rtp' && row.kind === 'video') decoded += row.framesDecoded;
  return decoded;
}"""

_DIARY = """() => {
  const stage = document.querySelector('#stage');
  const video = document.querySelector('#patient');
  const diary = {frames: 0, last: performance.now(), states: [], pulse: performance.now(), gap: 0};
  window.__diary = diary;
  const frame = () => {
    diary.frames += 1;
    diary.last = performance.now();
    video.requestVideoFrameCallback(frame);
  };
  video.requestVideoFrameCallback(frame);
  const beat = () => {
    const now = performance.now();
    diary.gap = Math.max(diary.gap, now - diary.pulse);
    diary.pulse = now;
  };
  setInterval(beat, 100);
  new MutationObserver(() => {
    const state = stage.dataset.picture;
    if (state === diary.states.at(-1)?.state) return;
    beat();
    diary.states.push({state, at: performance.now(), age: performance.now() - diary.last, gap: diary.gap});
  }).observe(stage, {attributes: true, attributeFilter: ['data-picture']});
}"""


async def frames(page: Page) -> int:
    """How many frames this page has decoded on the connections it has now."""
    decoded: int = await page.evaluate(_FRAMES)
    return decoded


async def more_frames(page: Page, count: int = 5) -> None:
    """Wait until this page has decoded some more frames, from now on."""
    before = await frames(page)

    async def more() -> bool:
        return await frames(page) >= before + count

    await until(more, f"{count} more frames after {before} on {page.url}")


async def mark(page: Page) -> None:
    """Mark the page and its connections, to recognise them later."""
    await page.evaluate(
        "() => { window.__marked = true; for (const peer of window.__visio15?.peers ?? []) peer.marked = true; }"
    )


async def not_reloaded(page: Page) -> None:
    """Prove that the marked page is still the same document."""
    assert await page.evaluate("() => window.__marked === true"), f"{page.url} was loaded again"


async def unchanged(page: Page, *, peers: int) -> None:
    """Prove that the page was not loaded again, and that its connections are the marked ones."""
    found = await page.evaluate(
        """() => ({page: window.__marked === true,
                   peers: [...(window.__visio15?.peers ?? [])].map((peer) => peer.marked === true)})"""
    )
    assert found == {"page": True, "peers": [True] * peers}, f"{page.url}: {found}"


async def keep_diary(page: Page) -> None:
    """Let the desk note each state of the picture, with the age of the last frame at that moment."""
    await page.evaluate(_DIARY)


async def diary(page: Page) -> dict[str, Any]:
    """Read what was noted: `states` (each with `state`, `at`, `age`, `gap` in ms) and `frames`."""
    found: dict[str, Any] = await page.evaluate("() => window.__diary")
    return found


async def shown_within_a_second(page: Page) -> str:
    """Prove that the first state noted after "flowing" came within a second of the last frame (I6); return it.

    The page's own pulse was measured beside it: what the machine withheld from the whole page is not the product's.
    """
    states = (await diary(page))["states"]
    found = next((each for each in states if each["state"] != "flowing"), None)
    assert found, states
    starved = max(0, found["gap"] - 100)
    assert found["age"] <= 1000 + starved, found
    return str(found["state"])


async def hide(page: Page, *, hidden: bool = True) -> None:
    """Put the page in the background, as its own scripts see it, or bring it back."""
    await page.evaluate(
        """(hidden) => {
          const visibility = hidden ? 'hidden' : 'visible';
          Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
          Object.defineProperty(document, 'visibilityState', {value: visibility, configurable: true});
          document.dispatchEvent(new Event('visibilitychange'));
        }""",
        hidden,
    )


KEEP_SOCKETS = """(() => {
  const Real = window.WebSocket;
  window.__sockets = new Set();
  window.WebSocket = class extends Real {
    constructor(...args) { super(...args); window.__sockets.add(this); }
  };
})()"""


async def cut(page: Page) -> None:
    """Take the network from a page: its socket closes and no other opens; media go on."""
    await page.context.set_offline(True)
    await page.evaluate("() => { for (const socket of window.__sockets) socket.close(); }")


async def mend(page: Page) -> None:
    """Give it back."""
    await page.context.set_offline(False)


async def session_id(desk: Page) -> str:
    """The id of the newest session this desk lists."""
    found = await desk.get_attribute("#sessions li:first-child", "data-session")
    assert found
    return found
