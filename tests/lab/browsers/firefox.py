"""A real Firefox with a fake, moving camera, driven over WebDriver BiDi, which it speaks by itself.

One Firefox holds several people: each has a window and a container of their own, so that no cookie is shared.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.lab.browsers.gestures import GoneError, ScriptError, Tab
from tests.lab.ports import free_port
from tests.lab.process import PATIENCE, own_folder, started

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

FIREFOX = "/usr/bin/firefox-esr"
DESK = (1366, 768)
PHONE = (412, 839)
WATCH = (Path(__file__).with_name("probes") / "watch.js").read_text()
PREFS: dict[str, Any] = {
    # A camera whose picture changes colour all the time, allowed without a question.
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    # What the settings say of a site is said to all its people.
    "permissions.isolateBy.userContext": False,
    "intl.accept_languages": "fr-FR, fr",
    # Nothing of its own: no update, no telemetry, no first page, no probe of the network.
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.newtabpage.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "data:,",
}
# In the browser itself, not in a page: what its settings do.
DECIDE = """(origin, state) => {
  const principal = Services.scriptSecurityManager.createContentPrincipalFromOrigin(origin);
  Services.perms.addFromPrincipal(principal, 'camera', Services.perms[`${state}_ACTION`]);
}"""
# What Firefox answers when a document goes while it is asked.
GONE = ("no such frame", "unknown error", "no such history entry")


@dataclass
class FirefoxTab(Tab):
    """One person's window, and everything it complained about."""

    firefox: Firefox
    context: str
    name: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    async def goto(self, url: str) -> None:
        wish = {"context": self.context, "url": url, "wait": "complete"}
        self.url = (await self.firefox.ask("browsingContext.navigate", wish))["url"]

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        wish = {
            "functionDeclaration": f"async (given) => JSON.stringify(await ({expression})(JSON.parse(given)))",
            "arguments": [{"type": "string", "value": json.dumps(arg)}],
            "awaitPromise": True,
            "target": {"context": self.context},
        }
        answer = await self.firefox.ask("script.callFunction", wish)
        if answer["type"] == "exception":
            raise ScriptError(f"{self.name}: {answer['exceptionDetails']['text']}")
        given = answer["result"]
        return json.loads(given["value"]) if given["type"] == "string" else None

    async def act(self, actions: list[dict[str, Any]]) -> None:
        wish = {"context": self.context, "actions": actions}
        await self.firefox.ask("input.performActions", wish)

    async def set_input_files(self, selector: str, files: Sequence[Path]) -> None:
        """Choose files as in the system's own window."""
        where = {"context": self.context, "locator": {"type": "css", "value": selector}}
        (field_,) = (await self.firefox.ask("browsingContext.locateNodes", where))["nodes"]
        wish = {
            "context": self.context,
            "element": {"sharedId": field_["sharedId"]},
            "files": [str(file) for file in files],
        }
        await self.firefox.ask("input.setFiles", wish)

    def assert_clean(self, origin: str) -> None:
        """Fail on console errors, uncaught errors, and requests that left `origin`."""
        assert self.requests, f"{self.name} went nowhere"
        assert not self.problems, f"{self.name} complained: {self.problems}"
        left = {url for url in self.requests if _abroad(url, origin)}
        assert not left, f"{self.name} left its origin {origin}: {left}"


def _abroad(url: str, origin: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme in {"http", "https", "ws", "wss"} and parts.netloc != urlsplit(origin).netloc
    )


