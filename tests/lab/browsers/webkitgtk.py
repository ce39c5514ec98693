"""WebKit, the engine of Safari, as Debian has it: pages, sockets and a mock camera; it makes no peer connections.

The camera has two sides, as a phone's. One person at a time: WebKitWebDriver holds one session.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

from tests.lab.browsers.gestures import GoneError, ScriptError, Tab
from tests.lab.ports import free_port, tcp_port_open
from tests.lab.process import PATIENCE, own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIBRARIES = Path("/usr/lib")
DRIVER = "/usr/bin/WebKitWebDriver"
ARGUMENTS = ["--automation", "--enable-mock-capture-devices=true"]
# What the driver answers when a document goes while it is asked.
GONE = {"no such window", "no such frame", "stale element reference", "unknown error"}


@dataclass
class WebKitTab(Tab):
    """The page of the one person."""

    driver: str
    session: str = ""

    async def goto(self, url: str) -> None:
        await self.ask("POST", "/url", {"url": url})
        self.url = url

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        script = f"return ({expression})(arguments[0])"
        return await self.ask("POST", "/execute/sync", {"script": script, "args": [arg]})

    async def act(self, actions: list[dict[str, Any]]) -> None:
        await self.ask("POST", "/actions", {"actions": actions})

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a command of WebDriver to the session; return its value."""
        answer = await AsyncHTTPClient().fetch(
            HTTPRequest(
                f"{self.driver}/session{self.session}{path}",
                method=method,
                body=None if body is None else json.dumps(body),
                headers={"Content-Type": "application/json"},
                request_timeout=PATIENCE,
            ),
            raise_error=False,
        )
        value = json.loads(answer.body)["value"]
        if answer.code == 200:
            return value
        words = f"{path}: {value['error']}: {value['message']}"
        if value["error"] in GONE:
            raise GoneError(words)
        if value["error"] == "javascript error":
            raise ScriptError(words)
        raise AssertionError(words)


def mini_browser() -> str:
    """Where Debian puts the small browser that comes with the library, on any machine."""
    found = sorted(LIBRARIES.glob("*/webkit2gtk-4.1/MiniBrowser"))
    assert found, "MiniBrowser is missing (Debian package libwebkit2gtk-4.1-0)"
    return str(found[0])


@asynccontextmanager
async def webkitgtk() -> AsyncIterator[WebKitTab]:
    """Run a screen in memory, the driver, and a browser with a profile of its own."""
    port = free_port()
    async with (
        own_folder("webkit") as folder,
        started(
            "xvfb",
            # It takes the first display that is free, and tells which.
            ("Xvfb", "-displayfd", "1", "-screen", "0", "1366x900x24", "-nolisten", "tcp"),
            folder=folder,
            ready=lambda part: bool(_display(part.output())),
        ) as screen,
        started(
            "webkit",
            (DRIVER, "--host=127.0.0.1", f"--port={port}"),
            folder=folder,
            ready=lambda _: tcp_port_open(port),
            env={
                "HOME": str(folder),
                "PATH": "/usr/bin:/bin",
                "DISPLAY": f":{_display(screen.output())}",
                "GSETTINGS_BACKEND": "memory",
                "NO_AT_BRIDGE": "1",
            },
        ),
    ):
        tab = WebKitTab(f"http://127.0.0.1:{port}")
        options = {"binary": mini_browser(), "args": ARGUMENTS}
        wish = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        tab.session = f"/{(await tab.ask('POST', '', wish))['sessionId']}"
        try:
            yield tab
        finally:
            await tab.ask("DELETE", "")


def _display(said: str) -> str:
    """Return the number Xvfb printed on a line of its own, or ""."""
    return next((line for line in said.splitlines() if line.isdigit()), "")
