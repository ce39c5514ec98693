"""Days on the clock of a site's people."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from server.core.errors import Invalid
from server.core.sites import Site


def zone_of(site: Site) -> ZoneInfo:
    """Return the zone in which the site's people read their clocks."""
    return ZoneInfo(site.policy.timezone)


def day_bounds(site: Site, day: str) -> tuple[datetime, datetime]:
    """Return the UTC start and end of the site's own day; overseas sites name their zone in their policy."""
    try:
        zone = zone_of(site)
        first = date.fromisoformat(day)
        start = datetime.combine(first, time.min, zone)
        end = datetime.combine(first + timedelta(days=1), time.min, zone)
        return start.astimezone(UTC), end.astimezone(UTC)
    except (ValueError, OverflowError) as malformed:
        raise Invalid("day") from malformed
