"""Sites, stations and users, changed from the command line and written down like everything else."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from server.core.audit_entries import Actor
from server.core.clock import Clock, Ids
from server.core.db.unit_of_work import UnitOfWork
from server.core.errors import Conflict, Invalid, NotFound
from server.core.journal import site as journal
from server.core.journal.append import Journal
from server.core.journal.entries import Entry
from server.core.site_policy import LaunchPolicy, ListedObserver, SitePolicy
from server.core.sites import Site, SiteStore, Station
from server.delivery.domain.contacts import check_email, check_mobile, read_number
from server.delivery.errors import EmailImpossible
from server.identity.domain.access import Role
from server.identity.domain.login import normal_identifier
from server.identity.domain.users import User
from server.identity.passwords import Passwords
from server.identity.store.login import LoginStore
from server.identity.store.users import UserStore
from server.observers.domain import LONGEST_NAME
from server.storage.transactions import Transactions

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 1024
LONGEST_EMAIL: Final = 254
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_IDENTIFIER: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}|\+?[0-9]{3,15}")  # GSM 03.40 address
_EXTENSION: Final = re.compile(r"[0-9A-Za-z*#+._-]{1,32}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class Admin:
    """The use cases of the administrator; each change is in the site's audit with source `cli`."""

    def __init__(
        self, transactions: Transactions, clock: Clock, ids: Ids, passwords: Passwords
    ) -> None:
        """Take the parts."""
        self._transactions = transactions
        self._clock = clock
        self._ids = ids
        self._passwords = passwords

    # --- sites and stations
    async def add_site(self, key: str, name: str, referent: str, sms_sender: str) -> Site:
        """Add a SAMU; Conflict when the key is taken."""
        _require(_KEY, key, "site_key")
        _require(_SENDER, sms_sender, "sms_sender")
        policy = SitePolicy(launch_signature=LaunchPolicy.REQUIRED)
        site = Site(
            id=self._ids.new(),
            key=key,
            name=_name(name, 64),
            sms_sender=sms_sender,
            referent_email=_email(referent),
            policy=policy,
        )
        async with self._transactions() as uow:
            await SiteStore(uow).add(site, self._clock.now())
            await self._note(uow, site.id, journal.site_added(site.id))
            await uow.commit()
        return site

    async def sites(self) -> Sequence[Site]:
        """List the sites."""
        async with self._transactions(write=False) as uow:
            return await SiteStore(uow).all()

    async def add_station(
        self, site_key: str, extension: str, name: str, *, webcam: bool
    ) -> Station:
        """Add a station; Conflict when the site has this extension."""
        _require(_EXTENSION, extension, "extension")
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            station = Station(
                id=self._ids.new(),
                site=site.id,
                extension=extension,
                name=_name(name, 64),
                webcam=webcam,
            )
            await SiteStore(uow).add_station(station)
            await self._note(uow, site.id, journal.station_added(extension, webcam=webcam))
            await uow.commit()
        return station

    async def stations(self, site_key: str) -> Sequence[Station]:
        """List the stations of a site."""
        async with self._transactions(write=False) as uow:
            return await SiteStore(uow).stations((await SiteStore(uow).by_key(site_key)).id)

    # --- observers a site invites often
    async def add_observer(
        self, site_key: str, name: str, *, mobile: str | None, email: str | None
    ) -> str:
        """Put somebody on the site's list; Conflict when the name is taken."""
        name = _name(name, LONGEST_NAME)
        if bool(mobile) == bool(email):
            raise Invalid("one_contact")
        to = check_mobile(mobile) if mobile else check_email(email or "")
        entry = ListedObserver(name=name, channel="sms" if mobile else "email", to=to)
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            known = site.policy.observers
            if any(one.name == name for one in known):
                raise Conflict("observer_name")
            await self._list(uow, site, [*known, entry])
            await uow.commit()
        return name

    async def observers(self, site_key: str) -> Sequence[ListedObserver]:
        """Return the site's list."""
        async with self._transactions(write=False) as uow:
            return (await SiteStore(uow).by_key(site_key)).policy.observers

    async def remove_observer(self, site_key: str, name: str) -> None:
        """Take somebody off the list; who sees a picture now goes on seeing it."""
        async with self._transactions() as uow:
            site = await SiteStore(uow).by_key(site_key)
            left = [one for one in site.policy.observers if one.name != name]
            if len(left) == len(site.policy.observers):
                raise NotFound("observer")
            await self._list(uow, site, left)
            await uow.commit()

    async def _list(self, uow: UnitOfWork, site: Site, known: Sequence[ListedObserver]) -> None:
        await SiteStore(uow).set_policy(site, site.policy.decide(observers=known))
        await self._note(uow, site.id, journal.site_policy_set(site.id, observers=len(known)))

    # --- users
    async def add_user(
        self,
        identifier: str,
        password: str,
        *,
        site_key: str,
        name: str,
        role: Role,
        email: str | None,
        mobile: str | None,
    ) -> User:
        """Add a user with at least one contact for the code; Conflict when the identifier is taken."""
        identifier = normal_identifier(identifier)
        _require(_IDENTIFIER, identifier, "identifier")
        if not email and not mobile:
            raise Invalid("contact_for_code")
        user = User(
            id=self._ids.new(),
            site="",
            identifier=identifier,
            name=_name(name, 128),
            role=role,
            password_hash=await self._hash(password),
            email=_email(email) if email else None,
            mobile=_mobile(mobile) if mobile else None,
            disabled=None,
            version=1,
        )
        async with self._transactions() as uow:
            user = replace(user, site=(await SiteStore(uow).by_key(site_key)).id)
            await UserStore(uow).add(user, self._clock.now())
            await self._note(uow, user.site, journal.user_added(user.id, role=role.value))
            await uow.commit()
        return user

    async def users(self, site_key: str | None = None) -> Sequence[User]:
        """List the users of one site, or of all."""
        async with self._transactions(write=False) as uow:
            sites = (
                [await SiteStore(uow).by_key(site_key)] if site_key else await SiteStore(uow).all()
            )
            return [user for site in sites for user in await UserStore(uow).of_site(site.id)]

    async def disable(self, identifier: str) -> User:
        """Shut a user out at once: no sign-in, every session revoked."""
        now = self._clock.now()
        async with self._transactions() as uow:
            user = await _user(uow, identifier)
            if user.disabled is None:
                user = await UserStore(uow).save(replace(user, disabled=now))
            await LoginStore(uow).revoke_user(user.site, user.id, now)
            await self._note(uow, user.site, journal.user_disabled(user.id))
            await uow.commit()
        return user

    async def enable(self, identifier: str) -> User:
        """Let a disabled user sign in again."""
        async with self._transactions() as uow:
            user = await UserStore(uow).save(replace(await _user(uow, identifier), disabled=None))
            await self._note(uow, user.site, journal.user_enabled(user.id))
            await uow.commit()
        return user

    async def set_role(self, identifier: str, role: Role) -> User:
        """Change what a user may do; in force with their next click."""
        async with self._transactions() as uow:
            user = await UserStore(uow).save(replace(await _user(uow, identifier), role=role))
            await self._note(uow, user.site, journal.user_role_set(user.id, role=role.value))
            await uow.commit()
        return user

    async def reset_password(self, identifier: str, password: str) -> User:
        """Set a new password; sessions opened with the old one end."""
        hashed = await self._hash(password)
        async with self._transactions() as uow:
            user = await UserStore(uow).save(
                replace(await _user(uow, identifier), password_hash=hashed)
            )
            await LoginStore(uow).revoke_user(user.site, user.id, self._clock.now())
            await self._note(uow, user.site, journal.user_password_reset(user.id))
            await uow.commit()
        return user

    async def revoke_sessions(self, identifier: str) -> User:
        """Sign a user out everywhere."""
        async with self._transactions() as uow:
            user = await _user(uow, identifier)
            await LoginStore(uow).revoke_user(user.site, user.id, self._clock.now())
            await self._note(uow, user.site, journal.user_sessions_revoked(user.id))
            await uow.commit()
        return user

    async def _hash(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise Invalid("password_length")
        return await self._passwords.hash(password)

    async def _note(self, uow: UnitOfWork, site: str, entry: Entry) -> None:
        await Journal(uow).append(Actor("cli", site), entry, self._clock.now())


async def _user(uow: UnitOfWork, identifier: str) -> User:
    user = await UserStore(uow).by_identifier(normal_identifier(identifier))
    if user is None:
        raise NotFound("user")
    return user


def _require(form: re.Pattern[str], value: str, what: str) -> None:
    if not form.fullmatch(value):
        raise Invalid(what)


def _name(text: str, longest: int) -> str:
    name = text.strip()
    if not name or len(name) > longest or not name.isprintable():
        raise Invalid("name")
    return name


def _email(text: str) -> str:
    address = text.strip()
    if len(address) > LONGEST_EMAIL or not _EMAIL.fullmatch(address):
        raise EmailImpossible
    return address


def _mobile(text: str) -> str:
    return read_number(text).e164