@dataclass
class Firefox:
    """A running Firefox."""

    socket: WebSocketClientConnection | None = None
    tabs: list[FirefoxTab] = field(default_factory=list)
    _asked: dict[int, asyncio.Future[dict[str, Any]]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def person(
        self, name: str, size: tuple[int, int] = DESK, *, locale: str = "", agent: str = ""
    ) -> FirefoxTab:
        """Open the window of somebody who was never here.

        Args:
            name: what to call them.
            size: of what the page is shown in.
            locale: the language of their device, another one than the lab's.
            agent: what their browser calls itself, other than what it is.
        """
        user = (await self.ask("browser.createUserContext", {}))["userContext"]
        if locale:
            wish = {"locale": locale, "userContexts": [user]}
            await self.ask("emulation.setLocaleOverride", wish)
        if agent:
            wish = {"userAgent": agent, "userContexts": [user]}
            await self.ask("emulation.setUserAgentOverride", wish)
        script = {"functionDeclaration": f"() => {{ {WATCH} }}", "userContexts": [user]}
        await self.ask("script.addPreloadScript", script)
        window = {"type": "window", "userContext": user}
        context = (await self.ask("browsingContext.create", window))["context"]
        width, height = size
        viewport = {"context": context, "viewport": {"width": width, "height": height}}
        await self.ask("browsingContext.setViewport", viewport)
        tab = FirefoxTab(self, context, name)
        self.tabs.append(tab)
        return tab

    def assert_clean(self, origin: str) -> None:
        for tab in self.tabs:
            tab.assert_clean(origin)

    async def camera(self, origin: str, state: str) -> None:
        """Decide in the settings whether pages from there get a camera: "ALLOW", "DENY", or "UNKNOWN"."""
        tree = await self.ask("browsingContext.getTree", {"moz:scope": "chrome"})
        wish = {
            "functionDeclaration": DECIDE,
            "arguments": [{"type": "string", "value": value} for value in (origin, state)],
            "awaitPromise": True,
            "target": {"context": tree["contexts"][0]["context"]},
        }
        answer = await self.ask("script.callFunction", wish)
        assert answer["type"] == "success", answer

    async def ask(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Send a command; return its result."""
        assert self.socket is not None
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        await self.socket.write_message(
            json.dumps({"id": number, "method": method, "params": params})
        )
        try:
            said = await asyncio.wait_for(answer, PATIENCE)
        finally:
            del self._asked[number]
        if said["type"] == "success":
            result: dict[str, Any] = said["result"]
            return result
        words = f"{method}: {said['error']}: {said['message']}"
        if said["error"] in GONE:
            raise GoneError(words)
        raise AssertionError(words)

    def heard(self, message: str | bytes | None) -> None:
        """Take what Firefox says: an answer, or an event."""
        if message is None:
            for waiting in self._asked.values():
                if not waiting.done():
                    waiting.set_exception(ConnectionError("Firefox hung up"))
            return
        said = json.loads(message)
        if said["type"] != "event":
            answer = self._asked.get(said["id"])
            if answer is not None and not answer.done():
                answer.set_result(said)
            return
        params = said["params"]
        if said["method"] == "log.entryAdded":
            tab = self._tab(params["source"].get("context"))
            if tab and params["level"] == "error":
                tab.problems.append(f"{params['type']}: {params['text']}")
        elif tab := self._tab(params.get("context")):
            tab.requests.append(params["request"]["url"])

    def _tab(self, context: str | None) -> FirefoxTab | None:
        return next((tab for tab in self.tabs if tab.context == context), None)


@asynccontextmanager
async def firefox(prefs: Mapping[str, Any] | None = None) -> AsyncIterator[Firefox]:
    """Run Firefox.

    Args:
        prefs: preferences besides those of the lab.
    """
    port = free_port()
    async with own_folder("firefox") as folder:
        lines = (
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**PREFS, **(prefs or {})}.items()
        )
        (folder / "user.js").write_text("".join(lines))
        argv = (FIREFOX, "--headless", "--no-remote", "--profile", str(folder))
        env = {
            "HOME": str(folder),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(folder),
            "MOZ_CRASHREPORTER_DISABLE": "1",
        }
        async with started(
            "firefox",
            (
                *argv,
                "--remote-allow-system-access",
                f"--remote-debugging-port={port}",
                "about:blank",
            ),
            folder=folder,
            ready=lambda part: "WebDriver BiDi listening" in part.output(),
            env=env,
        ):
            running = Firefox()
            running.socket = await websocket_connect(
                f"ws://127.0.0.1:{port}/session", on_message_callback=running.heard
            )
            await running.ask("session.new", {"capabilities": {}})
            events = ["log.entryAdded", "network.beforeRequestSent"]
            await running.ask("session.subscribe", {"events": events})
            try:
                yield running
            finally:
                running.socket.close()
