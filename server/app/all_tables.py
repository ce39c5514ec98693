"""The whole schema: each room's store declares its tables, and here they are all known.

`alembic check` proves that the migrations agree with it. I4 shapes it: `audit` holds ids, times and salted commitments
and is never updated; everything personal stands sealed in `personal`, `message` or `audit_payload`, in columns that
erasure sets to NULL. Numbers and addresses are found by a keyed hash (`lookup`). Rows named append-only (`call_alias`,
`call_span`, `session_link`, `feedback_step`, `audit`) get corrections as new rows.
"""

from server.core import personal, sites
from server.core.db.metadata import metadata
from server.core.journal import append as journal
from server.core.limits import throttle_store
from server.delivery import store as delivery
from server.identity import store as identity
from server.incidents import store as incidents
from server.invitations import store as invitations
from server.line15 import store as line15
from server.observers import store as observers
from server.recordings import store as recordings
from server.video import store as video

__all__ = ["metadata"]

#: The modules whose import makes their tables known.
DECLARING = (
    sites,
    personal,
    journal,
    throttle_store,
    identity,
    line15,
    recordings,
    video,
    invitations,
    observers,
    delivery,
    incidents,
)
