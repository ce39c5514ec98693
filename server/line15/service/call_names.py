"""What a call is called by people and other systems: check a name, and find its call or assert one that waits."""

from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.line15.errors import AliasMalformed
from server.line15.store.calls import CallStore
from telephony import Alias, AliasType

MAX_ALIAS = 255


def check_alias(text: str) -> str:
    """Return a call id as a person or another system gave it, trimmed; refuse what no system prints."""
    value = text.strip()
    if not value or len(value) > MAX_ALIAS or not value.isprintable():
        raise AliasMalformed
    return value


async def find_or_assert(uow: UnitOfWork, site: str, value: str, ids: Ids, clock: Clock) -> str:
    """Return the newest call of this site with this name, or a new asserted one that waits for its feed."""
    if found := await CallStore(uow).find(site, value):
        return found[0].id
    call = ids.new()
    await CallStore(uow).assert_call(site, call, Alias(AliasType.ASSERTED, value), clock.now())
    return call
