"""Sites, their stations and what a site has decided (`policy`), as values and as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    String,
    Table,
    UniqueConstraint,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from server.core.db.metadata import ID, SLUG, UtcDateTime, metadata
from server.core.db.sealing import by_token, everywhere
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Conflict, NotFound, SitePolicyUnreadable, StationUnknown
from server.core.site_policy import SitePolicy, read_policy


@dataclass(frozen=True, slots=True)
class Site:
    """A SAMU; sites are sealed from each other (I7)."""

    id: str
    key: str
    name: str
    sms_sender: str
    referent_email: str
    policy: SitePolicy
    unread: tuple[str, ...] = ()  # keys of the stored policy that this release cannot read

    def check_policy(self) -> None:
        """Raise SitePolicyUnreadable, with the site and its keys, unless the stored policy was read whole."""
        if self.unread:
            raise SitePolicyUnreadable(
                f"{self.key}: {', '.join(ascii(key)[:64] for key in self.unread)}"
            )


@dataclass(frozen=True, slots=True)
class Station:
    """A workplace with a line-15 telephone."""

    id: str
    site: str
    extension: str
    name: str
    webcam: bool


sites = Table(
    "site",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", SLUG, nullable=False, unique=True),
    Column("name", String(64), nullable=False),
    Column("sms_sender", String(16), nullable=False),
    Column("referent_email", String(254), nullable=False),
    Column("policy", JSON, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)

stations = Table(
    "station",
    metadata,
    Column("id", ID, primary_key=True),
    Column("site", ForeignKey("site.id"), nullable=False),
    Column("extension", String(32), nullable=False),
    Column("name", String(64), nullable=False),
    Column("webcam", Boolean, nullable=False),
    UniqueConstraint("site", "extension"),
)


def _site(row: Mapping[str, Any]) -> Site:
    policy, unread = read_policy(row["policy"])
    return Site(
        id=row["id"],
        key=row["key"],
        name=row["name"],
        sms_sender=row["sms_sender"],
        referent_email=row["referent_email"],
        policy=policy,
        unread=unread,
    )


def _station(row: Mapping[str, Any]) -> Station:
    return Station(
        id=row["id"],
        site=row["site"],
        extension=row["extension"],
        name=row["name"],
        webcam=row["webcam"],
    )


class SiteStore:
    """Sites and stations; another site's station is simply not there (I7)."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Work in the transaction of `uow`."""
        self._connection = uow.connection

    async def get(self, site: str) -> Site:
        """Return the site; NotFound when there is none."""
        found = (await self._connection.execute(select(sites).where(sites.c.id == site))).mappings()
        if (row := found.first()) is None:
            raise NotFound("site")
        return _site(dict(row))

    @by_token
    async def by_key(self, key: str) -> Site:
        """Return the site of this key; NotFound when there is none."""
        found = (await self._connection.execute(select(sites).where(sites.c.key == key))).mappings()
        if (row := found.first()) is None:
            raise NotFound("site")
        return _site(dict(row))

    @everywhere
    async def all(self) -> Sequence[Site]:
        """Return every site, the oldest first: it is the one that keeps the house's own events."""
        query = select(sites).order_by(sites.c.created, sites.c.key)
        return [_site(dict(row)) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, site: Site, created: datetime) -> None:
        """Add a site; Conflict when its key is taken."""
        row = {
            "id": site.id,
            "key": site.key,
            "name": site.name,
            "sms_sender": site.sms_sender,
            "referent_email": site.referent_email,
            "policy": site.policy.stored(),
            "created": created,
        }
        try:
            await self._connection.execute(insert(sites).values(row))
        except IntegrityError as taken:
            raise Conflict("site_key") from taken

    async def set_policy(self, site: Site, policy: SitePolicy) -> None:
        """Write what a site has decided; SitePolicyUnreadable when that would drop what cannot be read."""
        site.check_policy()
        query = update(sites).where(sites.c.id == site.id).values(policy=policy.stored())
        await self._connection.execute(query)

    async def stations(self, site: str) -> Sequence[Station]:
        """Return the stations of a site by extension."""
        query = select(stations).where(stations.c.site == site).order_by(stations.c.extension)
        return [_station(dict(row)) for row in (await self._connection.execute(query)).mappings()]

    async def station(self, site: str, extension: str) -> Station:
        """Return one station of this site; StationUnknown when it has none."""
        query = select(stations).where(stations.c.site == site, stations.c.extension == extension)
        if (row := (await self._connection.execute(query)).mappings().first()) is None:
            raise StationUnknown
        return _station(dict(row))

    async def add_station(self, station: Station) -> None:
        """Add a station; Conflict when the site has this extension."""
        row = {
            "id": station.id,
            "site": station.site,
            "extension": station.extension,
            "name": station.name,
            "webcam": station.webcam,
        }
        try:
            await self._connection.execute(insert(stations).values(row))
        except IntegrityError as taken:
            raise Conflict("station_extension") from taken
