"""Settings of the SMS carriers: one shorthand, or several with presets, in the order in which they are tried."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from server.core.settings import SettingsGroup

SHORTHAND = "sms"  # the name of the carrier of `sms`; nobody in `carriers` may have it


def _expression(value: str) -> str:
    try:
        re.compile(value)
    except re.error:
        message = "cette expression régulière n'est pas lisible"
        raise ValueError(message) from None
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", value) or value == SHORTHAND:
        message = f"un nom court en minuscules, chiffres et tirets, autre que {SHORTHAND}"
        raise ValueError(message)
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", value):
        message = "un préfixe international, par exemple +33 ou +336"
        raise ValueError(message)
    return value


def _web(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
        message = "une adresse de la forme https://sms.example"
        raise ValueError(message)
    return value.rstrip("/")


WebAddress = Annotated[str, AfterValidator(_web)]
Name = Annotated[str, AfterValidator(_slug)]
Prefix = Annotated[str, AfterValidator(_prefix)]


class SmsSettings(SettingsGroup):
    """A templated HTTP gateway: `{to} {text} {sender} {receipt_url} {reference}` are URL-encoded into `url` or `body`.

    `{reference}` may stand in a header, too. `idempotent`: the gateway takes the same reference a single time.
    """

    url: SecretStr
    method: Literal["GET", "POST"] = "GET"
    body: SecretStr | None = None
    content_type: str = "application/x-www-form-urlencoded"
    headers: dict[str, SecretStr] = {}  # noqa: RUF012 - pydantic copies it
    accepted: Annotated[str, AfterValidator(_expression)] = r"^0: Accepted"
    timeout: float = 10.0
    receipt_base: str | None = None
    idempotent: bool = False

    @model_validator(mode="after")
    def _refers(self) -> Self:
        if self.idempotent and not self.mentions("{reference}"):
            message = "idempotent demande {reference} dans url, body ou headers"
            raise ValueError(message)
        return self

    def mentions(self, placeholder: str) -> bool:
        """Tell whether the request has this placeholder."""
        parts = (self.url, *([self.body] if self.body else []), *self.headers.values())
        return any(placeholder in part.get_secret_value() for part in parts)


class _Carrier(SettingsGroup):
    """What every carrier has; `cost`: euros an SMS, for the metrics; `receipt_timeout` 0: never waits."""

    name: Name
    prefixes: tuple[Prefix, ...] = ()
    receipt_timeout: float = Field(default=45.0, ge=0, le=900)
    sender: str | None = Field(default=None, max_length=40)
    senders: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it
    cost: float = Field(default=0.0, ge=0)
    timeout: float = Field(default=10.0, gt=0, le=60)
    receipt_base: WebAddress | None = None


class KannelSettings(_Carrier):
    """Kannel's sendsms interface."""

    preset: Literal["kannel"]
    url: WebAddress = "http://127.0.0.1:13013/cgi-bin/sendsms"
    username: str
    password: SecretStr
    smsc: str | None = None


class OvhSettings(_Carrier):
    """An API of OVHcloud's shape; `receipt_key` ends the call-back address given to the service."""

    preset: Literal["ovhcloud"]
    url: WebAddress = "https://eu.api.ovh.com/1.0"
    service: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    application_key: str
    application_secret: SecretStr
    consumer_key: SecretStr
    receipt_key: SecretStr | None = Field(default=None, min_length=20, max_length=64)
    validity_minutes: int = Field(default=15, ge=1, le=2880)


class TwilioSettings(_Carrier):
    """An API of Twilio's shape; `from_service` stands for a messaging service instead of a sender."""

    preset: Literal["twilio"]
    url: WebAddress = "https://api.twilio.com"
    account: str = Field(pattern=r"^[A-Za-z0-9]+$")
    token: SecretStr
    key: str | None = None
    key_secret: SecretStr | None = None
    from_service: str | None = None
    validity_seconds: int = Field(default=900, ge=1, le=14400)


class RawSettings(_Carrier, SmsSettings):
    """Any other gateway, by template."""

    preset: Literal["raw"]
    timeout: float = Field(default=10.0, gt=0, le=60)
    receipt_base: WebAddress | None = None


CarrierSettings = Annotated[
    KannelSettings | OvhSettings | TwilioSettings | RawSettings, Field(discriminator="preset")
]


class SmsLimits(SettingsGroup):
    """Against a runaway bill and against harassment: invitations by SMS, resent ones included; 0 means no limit."""

    site_hour: int = Field(default=600, ge=0)
    number_hour: int = Field(default=8, ge=0)


class SmtpSettings(SettingsGroup):
    """The hospital's mail relay."""

    host: str = "127.0.0.1"
    port: int = 25
    username: str | None = None
    password: SecretStr | None = None
    tls: Literal["none", "starttls", "tls"] = "none"
    sender: str = "visio15@localhost"
    timeout: float = 15.0
