"""What the groups of settings of every room are made of."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def _network(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        message = "une adresse ou un réseau, par exemple 192.0.2.0/24"
        raise ValueError(message) from None
    return value


Network = Annotated[str, AfterValidator(_network)]


class SettingsGroup(BaseModel):
    """A group of settings: never changed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
