"""What a site has decided: every key that the column `policy` may hold, its type and its default.

A stored policy is read here and nowhere else. While a key of it cannot be read, no server starts, the doctor says so,
and no command changes it. A server that runs already keeps its desks: it goes on with the keys that it can read.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError, field_validator

ZONE: Final = "Europe/Paris"
WHOLE: Final = "*"


class LaunchPolicy(StrEnum):
    """Whether launches that nobody signed may propose something, or are refused (so on a new site)."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class SnapshotPolicy(StrEnum):
    """Whether the desks of a site may store what they see."""

    NONE = "none"
    STORE = "store"


class ListedObserver(BaseModel):
    """Somebody whom the desks of a site invite often; `to` is a mobile or an e-mail address."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    channel: Literal["sms", "email"]
    to: str


class SitePolicy(BaseModel):
    """What a site has decided; a key that was never set has its default, and is not stored."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    launch_signature: LaunchPolicy = LaunchPolicy.OPTIONAL
    """Whether launches must be signed."""
    snapshots: SnapshotPolicy = SnapshotPolicy.NONE
    """Whether desks may store pictures of the video."""
    observers: tuple[ListedObserver, ...] = ()
    """Who is invited often."""
    webhook: StrictBool = False
    """Whether signed call events have connected line 15; set by the first one."""
    timezone: str = ZONE
    """The zone in which the site's people read their clocks."""

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (
            KeyError,
            OSError,
        ) as unknown:  # OSError: a folder of zones, a name that is too long
            raise ValueError("zone") from unknown
        return name

    def decide(
        self,
        *,
        launch_signature: LaunchPolicy | None = None,
        snapshots: SnapshotPolicy | None = None,
        observers: Sequence[ListedObserver] | None = None,
        webhook: bool | None = None,
    ) -> "SitePolicy":
        """Return the policy with what is given, and the rest as it was."""
        given = {
            "launch_signature": launch_signature,
            "snapshots": snapshots,
            "observers": None if observers is None else tuple(observers),
            "webhook": webhook,
        }
        changed = {key: value for key, value in given.items() if value is not None}
        return self.model_copy(update=changed)

    def stored(self) -> dict[str, object]:
        """Return what the column holds: the keys that were set."""
        return self.model_dump(mode="json", exclude_unset=True)


def read_policy(stored: object) -> tuple[SitePolicy, tuple[str, ...]]:
    """Read the column: the policy in force, and the keys that cannot be read (`*`: the column holds no JSON object).

    While a key cannot be read, launches must be signed unless the site decided otherwise in what can.
    """
    if (whole := _read(stored)) is not None:
        return whole, ()
    strict = SitePolicy(launch_signature=LaunchPolicy.REQUIRED)
    if not isinstance(stored, dict):
        return strict, (WHOLE,)
    known = {key: value for key, value in stored.items() if _read({key: value}) is not None}
    return SitePolicy.model_validate(strict.stored() | known), tuple(sorted(stored.keys() - known))


def _read(stored: object) -> SitePolicy | None:
    try:
        return SitePolicy.model_validate(stored)
    except ValidationError:
        return None
