"""Each kind of feed, made from its settings."""

import socket
import ssl
from collections.abc import Callable, Sequence
from functools import partial

from server.config_feeds import (
    AmiFeedSettings,
    DialogInfoFeedSettings,
    EslFeedSettings,
    FeedSettings,
    HepFeedSettings,
    PyVoipFeedSettings,
    ReplayFeedSettings,
)
from telephony import CallFeed
from telephony.sources.ami.feed import AmiFeed
from telephony.sources.dialog_info.feed import Account, DialogInfoFeed
from telephony.sources.esl.feed import EslFeed
from telephony.sources.hep.feed import HepFeed
from telephony.sources.pyvoip.feed import PyVoipAccount, PyVoipFeed
from telephony.sources.receive_buffer import WANTED, enlarge
from telephony.sources.replay.feed import ReplayFeed


def build(
    settings: FeedSettings, stations: Sequence[str], live: Callable[[str], Sequence[str]]
) -> CallFeed:
    """Make a feed from its settings; `live` lists the legs of a feed that are believed alive."""
    match settings:
        case HepFeedSettings():
            return _hep(settings, stations)
        case PyVoipFeedSettings():
            return _pyvoip(settings, stations)
        case AmiFeedSettings():
            return _ami(settings, stations, live)
        case EslFeedSettings():
            return _esl(settings, stations, live)
        case DialogInfoFeedSettings():
            return _dialog_info(settings, stations, live)
        case ReplayFeedSettings():
            return ReplayFeed(
                settings.name, speed=settings.speed, talk=settings.talk, stations=stations
            )


def _hep(settings: HepFeedSettings, stations: Sequence[str]) -> CallFeed:
    key = settings.auth_key.get_secret_value() if settings.auth_key else None
    return HepFeed(
        settings.name,
        settings.host,
        settings.port,
        auth_key=key,
        allow=settings.allow,
        private_headers=settings.private_headers,
        stations=stations,
        quiet_after=settings.quiet_after,
    )


def _pyvoip(settings: PyVoipFeedSettings, stations: Sequence[str]) -> CallFeed:
    account = PyVoipAccount(
        server=settings.server,
        username=settings.extension,
        password=settings.password.get_secret_value(),
        port=settings.port,
        my_ip=settings.bind,
        sip_port=settings.bind_port,
        rtp_low=settings.rtp_low,
        rtp_high=settings.rtp_high,
        allow=settings.allow,
    )
    return PyVoipFeed(settings.name, account, stations=stations)


def _ami(
    settings: AmiFeedSettings, stations: Sequence[str], live: Callable[[str], Sequence[str]]
) -> AmiFeed:
    tls = ssl.create_default_context(cafile=settings.tls_ca) if settings.tls else None
    return AmiFeed(
        settings.name,
        settings.host,
        settings.port,
        settings.username,
        settings.secret.get_secret_value(),
        tls=tls,
        stations=stations,
        sip_call_id=settings.sip_call_id,
        emergency=settings.emergency,
        live=partial(live, settings.name),
    )


def _esl(
    settings: EslFeedSettings, stations: Sequence[str], live: Callable[[str], Sequence[str]]
) -> EslFeed:
    return EslFeed(
        settings.name,
        settings.host,
        settings.port,
        settings.password.get_secret_value(),
        stations=stations,
        private_headers=settings.private_headers,
        emergency=settings.emergency,
        live=partial(live, settings.name),
    )


def _dialog_info(
    settings: DialogInfoFeedSettings, stations: Sequence[str], live: Callable[[str], Sequence[str]]
) -> DialogInfoFeed:
    password = settings.password.get_secret_value()
    return DialogInfoFeed(
        settings.name,
        settings.host,
        settings.port,
        Account(settings.username, password, settings.domain),
        stations=stations,
        transport=settings.transport,
        bind=(settings.bind, settings.bind_port),
        allow=settings.allow,
        live=partial(live, settings.name),
        heartbeat=settings.heartbeat,
    )


def receive_buffer() -> tuple[int, int]:
    """Return the bytes of receive buffer that the kernel gives a UDP feed, and those it asks for."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return enlarge(sock), WANTED


async def probe(settings: AmiFeedSettings | EslFeedSettings | DialogInfoFeedSettings) -> str:
    """Sign in to a switchboard and leave; return what it says it is. Raises FeedRefusedError, FeedCutError, OSError."""
    match settings:
        case AmiFeedSettings():
            return await _ami(settings, (), lambda _: ()).probe()
        case EslFeedSettings():
            return await _esl(settings, (), lambda _: ()).probe()
        case DialogInfoFeedSettings():  # on a port of its own: the feed may be running
            free = settings.model_copy(update={"bind_port": 0})
            return await _dialog_info(free, (), lambda _: ()).probe()
