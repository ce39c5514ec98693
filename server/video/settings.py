"""Settings of what both ends of a video are told."""

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from server.core.settings import SettingsGroup


class IceSettings(SettingsGroup):
    """STUN and TURN; TURN credentials are minted per session from the shared secret (coturn use-auth-secret)."""

    stun: tuple[str, ...] = ()
    turn: tuple[str, ...] = ()
    turn_secret: SecretStr | None = Field(default=None, validate_default=True)
    ttl: int = Field(default=3600, ge=60, le=86400)
    relay_only: bool = False

    @field_validator("turn_secret")
    @classmethod
    def _usable(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if info.data.get("turn") and value is None:
            message = "turn demande aussi turn_secret, le static-auth-secret de coturn"
            raise ValueError(message)
        return value
