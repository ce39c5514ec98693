"""Settings of what tells us of line 15, by kind of feed (docs/operations.md)."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from server.config_carriers import Frozen, Network


class HepFeedSettings(Frozen):
    """A HEP3 capture feed of one site (docs/telephony.md)."""

    kind: Literal["hep"]
    site: str
    name: str = "hep"
    host: str = "127.0.0.1"
    port: int = Field(default=9060, ge=0, le=65535)
    auth_key: SecretStr | None = None
    allow: tuple[Network, ...] = ("127.0.0.1/32",)
    private_headers: tuple[str, ...] = ("X-Line15-Call-ID",)
    quiet_after: float = 90.0


class PyVoipFeedSettings(Frozen):
    """A dedicated extension that receives notification calls, in a child process; off unless listed."""

    kind: Literal["pyvoip"]
    site: str
    name: str = "pyvoip"
    server: str
    port: int = 5060
    extension: str
    password: SecretStr
    bind: str = "127.0.0.1"
    bind_port: int = 5062
    rtp_low: int = 16000
    rtp_high: int = 16099
    allow: tuple[Network, ...] = ("127.0.0.1/32",)


class AmiFeedSettings(Frozen):
    """An Asterisk's manager interface: the switchboard's own word, asked again after each cut."""

    kind: Literal["ami"]
    site: str
    name: str = "ami"
    host: str = "127.0.0.1"
    port: int = Field(default=5038, ge=1, le=65535)
    username: str
    secret: SecretStr
    tls: bool = False
    tls_ca: Path | None = None
    sip_call_id: str = "SIPCALLID"
    emergency: str = "EMERGENCYCALLID"


def _one_line(value: SecretStr) -> SecretStr:
    if not value.get_secret_value() or not value.get_secret_value().isprintable():
        message = "le mot de passe ne peut être ni vide ni sur plusieurs lignes"
        raise ValueError(message)
    return value


class EslFeedSettings(Frozen):
    """A FreeSWITCH's event socket: the switchboard's own word, asked again after each cut."""

    kind: Literal["esl"]
    site: str
    name: str = "esl"
    host: str = "127.0.0.1"
    port: int = Field(default=8021, ge=1, le=65535)
    password: Annotated[SecretStr, AfterValidator(_one_line)]
    private_headers: tuple[str, ...] = ("X-Line15-Call-ID",)
    emergency: str = ""


class DialogInfoFeedSettings(Frozen):
    """A presence server that tells, to one account, the dialogs of the site's stations (RFC 4235)."""

    kind: Literal["dialog-info"]
    site: str
    name: str = "dialog-info"
    host: str = "127.0.0.1"
    port: int = Field(default=5060, ge=1, le=65535)
    transport: Literal["udp", "tcp"] = "udp"
    username: str
    password: SecretStr
    domain: str
    bind: str = ""
    bind_port: int = Field(default=0, ge=0, le=65535)
    allow: tuple[Network, ...] = ("127.0.0.1/32",)
    heartbeat: float = Field(default=3.0, ge=1.0, le=60.0)


class ReplayFeedSettings(Frozen):
    """Real traces played again with fresh ids and times (demonstration)."""

    kind: Literal["replay"]
    site: str
    name: str = "replay"
    speed: float = 1.0
    talk: float = 45.0


FeedSettings = Annotated[
    HepFeedSettings
    | PyVoipFeedSettings
    | AmiFeedSettings
    | EslFeedSettings
    | DialogInfoFeedSettings
    | ReplayFeedSettings,
    Field(discriminator="kind"),
]
