"""A phone that speaks to the server by requests only."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from tests.server.told import Told

if TYPE_CHECKING:
    from tornado.httpclient import HTTPResponse

    from tests.server.house import Browser


@dataclass
class Polled(Told):
    """One line by requests, and everything it was told."""

    phone: Browser
    token: str
    name: str
    sent: int = 0
    seen: int = 0
    close: dict[str, Any] | None = None

    @classmethod
    async def opened(cls, phone: Browser, token: str) -> Self:
        answer = await phone.post_json(f"/v/{token}/wire", {})
        assert answer.code == 200, answer.body
        return cls(phone, token, json.loads(answer.body)["wire"])

    @property
    def path(self) -> str:
        return f"/v/{self.token}/wire/{self.name}"

    async def raw(self, *frames: str) -> Self:
        answer = await self.up(self.sent, *frames)
        assert answer.code == 200, answer.body
        self.sent = json.loads(answer.body)["taken"]
        return self

    async def up(self, first: int, *frames: str, **more: Any) -> HTTPResponse:
        return await self.phone.post_json(
            f"{self.path}/up", {"first": first, "frames": frames, **more}
        )

    async def still(self, picture: bytes) -> HTTPResponse:
        headers = {
            "Content-Type": "application/octet-stream",
            "Accept": "application/json",
            "X-Xsrftoken": self.phone.xsrf,
            "X-Visio15-Frame": str(self.sent),
        }
        answer = await self.phone.fetch(
            f"{self.path}/up", method="POST", body=picture, headers=headers
        )
        if answer.code == 200:
            self.sent = json.loads(answer.body)["taken"]
        return answer

    async def down(self, seen: int | None = None) -> dict[str, Any]:
        """One request; what it brings is not acknowledged before the next."""
        seen = self.seen if seen is None else seen
        answer = await self.phone.post_json(f"{self.path}/down", {"seen": seen})
        assert answer.code == 200, answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def read(self) -> None:
        assert self.close is None, self.close
        found = await self.down()
        assert found["first"] == self.seen
        self.seen += len(found["frames"])
        frames = [json.loads(frame) for frame in found["frames"]]
        self.told += [one for one in frames if one["type"] != "tick"]
        self.close = found.get("closed")

    async def closed(self) -> tuple[int, str]:
        async with asyncio.timeout(60):
            while self.close is None:
                await self.read()
        return self.close["code"], self.close["reason"]

    async def hello(self, page: str = "phone-page-1") -> dict[str, Any]:
        await self.say("hello", token=self.token, page=page)
        return await self.hear("welcome")
