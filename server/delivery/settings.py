"""Settings of the delivery: its limits, and the mail relay. Each carrier's stand with it: carriers/."""

from typing import Literal

from pydantic import Field, SecretStr

from server.core.settings import SettingsGroup


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
