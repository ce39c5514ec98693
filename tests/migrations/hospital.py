"""A running product and its people, spoken to only as from outside: its command line, its pages, its sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import html
import json
import re
import secrets
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.lab.ports import free_port
from tests.lab.process import PartFailedError, launch, own_folder, until
from tests.lab.server import ROOT, VISIO15, Server, _clean_environment
from tests.lab.smtp import Smtp, smtp
from tests.server.house import Browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from tornado.httpclient import HTTPResponse

SECRET = "0123456789abcdef" * 4
PASSWORD = "demo-filled-release"
CODE = re.compile(r"\b(\d{6})\b")
MESSAGE = re.compile(r"<h2>.*? à (\S[^<]*)<span.*?<p class=\"text\">(.*?)</p>", re.DOTALL)
PATIENCE = 20
STARTS = 90  # the demonstration hashes six passwords before it listens


def mobile(number: int) -> str:
    """A mobile number that is reserved for fiction, as people write it."""
    return f"06 39 98 {number // 100:02} {number % 100:02}"


def e164(number: int) -> str:
    """The same number as switchboards write it: the plan gives 06 39 to Mayotte."""
    return "+262" + mobile(number).replace(" ", "")[1:]


def mac(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


class Client(SimpleAsyncHTTPClient):
    """What tests.server.house.Browser asks of a client."""

    address = ""

    def get_url(self, path: str) -> str:
        return self.address + path


class Wire:
    """One open socket; it is read all the time, so that it stays alive however long nobody listens."""

    def __init__(self) -> None:
        self.socket: WebSocketClientConnection
        self.told: list[dict[str, Any]] = []
        self.shown: dict[str, Any] | None = None  # the newest view of a desk
        self._news = asyncio.Event()
        self._commands = 0
        self.peer = ""

    def heard(self, frame: str | bytes | None) -> None:
        if isinstance(frame, str):
            message = json.loads(frame)
            if message["type"] == "view":
                self.shown = message
            elif message["type"] != "tick":
                self.told.append(message)
        elif frame is None:
            self.told.append({"type": "closed", "code": self.socket.close_code})
        self._news.set()

    async def say(self, kind: str, /, **fields: Any) -> None:
        await self.socket.write_message(json.dumps({"type": kind, **fields}))

    async def hear(
        self, *kinds: str, where: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """Wait for a message of one of these kinds; each is heard once."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for index, message in enumerate(self.told):
                        if message["type"] in kinds and where(message):
                            return self.told.pop(index)
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise PartFailedError(f"waited for {kinds}, told {self.told[-5:]}") from None

    async def ask(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Send a command; return its result."""
        self._commands += 1
        id_ = f"{self.peer}-{self._commands:04}"
        await self.say(kind, id=id_, **fields)
        answer = await self.hear("done", "error", where=lambda told: told.get("id") == id_)
        if answer["type"] == "error":
            raise PartFailedError(f"{kind} {fields}: {answer}")
        return dict(answer["result"])

    async def view(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the desk shows this."""
        try:
            async with asyncio.timeout(PATIENCE):
                while self.shown is None or not wanted(self.shown):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise PartFailedError(f"never shown; {self.shown} {self.told[-5:]}") from None
        return self.shown

    async def session(
        self, id_: str, wanted: Callable[[dict[str, Any]], object] = lambda _: True
    ) -> dict[str, Any]:
        """Wait until the desk shows this session so."""

        def of(view: dict[str, Any]) -> list[dict[str, Any]]:
            return [one for one in view["sessions"] if one["id"] == id_ and wanted(one)]

        return of(await self.view(of))[0]

    def close(self) -> None:
        self.socket.close()


@dataclass
class Hospital:
    """The server, and a browser of each person who signed in."""

    server: Server
    folder: Path
    secret: str = ""
    kid: str = ""
    people: dict[str, dict[str, str]] = field(default_factory=dict)  # their cookies
    wires: list[Wire] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    numbers: int = 0
    box: Smtp | None = None  # where mails arrive, else in the demonstration's outbox

    @property
    def url(self) -> str:
        return self.server.url

    def another(self) -> int:
        """A number nobody had before."""
        self.numbers += 1
        return self.numbers

    # --- the command line
    async def cli(self, *arguments: str, stdin: str | None = None) -> str:
        return await self.server.cli(*arguments, stdin=stdin)

    async def refused(self, *arguments: str) -> None:
        """Run a command that must end with an error."""
        try:
            await self.cli(*arguments)
        except PartFailedError:
            return
        raise PartFailedError(f"{arguments} was not refused")

    # --- pages
    def browser(self, cookies: Mapping[str, str] | None = None) -> Browser:
        client = Client(force_instance=True)
        client.address = self.url
        self.clients.append(client)
        browser = Browser(client)
        browser.cookies.update(cookies or {})
        return browser

    async def outbox(self) -> list[tuple[str, str]]:
        """To whom, and the text; the newest first."""
        if self.box is not None:
            return [(to, mail.text) for mail in reversed(self.box.mails) for to in mail.to]
        page = (await self.browser().get("/outbox")).body.decode()
        return [(html.unescape(to), html.unescape(text)) for to, text in MESSAGE.findall(page)]

    async def posted(self, to: str, pattern: str, known: Sequence[str] = ()) -> str:
        """Wait for a message to somebody; return what the pattern finds in it."""
        found: list[str] = []

        async def there() -> bool:
            texts = [text for who, text in await self.outbox() if who == to]
            matches = [match.group(1) for text in texts if (match := re.search(pattern, text))]
            found[:] = [each for each in matches if each not in known]
            return bool(found)

        await until(
            there, f"{pattern} to {to} in the outbox", timeout=PATIENCE, explain=self.server.logs
        )
        return found[0]

    async def ask_code(
        self, identifier: str, password: str = PASSWORD, channel: str = "email"
    ) -> Browser:
        browser = self.browser()
        answer = await browser.ask_code(identifier, password, channel)
        assert answer.code == 303, answer.body
        return browser

    async def sign_in(self, identifier: str, to: str) -> Browser:
        """Sign in with the code that the outbox shows; the cookies are kept for later."""
        known = [text for who, text in await self.outbox() if who == to]
        codes = [found.group(1) for text in known if (found := CODE.search(text))]
        browser = await self.ask_code(identifier, channel="email" if "@" in to else "sms")
        code = await self.posted(to, CODE.pattern, codes)
        answer = await browser.post("/login/code", {"code": code})
        assert answer.code == 303, answer.body
        self.people[identifier] = dict(browser.cookies)
        return browser

    def of(self, identifier: str) -> Browser:
        return self.browser(self.people[identifier])

    async def read(self, identifier: str, path: str, code: int = 200) -> HTTPResponse:
        answer = await self.of(identifier).get(path)
        assert answer.code == code, (path, answer.code, answer.body[-2000:])
        return answer

    async def send(
        self, identifier: str, path: str, form: dict[str, str], code: int = 303
    ) -> HTTPResponse:
        answer = await self.of(identifier).post(path, form)
        assert answer.code == code, (path, form, answer.code, answer.body[-2000:])
        return answer

    # --- sockets
    async def wire(self, path: str, browser: Browser) -> Wire:
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        headers = {"Origin": self.url, **({"Cookie": cookies} if cookies else {})}
        made = Wire()
        request = HTTPRequest(self.url.replace("http:", "ws:") + path, headers=headers)
        made.socket = await websocket_connect(request, on_message_callback=made.heard)
        self.wires.append(made)
        return made

    async def desk(self, identifier: str, station: str | None, **hello: Any) -> Wire:
        """Open page B at a station and wait for its first view."""
        desk = await self.wire("/ws/desk", self.of(identifier))
        desk.peer = f"desk-{secrets.token_hex(8)}"  # commands begin with it: never the same twice
        where = {"station": station} if station else {}
        await desk.say("hello", peer=desk.peer, **where, **hello)
        await desk.view(lambda _: True)
        return desk

    async def phone(self, token: str, language: str = "fr") -> Browser:
        """A phone that shows the page and has touched the big button."""
        phone = self.browser()
        await phone.get(f"/v/{token}")
        for verb, body in (("open", {"language": language}), ("tap", {})):
            answer = await phone.post_json(f"/v/{token}/{verb}", body)
            assert answer.code == 200, answer.body
        return phone

    async def caller(self, token: str, phone: Browser) -> Wire:
        """The phone's socket, welcomed."""
        caller = await self.wire("/ws/caller", phone)
        caller.peer = f"page-{secrets.token_hex(8)}"
        await caller.say("hello", token=token, page=caller.peer)
        await caller.hear("welcome")
        return caller

    def leave(self) -> None:
        """Close every socket and every client."""
        for wire in self.wires:
            wire.close()
        for client in self.clients:
            client.close()
        self.wires.clear()
        self.clients.clear()

    # --- the call-centre software
    def event(self, kind: str, call: str, ago: float = 0, **more: Any) -> dict[str, Any]:
        at = datetime.now(UTC) - timedelta(seconds=ago)
        return {"type": kind, "call": call, "at": at.isoformat(), **more}

    async def tell(self, *events: dict[str, Any], key: str | None = None) -> None:
        """Post signed call events; all of them are taken."""
        body = json.dumps({"events": events}).encode()
        at = str(int(datetime.now(UTC).timestamp()))
        headers = {
            "X-Visio15-Site": "samu37",
            "X-Visio15-Timestamp": at,
            "X-Visio15-Signature": f"v1={mac(self.secret, at.encode() + b'.' + body)}",
            "Content-Type": "application/json",
            **({"Idempotency-Key": key} if key else {}),
        }
        answer = await self.browser().fetch(
            "/api/v1/telephony/events", method="POST", body=body, headers=headers
        )
        assert answer.code == 202, answer.body
        results = json.loads(answer.body)["results"]
        assert all(each["status"] in {"accepted", "repeated"} for each in results), results

    def launch(self, *, once: str = "", **fields: str) -> str:
        """The address of a launch from call context, signed when `once` is its nonce."""
        if not once:
            return "/desk?" + urlencode(fields)
        at = str(int(datetime.now(UTC).timestamp()))
        values = {"ts": at, "nonce": once, "call": "", "caller": "", "station": "", **fields}
        signed = mac(self.secret, "\n".join(values.values()).encode())
        return "/desk?" + urlencode({**values, "kid": self.kid, "sig": signed})

    async def launched(self, identifier: str, path: str) -> str:
        """Open page B from call context; return the opaque id of the launch."""
        browser = self.of(identifier)
        answer = await browser.get(path)
        assert answer.code == 303, answer.body
        there = answer.headers["Location"]
        assert (await browser.get(there)).code == 200
        return there.rpartition("launch=")[2]


async def commands(env: Mapping[str, str], *several: tuple[str, str]) -> None:
    """Run many `visio15` commands (their words separated by |), each with its standard input, in one process."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.commands"),
        stdin=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", **env},
        cwd=ROOT,
    )
    given = json.dumps([[line.split("|"), stdin] for line, stdin in several])
    _, wrong = await process.communicate(given.encode())
    if process.returncode:
        raise PartFailedError(wrong.decode())


@asynccontextmanager
async def running(
    folder: Path, env: Mapping[str, str], former: Hospital | None = None, *, demo: bool
) -> AsyncIterator[Hospital]:
    """Run the demonstration, or the production server on the same data; stop it cleanly.

    Args:
        folder: the demonstration's data.
        env: VISIO15_… settings beyond those of the address.
        former: who was signed in before a restart, and the site's secret.
        demo: `visio15 demo`, else `visio15 serve` with a mail relay.
    """
    port = int(former.url.rpartition(":")[2]) if former else free_port()
    url = f"http://localhost:{port}"
    async with own_folder("server") as log, smtp() as box:
        if demo:
            arguments = ["demo", "--data", str(folder), "--port", str(port)]
            settings = dict(env)
        else:
            arguments = ["serve"]
            relay = json.dumps({"host": box.host, "port": box.port})
            address = {"VISIO15_PUBLIC_URL": url, "VISIO15_PORT": str(port)}
            settings = {**env, **address, "VISIO15_DEMO": "false", "VISIO15_SMTP": relay}
        clean, argv = _clean_environment(settings), (*VISIO15, *arguments)
        up = Server(url, clean, log, argv, launch("server", argv, folder=log, env=clean, cwd=ROOT))
        hospital = Hospital(up, folder, box=None if demo else box)
        if former:
            hospital.secret, hospital.kid = former.secret, former.kid
            hospital.people, hospital.numbers = former.people, former.numbers
        try:
            await up.ready(timeout=STARTS)
            yield hospital
            # What the sockets show stays as it is: the server ends first.
            assert await up.stop() == 0, up.logs()[-3000:]
        except BaseException:
            print("the server's last words:", up.logs()[-3000:], sep="\n")  # noqa: T201
            raise
        finally:
            hospital.leave()
            await up.part.stop()
