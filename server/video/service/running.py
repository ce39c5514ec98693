"""The videos that run, as a sign-in that ends sees them."""

from collections.abc import Sequence

from server.identity.domain.watching import RunningVideo
from server.ports import UnitOfWork


async def running_videos(uow: UnitOfWork) -> Sequence[RunningVideo]:
    """Return the videos of all sites that have not ended."""
    return [
        RunningVideo(
            id=session.id,
            site=session.site,
            made_by=session.created_by,
            created=session.created,
            handed=session.handed is not None,
        )
        for session in await uow.sessions.open_everywhere()
    ]
