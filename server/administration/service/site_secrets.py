"""Secrets shared with the call-centre software, and whether its launches must be signed: set from the command line."""

from collections.abc import Sequence
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import NotFound
from server.core.journal import site as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.site_policy import LaunchPolicy, SnapshotPolicy
from server.core.sites import Site, SiteStore
from server.line15.domain.signing import SiteSecret
from server.line15.store.secrets import SecretStore
from server.storage.transactions import Transactions

ACTIVE: Final = 2


class SiteSecrets:
    """Two secrets may sign at once, so that one is replaced without a silence."""

    def __init__(self, transactions: Transactions, clock: Clock, ids: Ids) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids

    async def rotate(self, site_key: str) -> SiteSecret:
        """Make a secret; the one before may still sign, older ones no more. Its value is never shown again."""
        now = self._clock.now()
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            for former in (await SecretStore(uow).active(site.id))[ACTIVE - 1 :]:
                await self._retire(uow, site, former.id)
            value = self._ids.new() + self._ids.new()
            secret = SiteSecret(self._ids.new()[:12], site.id, value, now)
            await SecretStore(uow).add(secret)
            await self._note(uow, site, journal.secret_added(secret.id))
            await uow.commit()
        return secret

    async def retire(self, site_key: str, kid: str) -> None:
        """Let a secret sign nothing more, at once."""
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            if kid not in {secret.id for secret in await SecretStore(uow).active(site.id)}:
                raise NotFound("secret")
            await self._retire(uow, site, kid)
            await uow.commit()

    async def every(self, site_key: str) -> Sequence[SiteSecret]:
        """List the secrets there ever were, the newest first."""
        async with self._transactions(write=False) as uow:
            return await SecretStore(uow).all((await SiteStore(uow).by_key(site_key)).id)

    async def launches(self, site_key: str, policy: LaunchPolicy) -> None:
        """Set whether launches must be signed; in force with the next one."""
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            await SiteStore(uow).set_policy(site, site.policy.decide(launch_signature=policy))
            await self._note(uow, site, journal.site_policy_set(site.id, launch=policy.value))
            await uow.commit()

    async def snapshots(self, site_key: str, policy: SnapshotPolicy) -> None:
        """Set whether desks may store pictures; open desks know within five seconds."""
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            await SiteStore(uow).set_policy(site, site.policy.decide(snapshots=policy))
            await self._note(uow, site, journal.site_policy_set(site.id, snapshots=policy.value))
            await uow.commit()

    async def _retire(self, uow: UnitOfWork, site: Site, kid: str) -> None:
        await SecretStore(uow).retire(site.id, kid, self._clock.now())
        await self._note(uow, site, journal.secret_retired(kid))

    async def _note(self, uow: UnitOfWork, site: Site, entry: Entry) -> None:
        await Journal(uow).append(Actor("cli", site.id), entry, self._clock.now())
