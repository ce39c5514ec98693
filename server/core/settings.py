"""What the groups of settings of every room are made of."""

from pydantic import BaseModel, ConfigDict


class SettingsGroup(BaseModel):
    """A group of settings: never changed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
