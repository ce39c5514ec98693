"""Settings of the folders where a site's recorder puts its files (docs/operations.md)."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from server.core.settings import SettingsGroup
from telephony import ASTERISK_NAMES, NamePattern, PatternError


def _absolute(value: Path) -> Path:
    if not value.is_absolute() or value == Path("/"):
        message = "donnez le chemin complet d'un dossier, qui ne soit pas la racine"
        raise ValueError(message)
    return value


class RecordingsSettings(SettingsGroup):
    """One folder of one site: only what lies under it is ever read or served."""

    site: str
    name: str = Field(default="enregistrements", pattern=r"^[a-z][a-z0-9-]{0,31}$")
    kind: Literal["folder", "rtpengine"] = "folder"
    root: Annotated[Path, AfterValidator(_absolute)]
    prefix: str = ""
    pattern: str = ""
    timezone: str = "Europe/Paris"
    scan_seconds: float = Field(default=60.0, ge=0, le=86400)
    scan_entries: int = Field(default=5000, ge=10, le=100_000)
    scan_days: float = Field(default=7.0, gt=0, le=3650)
    depth: int = Field(default=4, ge=1, le=16)

    @model_validator(mode="after")
    def _readable(self) -> Self:
        try:
            self.names()
        except PatternError as wrong:
            raise ValueError(str(wrong)) from None
        return self

    def names(self) -> NamePattern:
        """Return what reads the names of its files."""
        return NamePattern(self.pattern or ASTERISK_NAMES, self.timezone)
