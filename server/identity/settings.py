"""Settings of sign-ins: how long they last."""

from collections.abc import Mapping
from datetime import timedelta

from pydantic import Field

from server.core.settings import SettingsGroup
from server.identity.domain.access import Role
from server.identity.domain.sign_in import SignInLives, by_role


class LifeSettings(SettingsGroup):
    """How long a sign-in of some roles lasts."""

    absolute_minutes: int = Field(ge=1, le=1440)
    idle_minutes: int = Field(ge=1, le=720)

    @property
    def lives(self) -> SignInLives:
        """As the rule takes them."""
        return SignInLives(
            timedelta(minutes=self.absolute_minutes), timedelta(minutes=self.idle_minutes)
        )


class SignInSettings(SettingsGroup):
    """The lives of sign-ins; docs/security.md says why these."""

    desk: LifeSettings = LifeSettings(absolute_minutes=14 * 60, idle_minutes=4 * 60)
    reading: LifeSettings = LifeSettings(absolute_minutes=10 * 60, idle_minutes=30)
    administration: LifeSettings = LifeSettings(absolute_minutes=4 * 60, idle_minutes=15)

    def by_role(self) -> Mapping[Role, SignInLives]:
        """Return the lives of every role."""
        return by_role(self.desk.lives, self.reading.lives, self.administration.lives)
