"""A tired hand holds a key: whatever it does is done once, on every key and every button of the desk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.house import House, house
from tests.lab.process import until

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.e2e

#: From now on the page keeps what its sockets say on a person's demand, and every click.
_LISTEN = """() => {
  const send = WebSocket.prototype.send;
  window.__said = [];
  window.__clicked = [];
  WebSocket.prototype.send = function (frame) {
    const {type} = typeof frame === 'string' ? JSON.parse(frame) : {};
    if (type && !/^(media|signal|hello|ping|station\\.list|help\\.point)/.test(type)) window.__said.push(type);
    return send.call(this, frame);
  };
  document.addEventListener('click', ({target}) => {
    window.__clicked.push(target.closest('button, summary, a')?.id ?? target.id ?? target.tagName);
  }, {capture: true});
}"""
#: What was said and clicked since the last time, once the page has drawn; what lies over the page is closed.
_TAKE = """async () => {
  for (let i = 0; i < 3; i += 1) await new Promise(requestAnimationFrame);
  const told = {said: window.__said.splice(0), clicked: window.__clicked.splice(0)};
  document.querySelector('#pick[open] #pick-later')?.click();
  for (const one of document.querySelectorAll('dialog[open]')) one.close();
  if (document.fullscreenElement) await document.exitFullscreen().catch(() => undefined);
  document.activeElement?.blur();
  window.__clicked.length = 0;
  return told;
}"""
_KEYS = "() => [...document.querySelectorAll('#keys kbd + kbd')].map((kbd) => kbd.textContent)"
_BUTTONS = """() => [...document.querySelectorAll('button[id]')]
  .filter((one) => one.checkVisibility() && !one.disabled && one.id !== 'end').map((one) => one.id)"""
#: A dialog that the button before has opened only when the server had answered is closed.
_FOCUS = """(id) => {
  document.querySelector('#pick[open] #pick-later')?.click();
  for (const one of document.querySelectorAll('dialog[open]')) one.close();
  const button = document.getElementById(id);
  button.focus();
  window.__clicked.length = 0;
  return document.activeElement === button;
}"""
_PRESSED = "(id) => document.getElementById(id).getAttribute('aria-pressed')"
REPEATS = 5  # with the press an even number: what is done and undone each time would stay as it was


async def hold(desk: Page, key: str) -> None:
    """As the system does: down again and again, marked as repeats, then up."""
    for _ in range(1 + REPEATS):
        await desk.keyboard.down(key)
    await desk.keyboard.up(key)


async def test_a_held_key_acts_once_everywhere_on_the_desk() -> None:
    async with house() as home:
        desk = await home.desk()
        await home.film(desk)
        await desk.evaluate(_LISTEN)
        await what_opens_and_closes(desk)
        await every_button(desk)
        await every_letter(desk)
        await what_is_typed(home, desk)


def twice(said: list[str]) -> bool:
    return len(set(said)) < len(said)


async def focus(desk: Page, button: str) -> None:
    async def there() -> bool:
        return bool(await desk.evaluate(_FOCUS, button))

    await until(there, f"{button} has the keyboard")


async def every_letter(desk: Page) -> None:
    letters = sorted(
        await desk.evaluate(_KEYS), key="C".__eq__
    )  # a code read aloud is another session
    assert {"M", "B", "V", "W", "2"} < set(letters)
    sound = await desk.evaluate(_PRESSED, "sound")
    told: dict[str, Any] = {}
    for letter in (one for one in letters if one != "X"):
        await desk.keyboard.down("Alt")
        await hold(desk, letter.lower())
        await desk.keyboard.up("Alt")
        told[letter] = await desk.evaluate(_TAKE)
    assert {key: each for key, each in told.items() if twice(each["said"])} == {}
    assert sum(len(each["said"]) for each in told.values()) > 1
    assert await desk.evaluate(_PRESSED, "sound") != sound


async def every_button(desk: Page) -> None:
    buttons = await desk.evaluate(_BUTTONS)
    buttons.sort(key="spoken-open".__eq__)
    assert {"freeze", "turn", "messages-open", "sound", "theme", "change-call"} < set(buttons)
    wrong, pressed = [], set[str]()
    for key in ("Enter", " "):
        for button in buttons:
            one = desk.locator(f"#{button}")
            if not await one.is_enabled() or not await one.is_visible():
                continue
            await focus(desk, button)
            await hold(desk, key)
            told = await desk.evaluate(_TAKE)
            pressed.update(told["clicked"])
            if len(told["clicked"]) > 1 or twice(told["said"]):
                wrong.append((key, button, told))
    assert wrong == []
    assert {"freeze", "turn", "messages-open", "sound", "theme", "change-call"} < pressed


async def what_opens_and_closes(desk: Page) -> None:
    """The repeats of the key that opened or closed something are nobody's."""
    await hold(desk, "?")
    assert await desk.evaluate("() => document.querySelector('#help').open")
    await hold(desk, "Escape")
    assert not await desk.evaluate("() => document.querySelector('#help').open")
    await desk.fill("#mobile", "")
    await desk.focus("#mobile")
    await desk.keyboard.press("Alt+m")
    await desk.evaluate("() => document.querySelector('#messages-open').click()")
    await hold(desk, "1")
    assert (await desk.evaluate(_TAKE))["said"].count("help.message") == 1
    assert await desk.input_value("#mobile") == ""
    await desk.keyboard.down("Alt")
    await desk.keyboard.down("m")
    await desk.keyboard.up(
        "Alt"
    )  # first, and the letter is still held in the field that has the focus now
    await hold(desk, "m")
    assert await desk.evaluate("() => document.activeElement.id") == "mobile"
    assert await desk.input_value("#mobile") == ""


async def what_is_typed(home: House, desk: Page) -> None:
    """In a field a held key writes, and deletes; Enter sends once."""
    await desk.focus("#mobile")
    await hold(desk, "0")
    assert await desk.input_value("#mobile") == "0" * (1 + REPEATS)
    await hold(desk, "Backspace")
    assert await desk.input_value("#mobile") == ""
    await desk.fill("#mobile", "+33698765432")
    await hold(desk, "Enter")
    await home.sms_link("+33698765432")
    assert (await desk.evaluate(_TAKE))["said"].count("invite") == 1
