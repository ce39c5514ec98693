"""One frozen settings model: environment (VISIO15_…) over a TOML file over defaults; secrets never printed.

A wrong configuration is reported whole, every problem as a sentence, before anything starts.
"""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from server.app.settings.demonstration import demonstration_problems
from server.app.settings.sentences import sentence
from server.core.net.hosts import NAME, host_of, is_authority, is_host
from server.delivery.carriers.registry import AnyCarrier, SmsSettings
from server.delivery.settings import SmsLimits, SmtpSettings
from server.identity.settings import SignInSettings
from server.recordings.settings import RecordingsSettings
from server.video.settings import IceSettings
from telephony.registry import AnySource
from telephony.sources.source import Network

LONGEST_URL = 70  # beside it, one SMS still holds the sentence, the token and the site's name
CONFIG = "VISIO15_CONFIG"
AS_BROWSERS = "sans accent (xn--…) et sans point final"


def _file(value: Path) -> Path:
    if not value.is_file():
        message = "ce fichier n'existe pas"
        raise ValueError(message)
    return value


ReadFile = Annotated[Path, AfterValidator(_file)]


def _host_name(value: str) -> str:
    if not NAME.fullmatch(value):
        message = f"un nom d'hôte seul, sans http://, sans port et sans * (visio15.chu.example) ; {AS_BROWSERS}"
        raise ValueError(message)
    return value.lower()


HostName = Annotated[str, AfterValidator(_host_name)]


def _origin(value: str) -> str:
    """Take the address of a server as browsers write it: which compare it letter by letter."""
    origin = value.lower().removesuffix("/")
    found = re.fullmatch(r"https?://([^/?#@\s]+)", origin)
    if found is None:
        message = "une adresse de la forme https://visio15.example, sans chemin"
        raise ValueError(message)
    if not is_authority(found[1]):
        message = f"le nom d'hôte ne va pas : {AS_BROWSERS}"
        raise ValueError(message)
    return origin


Origin = Annotated[str, AfterValidator(_origin)]


