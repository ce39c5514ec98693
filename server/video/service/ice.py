"""ICE servers with short-lived coturn credentials (use-auth-secret: HMAC-SHA1 over `<expiry>:<id>`)."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from server.core.clock import Clock
from server.video.settings import IceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServers:
    """What both pages are told; credentials live `ttl` seconds and are minted again at each welcome."""

    clock: Clock
    stun: Sequence[str]
    turn: Sequence[str]
    secret: str | None
    ttl: int
    relay_only: bool

    def due(self, age: float) -> bool:
        """Tell whether credentials given `age` seconds ago are to be renewed: long before they expire."""
        return self.secret is not None and age > self.ttl / 2

    def for_session(self, session: str) -> dict[str, object]:
        """Return an RTCConfiguration for one session."""
        servers: list[dict[str, object]] = []
        if self.stun:
            servers.append({"urls": list(self.stun)})
        if self.turn and self.secret:
            username = f"{int(self.clock.now().timestamp()) + self.ttl}:{session[:12]}"
            mac = hmac.new(self.secret.encode(), username.encode(), hashlib.sha1).digest()
            credential = base64.b64encode(mac).decode()
            servers.append(
                {"urls": list(self.turn), "username": username, "credential": credential}
            )
        policy = "relay" if self.relay_only else "all"
        return {"iceServers": servers, "iceTransportPolicy": policy}


def ice_servers(settings: IceSettings, clock: Clock) -> IceServers:
    """Build them from the settings."""
    secret = settings.turn_secret
    return IceServers(
        clock=clock,
        stun=settings.stun,
        turn=settings.turn,
        secret=secret.get_secret_value() if secret else None,
        ttl=settings.ttl,
        relay_only=settings.relay_only,
    )
