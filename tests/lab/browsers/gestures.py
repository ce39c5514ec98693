"""The gestures of a person on a page, for the browsers Playwright cannot drive; named and meant as Playwright's are."""

from __future__ import annotations

import fnmatch
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from tests.lab.process import PATIENCE, until

_ELEMENT = (Path(__file__).with_name("probes") / "element.js").read_text()
# The names of keys, as WebDriver writes them.
KEYS = {
    "Alt": "\ue00a",
    "ArrowDown": "\ue015",
    "Backspace": "\ue003",
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "Tab": "\ue004",
}


class GoneError(Exception):
    """The document that was asked has been replaced by another one."""


class ScriptError(AssertionError):
    """A script threw in the page."""


class Tab(ABC):
    """One page: what a driver must give, and everything a person does made of it.

    Selectors are CSS, and may end with :has-text('words').
    """

    pointer: ClassVar[str] = "mouse"
    url: str = ""

    @abstractmethod
    async def goto(self, url: str) -> None:
        """Open an address, and return when it is loaded."""

    @abstractmethod
    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call a JavaScript function in the page with `arg`; return what it, or its promise, gives.

        Raises:
            GoneError: the page went elsewhere meanwhile.
            ScriptError: it threw.
        """

    @abstractmethod
    async def act(self, actions: list[dict[str, Any]]) -> None:
        """Perform actions of WebDriver: the events are the browser's own, with all that hangs on a gesture."""

    async def look(self, selector: str) -> dict[str, Any] | None:
        """What can be known of an element: text, value, attributes, whether it is visible, where to touch it."""
        try:
            found: dict[str, Any] | None = await self.evaluate(_ELEMENT, [selector])
        except GoneError:
            return None
        return found

    async def element(
        self,
        selector: str,
        good: Callable[[dict[str, Any]], bool],
        what: str,
        *,
        timeout: float = PATIENCE,
    ) -> dict[str, Any]:
        """Wait until an element is as it should be; return what is known of it."""
        last: list[dict[str, Any] | None] = [None]

        async def there() -> bool:
            last[0] = await self.look(selector)
            return last[0] is not None and good(last[0])

        await until(
            there, f"{what} {selector} on {self.url}", timeout=timeout, explain=lambda: str(last[0])
        )
        assert last[0] is not None
        return last[0]

    async def wait_for_selector(self, selector: str, *, timeout: float = PATIENCE) -> None:
        await self.element(selector, lambda found: found["visible"], "see", timeout=timeout)

    async def wait_for_hidden(self, selector: str, *, timeout: float = PATIENCE) -> None:
        async def hidden() -> bool:
            found = await self.look(selector)
            return found is None or not found["visible"]

        await until(hidden, f"{selector} hidden on {self.url}", timeout=timeout)

    async def wait_for_url(
        self, wanted: str | Callable[[str], bool], *, timeout: float = PATIENCE
    ) -> None:
        def matches(url: str) -> bool:
            return fnmatch.fnmatch(url, wanted) if isinstance(wanted, str) else wanted(url)

        async def there() -> bool:
            try:
                self.url, ready = await self.evaluate("() => [location.href, document.readyState]")
            except GoneError:
                return False
            return matches(self.url) and ready == "complete"

        await until(there, f"an address like {wanted}", timeout=timeout, explain=lambda: self.url)

    async def text_content(self, selector: str) -> str:
        return str((await self.element(selector, bool, "find"))["text"])

    async def input_value(self, selector: str) -> str:
        return str((await self.element(selector, bool, "find"))["value"])

    async def get_attribute(self, selector: str, name: str) -> str | None:
        found = await self.element(selector, bool, "find")
        value: str | None = found["attributes"].get(name)
        return value

    async def click(self, selector: str) -> None:
        """Press where the element is, once it can be: visible, enabled, under nothing else."""
        found = await self.element(selector, lambda found: bool(found["at"]), "press")
        x, y = found["at"]
        await self.act(
            [
                {
                    "type": "pointer",
                    "id": "finger",
                    "parameters": {"pointerType": self.pointer},
                    "actions": [
                        {"type": "pointerMove", "x": x, "y": y, "duration": 0},
                        {"type": "pointerDown", "button": 0},
                        {"type": "pointerUp", "button": 0},
                    ],
                }
            ]
        )

    async def tap(self, selector: str) -> None:
        await self.click(selector)

    async def fill(self, selector: str, text: str) -> None:
        """Type over what is in the field."""
        await self._focus(selector)
        await self._type(KEYS["Backspace"] + text)

    async def press(self, selector: str, key: str) -> None:
        await self._focus(selector)
        await self._type(KEYS[key])

    async def chord(self, keys: str) -> None:
        """Press keys together, such as "Alt+c", wherever the focus is."""
        names = [KEYS.get(name, name) for name in keys.split("+")]
        down = [{"type": "keyDown", "value": name} for name in names]
        up = [{"type": "keyUp", "value": name} for name in reversed(names)]
        await self.act([{"type": "key", "id": "hands", "actions": [*down, *up]}])

    async def select_option(self, selector: str, value: str) -> None:
        """Choose in a list: by its value, as no two browsers open the list the same way."""
        await self.element(selector, lambda found: found["visible"], "choose in")
        await self.evaluate(
            """([selector, value]) => {
              const list = document.querySelector(selector);
              list.value = value;
              list.dispatchEvent(new Event('input', {bubbles: true}));
              list.dispatchEvent(new Event('change', {bubbles: true}));
            }""",
            [selector, value],
        )

    async def _focus(self, selector: str) -> None:
        await self.element(selector, lambda found: bool(found["at"]), "type in")
        await self.evaluate(
            "([selector]) => { const field = document.querySelector(selector); field.focus(); field.select?.(); }",
            [selector],
        )

    async def _type(self, text: str) -> None:
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        await self.act([{"type": "key", "id": "hands", "actions": keys}])
