"""`visio15 cdr import`: late statements about calls are added, never overwrite, and twice is once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from click import Group
from click.testing import CliRunner, Result

from server.app.command_services import command_services
from server.app.foundation import foundation
from server.app.settings.settings import Settings
from server.cli.cdr import cdr
from server.core.personal import PersonalStore
from server.identity.domain.access import Role
from server.identity.wire.accounts import wire_accounts
from server.invitations.domain.invitation import Invitation
from server.invitations.store.invitations import InvitationStore
from server.line15.domain.call_links import CallLink, Certainty, Evidence
from server.line15.store.calls import CallStore
from server.line15.wire.calls import wire_ingests
from server.reconcile.domain import cdr as rules
from server.storage import schema
from server.video.domain.session import Session
from server.video.service.following import relink
from server.video.store.sessions import SessionStore
from telephony import (
    Alias,
    AliasType,
    Call,
    CallsChanged,
    CallState,
    DatedAlias,
    Number,
    StationSpan,
)

if TYPE_CHECKING:
    from pathlib import Path

    from server.storage.wire import Foundation

SECRET = "s" * 32
MINE = "+33612345678"
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HEAD = "uniqueid,sip_call_id,caller,called,station,start,answer,end\n"
ROW = "1772352000.5,a@b,0612345678,15,201,2026-03-01 09:00:00,2026-03-01 09:00:05,2026-03-01 09:05:00\n"


@dataclass
class _Lazy:
    settings: Settings


class _Clock:
    def now(self) -> datetime:
        return START


@dataclass
class Place:
    """A site with two stations, a person, and the command."""

    settings: Settings
    folder: Path
    site: str = ""
    user: str = ""

    def run(self, work: Any) -> Any:
        async def whole() -> Any:
            async with aclosing(foundation(self.settings, clock=_Clock())) as base:
                return await work(base)

        return asyncio.run(whole())

    def do(self, work: Any) -> Any:
        async def inside(base: Foundation) -> Any:
            async with base.transactions() as uow:
                result = await work(uow)
                await uow.commit()
                return result

        return self.run(inside)

    def feed(self, *calls: Call) -> None:
        """What a feed told of."""

        async def told(base: Foundation) -> None:
            line = wire_ingests(base, on_merged=(relink,))(self.site)
            await line.receive([CallsChanged(calls)])

        self.run(told)

    def __call__(self, text: str | bytes, *options: str) -> Result:
        file = self.folder / "cdr.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        arguments = ["cdr", "import", str(file), "--site", "rivage", *options]
        main = Group("visio15", commands={"cdr": cdr})
        return CliRunner().invoke(main, arguments, obj=_Lazy(self.settings))

    def everything(self) -> list[Any]:
        """Every row of every table, as it stands."""
        from server.app.all_tables import metadata  # noqa: PLC0415

        async def rows(base: Foundation) -> list[Any]:
            async with base.transactions(write=False) as uow:
                found = []
                for table in metadata.sorted_tables:
                    result = await uow.connection.execute(table.select())
                    found.append(sorted(map(repr, result)))
                return found

        result: list[Any] = self.run(rows)
        return result

    def links(self, session: str = "video1") -> list[tuple[str | None, str]]:
        async def read(uow: Any) -> list[tuple[str | None, str]]:
            return [
                (link.call, link.evidence.value)
                for link in await SessionStore(uow).links(self.site, session)
            ]

        found: list[tuple[str | None, str]] = self.do(read)
        return found

    def found(self, name: str) -> list[Any]:
        async def read(uow: Any) -> list[Any]:
            calls = await CallStore(uow).find(self.site, name)
            return [await CallStore(uow).record(self.site, call.id) for call in calls]

        result: list[Any] = self.do(read)
        return result


@pytest.fixture
def place(tmp_path: Path) -> Place:
    url = f"sqlite+aiosqlite:///{tmp_path / 'visio15.db'}"
    made = Place(Settings(data_dir=tmp_path, database=url, secret_key=SECRET), tmp_path)
    asyncio.run(schema.upgrade(made.settings.database_url))

    async def furnish(base: Foundation) -> None:
        admin = command_services(base, wire_accounts(base)).admin
        made.site = (await admin.add_site("rivage", "SAMU", "r@x.fr", "SAMU")).id
        for extension in ("201", "202"):
            await admin.add_station("rivage", extension, extension, webcam=False)
        given = {"site_key": "rivage", "name": "M", "role": Role.REGULATOR, "mobile": None}
        made.user = (await admin.add_user("marie", "p" * 16, email="m@x.fr", **given)).id

    made.run(furnish)
    return made


def a_video(place: Place, evidence: Evidence = Evidence.FEED_DOWN) -> None:
    """Invited at 9:01 in Paris, from station 201, by SMS."""
    at = START + MINUTE

    async def store(uow: Any) -> None:
        await SessionStore(uow).add(Session("video1", place.site, "201", place.user, "c1", at, at))
        await SessionStore(uow).add_link(
            place.site, CallLink("video1", None, Certainty.UNLINKED, evidence, None, at)
        )
        contact = await PersonalStore(uow).add(place.site, "number", MINE, at)
        await InvitationStore(uow).add(
            Invitation("i1", place.site, "video1", "sms", contact, "h", at, at + MINUTE)
        )

    place.do(store)


def a_call(**changes: Any) -> Call:
    """The same call as a feed saw it, under its SIP name, cut off half-way."""
    names = (DatedAlias(Alias(AliasType.SIP_CALL_ID, "a@b"), "hep", START),)
    call = Call(
        id="known",
        caller=Number(MINE),
        state=CallState.TALKING,
        started=START,
        answered=START,
        certain=False,
        aliases=names,
        stations=(StationSpan("201", START),),
    )
    return replace(call, **changes)


def test_an_unknown_call_is_stored_and_its_video_linked_and_twice_is_once(place: Place) -> None:
    a_video(place)
    done = place(HEAD + ROW)
    assert done.exit_code == 0, done.output
    assert "calls: 1 new, 0 completed, 0 known already" in done.output
    assert "videos linked: 1" in done.output
    (record,) = place.found("1772352000.5")
    assert place.links() == [(None, "feed_down"), (record.call.id, "reconciled")]
    assert (record.call.state, record.call.number) == ("ended", MINE)
    assert record.call.told_by == {"cdr"}
    assert record.call.answered == START + timedelta(seconds=5)
    before = place.everything()
    again = place(HEAD + ROW)
    assert "calls: 0 new, 0 completed, 1 known already" in again.output
    assert place.everything() == before, "the same file twice changes nothing"
    assert "612345678" not in done.output + again.output


def test_a_known_call_gets_names_and_times_and_keeps_what_it_had(place: Place) -> None:
    place.feed(a_call())
    a_video(place)
    done = place(HEAD + ROW)
    assert "calls: 0 new, 1 completed" in done.output
    assert "videos linked: 1" in done.output
    (record,) = place.found("1772352000.5")
    call = record.call
    assert (call.id, call.state, call.ended, call.certain) == ("known", "talking", None, False)
    assert {(alias.type, alias.source) for alias in call.aliases} == {
        ("sip_call_id", "hep"),
        ("sip_call_id", "cdr"),
        ("uniqueid", "cdr"),
    }
    ends = START + 5 * MINUTE
    assert [(s.value, s.end) for s in record.spans if s.kind == "cdr"] == [("201", ends)]
    assert place.links()[-1] == ("known", "reconciled")
    assert "1 known already" in place(HEAD + ROW).output


def test_a_call_that_shares_no_name_is_known_by_its_number_and_second(place: Place) -> None:
    place.feed(a_call(started=START + timedelta(seconds=1)))
    alone = (HEAD + ROW).replace("a@b", "")
    assert "calls: 0 new, 1 completed" in place(alone).output
    (record,) = place.found("1772352000.5")
    assert record.call.id == "known"
    assert "same number, same second" in record.call.aliases[-1].why


@pytest.mark.parametrize(
    ("change", "options", "why"),
    [
        ({}, ("--timezone", "UTC"), "known at another time: is the time zone right?"),
        ({"caller": Number("+33698765432")}, (), "known with another number"),
    ],
)
def test_what_contradicts_a_feed_is_not_taken(
    place: Place, change: dict[str, Any], options: tuple[str, ...], why: str
) -> None:
    ended = START + 5 * MINUTE
    place.feed(a_call(state=CallState.ENDED, ended=ended, **change))
    before = place.everything()
    done = place(HEAD + ROW, *options)
    assert f"line 2: {why}" in done.output
    assert place.everything() == before


def test_a_typed_id_finds_its_call(place: Place) -> None:
    """The doctor typed the call's id while the telephony was away: the record says which call that was."""
    a_video(place)

    async def typed(uow: Any) -> None:
        name = Alias(AliasType.ASSERTED, "1772352000.5")
        await CallStore(uow).assert_call(place.site, "stand-in", name, START + MINUTE)
        link = CallLink("video1", "stand-in", Certainty.CERTAIN, Evidence.MANUAL_ID, None, START)
        await SessionStore(uow).add_link(place.site, link)

    place.do(typed)
    assert "1 new" in place(HEAD + ROW).output
    (record,) = place.found("1772352000.5")
    assert place.links()[-1] == (record.call.id, "launch_context")
    assert not record.call.asserted


