"""A whole server over a temporary database, and a browser that keeps its cookies: what tests speak to."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import event, select, text
from tornado.httpclient import HTTPRequest, HTTPResponse

from server.app.all_tables import metadata
from server.app.command_services import command_services
from server.audit.store.audit import AuditStore
from server.audit.wire.chain import wire_chain
from server.core.audit_entries import Actor
from server.core.journal import sessions as journal
from server.core.journal.append import Journal
from server.core.personal import PersonalStore
from server.core.seal import Seal
from server.delivery.domain.messages import LONGEST_RETRY, MessageState
from server.delivery.store import MessageStore
from server.identity.domain.access import Role
from server.identity.domain.login import CODE_LIFE
from server.invitations.domain.invitation import Invitation
from server.invitations.store.invitations import InvitationStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.store.calls import CallStore
from server.video.domain.session import Session
from server.video.store.sessions import SessionStore
from telephony import (
    Alias,
    AliasType,
    Call,
    CallState,
    DatedAlias,
    Number,
    Span,
    StationSpan,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from server.administration.service.admin import Admin
    from server.app.command_services import CommandServices
    from server.app.server import Server
    from server.audit.service.chain import ChainVerification
    from server.audit.service.erasure import Erasure
    from server.core.sites import Site
    from server.identity.domain.users import User
    from server.identity.passwords import Passwords
    from server.identity.service.login import Login

SECRET = "0123456789abcdef" * 4
PASSWORD = "correct horse battery staple"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
ADDRESS = "127.0.0.1"


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


class FakeClock:
    """Time that passes when told to."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def pass_(self, **span: float) -> None:
        self._now += timedelta(**span)


@dataclass
class House:
    """A built server (not listening, no delivery loop), two sites and some people."""

    server: Server
    clock: FakeClock
    seal: Seal = field(default_factory=lambda: Seal(SECRET))
    sites: dict[str, Site] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    @property
    def login(self) -> Login:
        return self.server.features.sign_in.login

    @property
    def passwords(self) -> Passwords:
        return self.server.features.accounts.passwords

    @property
    def commands(self) -> CommandServices:
        """What the command line would do on this house's database."""
        return command_services(self.server.base, self.server.features.accounts)

    @property
    def admin(self) -> Admin:
        return self.commands.admin

    @property
    def chain(self) -> ChainVerification:
        return wire_chain(self.server.base).verification

    @property
    def erasure(self) -> Erasure:
        return wire_chain(self.server.base).erasure

    async def furnish(self) -> None:
        """Two sites; on the first everybody, on the second an auditor."""
        for key in ("rivage", "montagne"):
            self.sites[key] = await self.admin.add_site(
                key, f"SAMU {key}", f"referent@{key}.example", "SAMU15"
            )
        people = [(role.value, "rivage", role) for role in Role]
        people.append(("ailleurs", "montagne", Role.AUDITOR))
        for identifier, site, role in people:
            self.users[identifier] = await self.admin.add_user(
                identifier,
                PASSWORD,
                site_key=site,
                name=f"Prénom {identifier}",
                role=role,
                email=f"{identifier}@example.org",
                mobile=None if identifier == "arm" else "+33612345678",
            )

    async def look_around(self) -> None:
        """Learn what is there."""
        self.sites = {site.key: site for site in await self.admin.sites()}
        self.users = {user.identifier: user for user in await self.admin.users()}

    async def messages(self) -> list[dict[str, Any]]:
        """Every message that waits to be sent, or to be tried again, opened."""
        async with self.server.transactions(write=False) as uow:
            due = await MessageStore(uow).due_everywhere(self.clock.now() + LONGEST_RETRY, 100)
        return [
            {"kind": m.kind, "channel": m.channel, **json.loads(self.seal.open(m.sealed or b""))}
            for m in due
            if m.state is MessageState.QUEUED
        ]

    async def code(self) -> str:
        """The code in the newest message."""
        found = re.search(r"\b\d{6}\b", (await self.messages())[-1]["text"])
        assert found
        return found.group()

    async def rows(self, query: str) -> list[dict[str, Any]]:
        """Rows as they stand there, JSON as its text; times are text on SQLite, values on PostgreSQL."""
        async with self.server.engine.connect() as connection:
            result = await connection.execute(text(query))
            rows = [dict(row) for row in result.mappings()]
        return [
            {k: json.dumps(v) if isinstance(v, dict | list) else v for k, v in row.items()}
            for row in rows
        ]

    async def all_of(self, table: str) -> list[dict[str, Any]]:
        return await self.rows(str(select(metadata.tables[table])))

    async def actions(self, site: str = "rivage") -> list[str]:
        """What the audit of a site says, in order."""
        async with self.server.transactions(write=False) as uow:
            return [row.action async for row in AuditStore(uow).chain(self.sites[site].id)]

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """The SQL sent meanwhile, without its values."""
        sent: list[str] = []

        def note(_c: object, _cur: object, statement: str, *_rest: object) -> None:
            sent.append(statement)

        engine = self.server.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield sent
        finally:
            event.remove(engine, "before_cursor_execute", note)


