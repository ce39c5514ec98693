"""A player of recorded event-socket streams: signs in, tells the events, answers commands as FreeSWITCH does."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from telephony.sources.esl.codec import EslDecoder, EslMessage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

PASSWORD = "s3cr3t-of-the-pbx"


def frames(stream: bytes) -> list[bytes]:
    """Cut a recorded stream into its events, byte for byte."""
    found, at = [], 0
    while (end := stream.find(b"\n\n", at)) >= 0:
        head = stream[at:end]
        size = int(head.partition(b"Content-Length: ")[2].partition(b"\n")[0] or 0)
        stop = end + 2 + size
        if size:
            found.append(stream[at:stop])
        at = stop
    return found


def read(frame: bytes) -> EslMessage:
    """Read one event."""
    (message,) = EslDecoder().feed(frame)
    return message


class EslServer:
    """Who has subscribed hears what is played. `mute` says nothing after that; `deaf` answers no `api`."""

    def __init__(
        self, password: str = PASSWORD, *, mute: bool = False, deaf: bool = False, acl: bool = True
    ) -> None:
        self.password, self.mute, self.deaf, self.acl = password, mute, deaf, acl
        self.port = 0
        self.logins = 0
        self.commands: list[str] = []
        self.before_list: Callable[[], None] = lambda: None
        self.list_answer = ""
        self.greeting = b"Content-Type: auth/request\n\n"
        self.version = "FreeSWITCH Version 1.10.12-release+git~20240802T210227Z~a88d069d6f~64bit (git a88d069 64bit)"
        self._writers: set[asyncio.StreamWriter] = set()
        self.live: dict[str, EslMessage] = {}

    def play(self, events: Sequence[bytes]) -> None:
        """Let these events happen."""
        for frame in events:
            message = read(frame)
            uuid = message.get("Unique-ID")
            if message.event == "CHANNEL_DESTROY":
                self.live.pop(uuid, None)
            elif "variable_uuid" in message.fields:
                self.live[uuid] = message
            if not self.mute:
                self.raw(frame)

    def raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        for writer in self._writers:
            writer.write(data)

    def cut(self, notice: bytes = b"") -> None:
        """Close every connection."""
        for writer in self._writers:
            writer.write(notice)
            writer.close()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self.acl:
                body = "Access Denied, go away.\n"
                writer.write(_answer("text/rude-rejection", body))
                return
            writer.write(self.greeting)
            inside = False
            while True:
                command = (await reader.readuntil(b"\n\n")).decode().strip()
                self.commands.append(command)
                if command.startswith("auth "):
                    inside = command == f"auth {self.password}"
                    writer.write(_reply("+OK accepted" if inside else "-ERR invalid"))
                    if not inside:
                        writer.write(_answer("text/disconnect-notice", "Disconnected, goodbye.\n"))
                        return
                    self.logins += 1
                elif not inside:
                    writer.write(_reply("-ERR command not found"))
                elif command.startswith("event plain "):
                    writer.write(_reply("+OK event listener enabled plain"))
                    self._writers.add(writer)
                elif command.startswith("api ") and not self.mute and not self.deaf:
                    writer.write(_answer("api/response", self._api(command.removeprefix("api "))))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _api(self, command: str) -> str:
        name, _, rest = command.partition(" ")
        match name:
            case "version":
                return f"{self.version}\n"
            case "status":
                return "UP 0 years, 0 days\nFreeSWITCH is ready\n"
            case "show" if rest == "channels as json":
                self.before_list()
                rows = [{"uuid": uuid, "direction": "inbound"} for uuid in self.live]
                told = {"row_count": len(rows)} | ({"rows": rows} if rows else {})
                return self.list_answer or json.dumps(told) + "\n"
            case "uuid_dump":
                uuid, _, format_ = rest.partition(" ")
                known = self.live.get(uuid)
                if known is None or format_ != "json":
                    return "-ERR No such channel!\n"
                told = {_cased(key): _value(known.get(key)) for key in known.fields}
                return json.dumps(told | {"Event-Name": "CHANNEL_DATA"})
            case _:
                return f"-ERR {name} Command not found!\n"


def _cased(key: str) -> str:
    return key if key.startswith("variable_") else key.title().replace("-Id", "-ID")


def _value(text: str) -> str | list[str]:
    """Write a header with several values as FreeSWITCH does in JSON."""
    return text[7:].split("|:") if text.startswith("ARRAY::") else text


def _reply(text: str) -> bytes:
    return f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode()


def _answer(kind: str, body: str) -> bytes:
    data = body.encode()
    return b"Content-Type: %s\nContent-Length: %d\n\n%s" % (kind.encode(), len(data), data)


@asynccontextmanager
async def serving_esl(server: EslServer) -> AsyncIterator[EslServer]:
    listener = await asyncio.start_server(server._serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.cut()