def test_a_feed_that_tells_of_an_imported_call_takes_it_over(place: Place) -> None:
    a_video(place)
    place(HEAD + ROW)
    place.feed(a_call(id="told", certain=True))
    assert place.links()[-1] == ("told", "merged")
    (record,) = place.found("1772352000.5")
    assert record.call.id == "told"


def test_who_declined_stays_without_a_call(place: Place) -> None:
    a_video(place, Evidence.DECLINED)
    assert "videos linked: 0" in place(HEAD + ROW).output
    assert place.links() == [(None, "declined")]


def test_a_hostile_file_costs_its_bad_lines_only(place: Place) -> None:
    hostile = (
        HEAD
        + '=cmd|"/C calc"!A0,a,b,c,d,e,f,g\n'
        + '"never closed,06\n'
        + ROW.replace("1772352000.5", "1.8E+09")
        + "\0" * 50
        + "\n"
        + "x," * 9000
        + "\n"
        + ROW
    )
    done = place(hostile.encode() + b"\xff\xfe\xe9,\n")
    assert done.exit_code == 0
    assert "1 rows read, 6 lines skipped" in done.output
    assert "line 4: id was rounded by a spreadsheet" in done.output
    for secret in ("calc", "06123", "never"):
        assert secret not in done.output


def test_what_cannot_be_read_at_all_is_said(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place("a,b\n1,2\n").exit_code == 1
    assert place(HEAD + "x\n").exit_code == 1
    assert "timezone" in place(HEAD + ROW, "--timezone", "Mars/Base").output
    assert place(HEAD + ROW, "--site", "nowhere").exit_code == 1
    monkeypatch.setattr("server.cli.cdr.MAX_BYTES", 10)
    large = place(HEAD + ROW)
    assert large.exit_code == 1
    assert "split the file" in large.output
    assert rules.MAX_BYTES == 32 * 1024 * 1024


def test_asterisk_s_own_file(place: Place) -> None:
    a_video(place)
    cells = [
        *("", "0612345678", "15", "from-trunk", '""Jean"" <0612345678>', "PJSIP/trunk-0000002a"),
        *("PJSIP/201-0000002b", "Dial", "PJSIP/201", "2026-03-01 09:00:00"),
        *("2026-03-01 09:00:05", "2026-03-01 09:05:00", "300", "295", "ANSWERED"),
        *("DOCUMENTATION", "1772352000.5", ""),
    ]
    done = place(",".join(f'"{cell}"' for cell in cells) + "\n", "--preset", "asterisk")
    assert "videos linked: 1" in done.output, done.output