class Browser:
    """Keeps cookies, sends the XSRF token, follows nothing."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.cookies: dict[str, str] = {}

    @property
    def xsrf(self) -> str:
        """The page's token, under the name it has over this transport."""
        return self.cookies.get("__Host-_xsrf") or self.cookies["_xsrf"]

    async def fetch(self, path: str, **options: Any) -> HTTPResponse:
        headers = dict(options.pop("headers", {}))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        request = HTTPRequest(
            self._client.get_url(path), headers=headers, follow_redirects=False, **options
        )
        response: HTTPResponse = await super(type(self._client), self._client).fetch(
            request, raise_error=False
        )
        for line in response.headers.get_list("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return response

    async def get(self, path: str, **options: Any) -> HTTPResponse:
        return await self.fetch(path, **options)

    async def post(self, path: str, form: dict[str, str], **options: Any) -> HTTPResponse:
        if not {"_xsrf", "__Host-_xsrf"} & self.cookies.keys():
            await self.get("/login")
        body = urlencode({"_xsrf": self.xsrf, **form})
        return await self.fetch(path, method="POST", body=body, **options)

    async def post_json(self, path: str, value: object) -> HTTPResponse:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Xsrftoken": self.xsrf,
        }
        return await self.fetch(path, method="POST", body=json.dumps(value), headers=headers)

    async def ask_code(
        self, identifier: str, password: str = PASSWORD, channel: str = "email"
    ) -> HTTPResponse:
        form = {"identifier": identifier, "password": password, "channel": channel}
        return await self.post("/login", form)

    async def sign_in(self, house: House, identifier: str) -> HTTPResponse:
        """Sign in as a person does; what is sent after it is younger than its code."""
        await self.ask_code(identifier)
        response = await self.post("/login/code", {"code": await house.code()})
        assert response.code == 303, response.body
        house.clock.pass_(microseconds=1)
        return response


NUMBER = "+33612345679"
CALL_ID = "a84b4c76e66710@pbx.example"


async def a_call(house: House, site: str = "rivage", id_: str = "call1", **changes: Any) -> Call:
    """Store a call that talked on station 201, known under two names."""
    start = house.clock.now()
    names = (
        DatedAlias(Alias(AliasType.SIP_CALL_ID, CALL_ID), "hep", start, why="INVITE"),
        DatedAlias(Alias(AliasType.LINKEDID, f"linked-{id_}"), "hep", start, why="X-Linkedid"),
    )
    call = Call(
        id=id_,
        caller=Number(NUMBER),
        state=CallState.TALKING,
        started=start,
        answered=start,
        aliases=names,
        stations=(StationSpan("201", start),),
        holds=(Span(start, start + timedelta(seconds=5)),),
        evidence=("INVITE seen",),
    )
    async with house.server.transactions() as uow:
        await CallStore(uow).save(house.sites[site].id, replace(call, **changes), start)
        await uow.commit()
    return call


async def a_video(
    house: House, site: str = "rivage", id_: str = "video1", call: str | None = "call1"
) -> None:
    """Store a video of that call, its invitation, and what the audit says of it."""
    now, site_id = house.clock.now(), house.sites[site].id
    user = house.users["regulator" if site == "rivage" else "ailleurs"]
    actor = Actor("desk", site_id, user.id, "192.0.2.77")
    certainty = Certainty.CERTAIN if call else Certainty.UNLINKED
    evidence = Evidence.CHOSEN if call else Evidence.NO_CALL
    async with house.server.transactions() as uow:
        await SessionStore(uow).add(Session(id_, site_id, "201", user.id, id_, now, now))
        await SessionStore(uow).add_link(
            site_id, CallLink(id_, call, certainty, evidence, user.id, now)
        )
        contact = await PersonalStore(uow).add(site_id, "number", NUMBER, now)
        await InvitationStore(uow).add(
            Invitation(
                f"i-{id_}", site_id, id_, "sms", contact, f"hash-{id_}", now, now + CODE_LIFE
            )
        )
        entry = journal.session_created(id_, call=call, station="201")
        await Journal(uow).append(actor, entry, now)
        await uow.commit()
