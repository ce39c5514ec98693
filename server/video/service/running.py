"""The videos that run, as a sign-in that ends sees them."""

from collections.abc import Sequence

from server.core.db.unit_of_work import UnitOfWork
from server.identity.domain.watched_videos import RunningVideo
from server.video.store.sessions import SessionStore


async def running_videos(uow: UnitOfWork, site: str) -> Sequence[RunningVideo]:
    """Return the videos of a site that have not ended."""
    return [
        RunningVideo(
            id=session.id,
            site=session.site,
            made_by=session.created_by,
            created=session.created,
            handed=session.handed is not None,
        )
        for session in await SessionStore(uow).running(site)
    ]
