"""The synthetic caller's end of one picture: offers exactly one video line, both ways, like the caller's page.

aiortc gathers every candidate before an offer is complete, so they travel inside it; and it has no ICE restart, so a
restart is a new connection (docs/adr/0005-synthetic-caller.md).
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog
from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidAccessError, InvalidStateError
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

from server.core.tasks import cancel_and_wait, create_task
from server.demo.synthetic.picture import SyntheticCamera

REPEAT: Final = 4.0  # seconds before an unanswered offer is said again, as the caller's page does
_ORIGIN: Final = re.compile(r"^o=- \d+", re.MULTILINE)
_log = structlog.get_logger("synthetic")


def configuration(ice: Mapping[str, Any]) -> RTCConfiguration:
    """Turn the RTCConfiguration of `welcome` into aiortc's."""
    servers = [
        RTCIceServer(each["urls"], each.get("username"), each.get("credential"))
        for each in ice.get("iceServers", ())
    ]
    policy = RTCIceTransportPolicy(ice.get("iceTransportPolicy", "all"))
    return RTCConfiguration(servers, policy, RTCBundlePolicy.MAX_BUNDLE)


class SyntheticPeer:
    """One connection to one desk, from the offer to its end."""

    def __init__(
        self,
        ice: Mapping[str, Any],
        send: Callable[[dict[str, Any]], None],
        changed: Callable[["SyntheticPeer", str], None],
    ) -> None:
        """`send` takes signalling without its address; `changed` hears of every connection state."""
        self._pc = RTCPeerConnection(configuration(ice))
        self._send = send
        self._changed = changed
        self._sdp = ""
        self._answered = asyncio.Event()
        self._described = False
        self._early: list[Mapping[str, Any] | None] = []
        self._picture = SyntheticCamera()
        self._tasks: list[asyncio.Task[Any]] = []
        self._pc.add_listener("connectionstatechange", self._state)
        self._pc.add_listener("track", self._track)
        self._tasks.append(create_task(self._offer(), "synthetic.offer"))

    @property
    def state(self) -> str:
        """The connection's state, as in the browsers."""
        return str(self._pc.connectionState)

    @property
    def alive(self) -> bool:
        """Whether a desk that asks already has the picture, or will have it shortly."""
        return self.state in {"new", "connecting", "connected"}

    def _state(self) -> None:
        self._changed(self, self.state)

    def _track(self, track: MediaStreamTrack) -> None:
        self._tasks.append(create_task(_drain(track), "synthetic.drain"))

    async def _offer(self) -> None:
        transceiver = self._pc.addTransceiver(self._picture, direction="sendrecv")
        codecs = RTCRtpSender.getCapabilities("video").codecs
        transceiver.setCodecPreferences(
            [codec for codec in codecs if codec.mimeType.lower() in {"video/vp8", "video/rtx"}]
        )
        await self._pc.setLocalDescription(await self._pc.createOffer())
        # aiortc names its session by the second: two connections in one second would look the same to the desk.
        fresh = f"o=- {secrets.randbits(62)}"
        self._sdp = _ORIGIN.sub(fresh, self._pc.localDescription.sdp)
        if not _has_candidate(self._sdp):
            self._changed(self, "no_candidate")
            return
        while not self._answered.is_set():
            self._send({"type": "signal.offer", "sdp": self._sdp})
            with suppress(TimeoutError):
                await asyncio.wait_for(self._answered.wait(), REPEAT)

    def resend(self) -> None:
        """Say an unanswered offer again: a desk that came back may have missed it."""
        if self._sdp and not self._answered.is_set():
            self._send({"type": "signal.offer", "sdp": self._sdp})

    async def answer(self, sdp: str) -> None:
        """Take the desk's answer, once."""
        if self._answered.is_set() or self._pc.signalingState != "have-local-offer":
            return
        self._answered.set()
        await self._pc.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        self._described = True
        early, self._early = self._early, []
        for candidate in early:
            await self.candidate(candidate)

    async def candidate(self, candidate: Mapping[str, Any] | None) -> None:
        """Take one of the desk's candidates; those before the answer wait for it."""
        if not self._described:
            self._early.append(candidate)
            return
        text = str((candidate or {}).get("candidate", "")).removeprefix("candidate:")
        try:
            parsed = candidate_from_sdp(text) if text else None
            if parsed is not None:
                parsed.sdpMLineIndex = 0
            await self._pc.addIceCandidate(parsed)
        except (AssertionError, ValueError, InvalidStateError, InvalidAccessError) as odd:
            _log.info("synthetic.candidate_ignored", error=type(odd).__name__)

    async def close(self) -> None:
        """Release everything; no further word."""
        self._pc.remove_all_listeners()
        self._answered.set()
        self._picture.stop()
        await self._pc.close()
        await cancel_and_wait(*self._tasks)


async def _drain(track: MediaStreamTrack) -> None:
    """Throw the regulator's own picture away: frames nobody takes would pile up."""
    with suppress(MediaStreamError):
        while True:
            await track.recv()


def _has_candidate(sdp: str) -> bool:
    return "\na=candidate:" in sdp
