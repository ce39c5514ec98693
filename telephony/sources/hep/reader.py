"""Captured packets and replayed ones go through one and the same path to facts."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from telephony.sip import message as sip
from telephony.sources.hep import codec as hep
from telephony.sources.hep.facts import DEFAULT_HEADERS, SipFactReader

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from telephony.model.facts import Fact

#: Past this difference the capture agent's clock is wrong and ours dates the message.
MAX_SKEW: Final = timedelta(hours=1)


class PacketRefusedError(ValueError):
    """A packet is dropped for a countable `reason`; `sample` shows it without identifiers."""

    def __init__(self, reason: str, sample: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.sample = sample


class HepReader:
    """Checks the key, decodes HEP then SIP, and observes; one per feed.

    `auth_key` is compared in constant time; None accepts packets with or without a key. With
    `max_skew` None the capture's date is believed however old (replays).
    """

    def __init__(
        self,
        source: str,
        *,
        stations: Collection[str] = (),
        auth_key: str | None = None,
        private_headers: Sequence[str] = DEFAULT_HEADERS,
        max_skew: timedelta | None = MAX_SKEW,
    ) -> None:
        self._key = None if auth_key is None else auth_key.encode()
        self._observer = SipFactReader(source, stations, private_headers)
        self._max_skew = max_skew
        self.skewed = 0
        self.lag = 0.0

    def read(self, data: bytes, arrived: datetime) -> list[Fact]:
        """Tell what one packet means, dated by its capture. Raises PacketRefusedError, nothing else.

        RTCP, OPTIONS and whatever else is no telephone call give no fact: they are a heartbeat.
        """
        try:
            packet = hep.decode(data)
        except hep.HepDecodeError as error:
            raise PacketRefusedError(f"hep_{error.reason}", f"{len(data)} bytes") from None
        if self._key is not None:
            if packet.auth_key is None:
                raise PacketRefusedError("key_missing")
            if not hmac.compare_digest(packet.auth_key, self._key):
                raise PacketRefusedError("key_wrong")
        if packet.protocol != hep.SIP:
            return []
        try:
            message = sip.parse(packet.payload)
        except sip.SipDecodeError as error:
            raise PacketRefusedError(
                f"sip_{error.reason}", f"{len(packet.payload)} bytes of SIP"
            ) from None
        at = packet.time
        self.lag = (arrived - at).total_seconds()
        if self._max_skew is not None and abs(arrived - at) > self._max_skew:
            self.skewed += 1
            at = arrived
        return self._observer.observe(message, at, packet.src, packet.dst)