def _share(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


class _Environment(EnvSettingsSource):
    """Leaves a value that is not JSON to the schema, so that it is one problem among the others."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Settings(BaseSettings):
    """Everything the server can be told; unknown keys are refused."""

    model_config = SettingsConfigDict(
        env_prefix="VISIO15_", env_nested_delimiter="__", frozen=True, extra="forbid"
    )

    data_dir: Path = Path("var")
    database: str = Field(default="", repr=False)  # may hold a password
    secret_key: SecretStr
    public_url: Origin = "http://localhost:8015"
    listen: str = "127.0.0.1"
    port: int = Field(default=8015, ge=0, le=65535)
    tls_certificate: ReadFile | None = None
    tls_key: ReadFile | None = Field(default=None, validate_default=True)
    trusted_proxies: tuple[Network, ...] = ()
    connections: int | None = Field(default=None, ge=16)
    connections_per_address: int | None = Field(default=None, ge=1)
    demo: bool = False
    spoken_address: str = Field(default="", max_length=40)
    link_minutes: int = Field(default=15, ge=1, le=120)
    grace_seconds: int = Field(default=1800, ge=5, le=7200)
    sms: SmsSettings | None = None
    carriers: tuple[AnyCarrier, ...] = ()
    sms_limits: SmsLimits = SmsLimits()
    smtp: SmtpSettings | None = None
    ice: IceSettings = IceSettings()
    feeds: tuple[AnySource, ...] = ()
    recordings: tuple[RecordingsSettings, ...] = ()
    sign_in: SignInSettings = SignInSettings()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    extra_origins: tuple[Origin, ...] = ()
    allowed_hosts: tuple[HostName, ...] = ()

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:  # noqa: PLR2004 - 256 bits as hexadecimal is 64
            message = "secret_key doit avoir au moins 32 caractères (openssl rand -hex 32)"
            raise ValueError(message)
        return value

    @field_validator("public_url")
    @classmethod
    def _short(cls, value: str) -> str:
        if len(value) > LONGEST_URL:
            message = f"public_url est trop longue pour un SMS ({LONGEST_URL} caractères au plus)"
            raise ValueError(message)
        return value

    @field_validator("spoken_address")
    @classmethod
    def _callable(cls, value: str) -> str:
        if value and not is_host(host_of(value)):
            message = "une adresse qu'un appelant peut taper, par exemple samu37.example/c"
            raise ValueError(message)
        return value

    @field_validator("tls_key")
    @classmethod
    def _both_or_none(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "tls_certificate" in info.data and (
            (info.data["tls_certificate"] is None) != (value is None)
        ):
            message = "tls_certificate et tls_key vont ensemble : donnez les deux, ou aucun"
            raise ValueError(message)
        return value

    @field_validator("carriers")
    @classmethod
    def _named_apart(cls, value: tuple[AnyCarrier, ...]) -> tuple[AnyCarrier, ...]:
        names = [carrier.name for carrier in value]
        if len(set(names)) < len(names):
            message = "deux opérateurs portent le même name : donnez à chacun le sien"
            raise ValueError(message)
        return value

    @field_validator("recordings")
    @classmethod
    def _told_apart(cls, value: tuple[RecordingsSettings, ...]) -> tuple[RecordingsSettings, ...]:
        names = [(folder.site, folder.name) for folder in value]
        if len(set(names)) < len(names):
            message = "deux dossiers d'un même site portent le même name : donnez à chacun le sien"
            raise ValueError(message)
        roots = {(folder.site, folder.root) for folder in value}
        for site, root in roots:
            if any(site != other and _share(root, theirs) for other, theirs in roots):
                message = "deux sites ne peuvent pas partager un dossier : donnez à chacun le sien"
                raise ValueError(message)
        return value

    @property
    def database_url(self) -> str:
        """The async SQLAlchemy URL; SQLite in the data folder unless told otherwise."""
        return self.database or f"sqlite+aiosqlite:///{self.data_dir.absolute()}/visio15.db"

    @property
    def spoken(self) -> str:
        """What is read aloud to a caller who gets no SMS: `samu37.fr/c`."""
        return self.spoken_address or f"{urlsplit(self.public_url).netloc}/c"

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address that the configuration gives to somebody who then calls this server."""
        bases = (each.receipt_base for each in (self.sms, *self.carriers) if each is not None)
        return (self.public_url, self.spoken, *self.extra_origins, *filter(None, bases))

    @property
    def secure(self) -> bool:
        """Whether the pages travel over TLS, so cookies can say Secure."""
        return self.public_url.startswith("https://")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit arguments, then environment, then the TOML file named by VISIO15_CONFIG."""
        del env_settings, dotenv_settings, file_secret_settings
        sources = (init_settings, _Environment(settings_cls))
        if path := os.environ.get(CONFIG):
            return (*sources, TomlConfigSettingsSource(settings_cls, path))
        return sources


class ConfigurationError(Exception):
    """All problems of the configuration at once; one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        """Keep the sentences for the command line."""
        super().__init__("\n".join(problems))
        self.problems = problems


def load(**overrides: object) -> Settings:
    """Read the settings once; raise ConfigurationError with every problem, never with a value in it."""
    problems = [*_no_file(), *_unknown_names()]
    settings: Settings | None = None
    try:
        settings = Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as wrong:
        problems += [
            f"{'.'.join(str(part) for part in error['loc'])}: {sentence(error)}"
            for error in wrong.errors(include_input=False, include_url=False)
        ]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as unreadable:
        where = re.search(r"\(at .*\)", str(unreadable))
        problems.append(f"{CONFIG}: ce n'est pas du TOML {where.group() if where else ''}".rstrip())
    if settings is not None:
        problems += demonstration_problems(settings)
    if problems or settings is None:
        raise ConfigurationError(problems)
    return settings


def _no_file() -> list[str]:
    """A file that is named but not there would be passed over in silence."""
    path = os.environ.get(CONFIG)
    if path and not (Path(path).is_file() and os.access(path, os.R_OK)):
        return [f"{CONFIG}: ce fichier n'existe pas ou ne peut pas être lu"]
    return []


def _unknown_names() -> list[str]:
    """A misspelt variable too."""
    known = {CONFIG, *(f"VISIO15_{name}".upper() for name in Settings.model_fields)}
    ours = (name for name in os.environ if name.upper().startswith("VISIO15_"))
    return [
        f"{name}: variable inconnue"
        for name in sorted(ours)
        if name.upper().partition("__")[0] not in known
    ]
