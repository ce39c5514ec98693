"""Signs launches and call events as a call-centre software does, with nothing of ours but the page's words."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from server.administration.service.site_secrets import SiteSecrets

if TYPE_CHECKING:
    from tornado.httpclient import HTTPResponse

    from tests.server.running import Running

PATH = "/api/v1/telephony/events"


def mac(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


@dataclass
class Cti:
    """A call-centre software that has been given a secret."""

    house: Running
    site: str
    secret: str
    kid: str = ""

    @classmethod
    async def of(cls, house: Running, site: str = "rivage") -> Cti:
        house.clock.pass_(seconds=1)  # the newest secrets are told apart by their dates
        made = await secrets(house).rotate(site)
        return cls(house, site, made.value or "", made.id)

    def now(self, skew: float = 0) -> str:
        return str(int(self.house.clock.now().timestamp() + skew))

    def at(self, seconds: float = 0) -> str:
        return (self.house.clock.now() + timedelta(seconds=seconds)).isoformat()

    def event(
        self, type_: str, call: str = "17", seconds: float = 0, **more: Any
    ) -> dict[str, Any]:
        return {"type": type_, "call": call, "at": self.at(seconds), **more}

    async def send(
        self, body: bytes, timestamp: str | None = None, **headers: str | None
    ) -> HTTPResponse:
        """Post a body, signed; `headers` replace ours (None: left out), with _ for -."""
        timestamp = self.now() if timestamp is None else timestamp
        signed = mac(self.secret, timestamp.encode() + b"." + body)
        sent: dict[str, str | None] = {
            "X-Visio15-Site": self.site,
            "X-Visio15-Timestamp": timestamp,
            "X-Visio15-Signature": f"v1={signed}",
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        kept = {name: value for name, value in sent.items() if value is not None}
        return await self.house.browser().fetch(PATH, method="POST", body=body, headers=kept)

    async def tell(self, *events: Any, **headers: str | None) -> list[dict[str, Any]]:
        """Post events and return what became of each."""
        answer = await self.send(json.dumps({"events": events}).encode(), **headers)
        assert answer.code == 202, answer.body
        results: list[dict[str, Any]] = json.loads(answer.body)["results"]
        assert [result["index"] for result in results] == list(range(len(events)))
        return results

    def launch(self, once: str = "nonce-0001", skew: float = 0, **changes: str) -> str:
        """The address of a signed launch; `changes` are made after signing."""
        fields = {"ts": self.now(skew), "nonce": once, "call": "pop-17"}
        fields |= {"caller": "+33612345678", "station": "202"}
        fields["sig"] = mac(self.secret, "\n".join(fields.values()).encode())
        return "/desk?" + urlencode({**fields, "kid": self.kid, **changes})


def secrets(house: Running) -> SiteSecrets:
    return house.commands.secrets


def code(answer: HTTPResponse) -> tuple[int, str]:
    return answer.code, json.loads(answer.body)["error"]["code"]
