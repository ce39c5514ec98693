"""The administrator sees how line 15 fares, in figures and in sentences, of the own site only and without a number."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from server.core.errors import walk
from server.line15.domain.feed_words import advice, level, remark, why_refused
from server.line15.domain.report import FeedReport, LineReport
from server.line15.service.health import LineHealthReader
from telephony import Call, CallState, FeedHealth, FeedState, Number, Related
from tests.lab.ports import free_port
from tests.lab.process import until
from tests.server.house import NUMBER, START, FakeClock
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.databases import Furnished

PORT = free_port()


@pytest.fixture
def house(io_loop: Any, furnished_database: Furnished, tmp_path: Path) -> Iterator[Running]:
    feed = {"kind": "hep", "site": "rivage", "port": PORT, "auth_key": "right"}
    with running(io_loop, furnished_database, tmp_path, feeds=[feed]) as house:
        yield house


async def health(house: Running) -> dict[str, Any]:
    browser = await house.signed_in("admin", None)
    answer = await browser.get("/api/v1/telephony/health")
    assert answer.code == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


async def test_a_feed_that_refuses_packets_says_so_and_what_to_do(house: Running) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(3):
            stranger.sendto(b"HEP3\x00\x06", ("127.0.0.1", PORT))

        async def counted() -> bool:
            (feed,) = (await health(house))["feeds"]
            return bool(feed["refused"])

        await until(counted, "a packet is refused")
    told = await health(house)
    (feed,) = told["feeds"]
    assert (feed["name"], feed["kind"], feed["state"], feed["level"]) == (
        "hep",
        "hep",
        "quiet",
        "watch",
    )
    assert all(one["reason"].startswith("hep_") for one in feed["refused"])
    assert "illisible" in feed["refused"][0]["words"]
    assert any("recopie encore" in sentence for sentence in feed["advice"])
    assert (told["live"], told["uncertain"], told["contradictions"]) == (0, 0, [])
    page = (await (await house.signed_in("admin", None)).get("/admin/telephony")).body.decode()
    assert 'id="boot"' in page
    assert "recopie encore" in page


async def test_what_the_kernel_lost_is_told_counted_and_has_a_remedy(house: Running) -> None:
    """A flood: nothing is read while it is sent, and the socket has no room for all of it."""
    (feed,) = (await health(house))["feeds"]
    assert feed["dropped"] == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        for _ in range(30_000):
            agent.sendto(b"HEP3\x00\x06", ("127.0.0.1", PORT))

    async def counted() -> bool:
        (feed,) = (await health(house))["feeds"]
        return bool(feed["dropped"])

    await until(counted, "the kernel lost something")
    told = await health(house)
    (feed,) = told["feeds"]
    assert told["dropped"] == feed["dropped"]
    assert any("net.core.rmem_max" in sentence for sentence in feed["advice"])
    text = (await house.browser().get("/metrics")).body.decode()
    lost = {
        where: float(count)
        for where, count in re.findall(
            r'visio15_feed_lost{feed="hep",site="rivage",where="(\w+)"} (\S+)', text
        )
    }
    assert lost["kernel"] >= feed["dropped"]
    assert lost["queue"] == 0.0


async def test_another_site_s_line_is_not_shown(house: Running) -> None:
    reader = LineHealthReader(house.server.lines, house.clock)
    assert [one.name for one in reader.read(house.sites["rivage"].id).feeds] == ["hep"]
    other = reader.read(house.sites["montagne"].id)
    assert (list(other.feeds), other.level) == ([], "watch")
    assert "Aucune source" in other.advice[0]


async def test_the_kiosk_leads_there(house: Running) -> None:
    page = (await (await house.signed_in("admin", None)).get("/kiosk")).body.decode()
    assert 'href="/admin/telephony"' in page
    page = (await (await house.signed_in("regulator")).get("/kiosk")).body.decode()
    assert 'href="/admin/telephony"' not in page


async def test_the_metrics_show_the_lag(house: Running) -> None:
    text = (await house.browser().get("/metrics")).body.decode()
    assert "# TYPE visio15_feed_lag_seconds gauge" in text
    assert "visio15_feed_lag_seconds{" not in text  # nothing was heard yet


class _Line:
    """A line as it may be after a bad night."""

    def __init__(self, *calls: Call) -> None:
        self.calls = calls

    def report(self, _site: str) -> LineReport:
        down = FeedHealth(
            "pbx",
            FeedState.DOWN,
            START,
            START,
            9,
            {"login": 4},
            "",
            7.25,
            START,
            2,
            "Asterisk 22.10.0",
            1,
            12,
        )
        return LineReport((FeedReport("ami", down, 5),), self.calls, 3, 12, 1, 0)


def test_what_is_wrong_with_calls_and_queue_is_told_without_a_number() -> None:
    why = "ami and hep contradict each other"
    common = {"caller": Number(NUMBER), "started": START}
    calls = (
        Call("a", state=CallState.TALKING, certain=False, related=(Related("b", why),), **common),
        Call("b", state=CallState.ENDED, ended=START, **common),
    )
    told = LineHealthReader(_Line(*calls), FakeClock()).read("any")
    (feed,) = told.feeds
    assert (told.level, told.live, told.uncertain, told.overflow) == ("bad", 1, 1, 12)
    assert [(one.call, one.why) for one in told.contradictions] == [("a", why)]
    assert (feed.per_minute, feed.restarts, feed.lag, feed.words) == (2, 5, 7.25, "coupée")
    assert (feed.switchboard, feed.remark) == ("Asterisk 22.10.0", "")
    # The connection, the clock, the account, what came too fast, what found no room.
    assert len(feed.advice) == 5
    assert feed.advice[3].startswith("1 message perdu avant")
    assert feed.advice[4].startswith("12 messages perdus faute")
    assert (feed.dropped, feed.overflow, told.dropped) == (1, 12, 1)
    # What was lost unread and for want of room, the uncertain call, the contradiction.
    assert len(told.advice) == 4
    assert NUMBER not in repr(told)


@pytest.mark.parametrize(("dropped", "overflow"), [(1, 0), (1_000_000, 0), (0, 1)])
def test_a_line_that_lost_something_is_to_be_looked_at(dropped: int, overflow: int) -> None:
    """Calls were left in doubt: the page is not green, whoever lost it."""

    class Busy(_Line):
        def report(self, _site: str) -> LineReport:
            up = FeedHealth("hep", FeedState.CONNECTED, START, START, 9, {})
            lost = replace(up, dropped=dropped, overflow=overflow)
            return LineReport((FeedReport("hep", lost, 0),), (), 0, overflow, 0, 0)

    told = LineHealthReader(Busy(), FakeClock()).read("any")
    (feed,) = told.feeds
    assert (told.level, feed.level) == ("watch", "watch")
    (sentence,) = told.advice
    assert str(dropped or overflow) in sentence
    assert len(feed.advice) == 1


@pytest.mark.parametrize(
    "kind", ["hep", "ami", "esl", "dialog-info", "pyvoip", "webhook", "replay"]
)
@pytest.mark.parametrize("state", ["starting", "quiet", "down"])
def test_every_bad_state_of_every_feed_has_a_sentence(kind: str, state: str) -> None:
    (sentence,) = advice(kind, state, None, {})
    assert sentence.endswith(".")
    assert level(state, None) != "ok"


@pytest.mark.parametrize(
    ("switchboard", "tried"),
    [
        ("", ""),
        ("Asterisk 22.10.0, AMI 11.0.0", ""),
        ("Asterisk 22.10.1~dfsg-1, AMI 11.0.0", ""),
        ("Asterisk 23.4.1, AMI 12.0.0", ""),
        ("AMI 12.0.0", ""),
        ("FreeSWITCH 1.10.12", ""),
        ("Asterisk 22.1.0, AMI 11.0.0", "Asterisk 22.10, 23.4"),
        ("Asterisk certified-20.7-cert1, AMI 9.0.0", "Asterisk 22.10, 23.4"),
        ("AMI 110.0.0", "AMI 11, 12"),
        ("AMI ?", "AMI 11, 12"),
        ("FreeSWITCH 1.6.20", "FreeSWITCH 1.10.12"),
        ("Another 1.0", ""),
    ],
)
def test_a_version_that_was_never_tried_is_remarked(switchboard: str, tried: str) -> None:
    said = remark(switchboard)
    assert ("jamais essayée" in said, f": {tried})" in said) == (bool(tried), bool(tried))


@pytest.mark.parametrize(
    "reason",
    [
        "ami_version",
        "not_ami",
        "not_esl",
        "old_event",
        "acl",
        "events",
        "denied",
        "list",
        "description",
    ],
)
def test_what_a_switchboard_is_refused_for_has_its_words(reason: str) -> None:
    assert why_refused(reason) != reason
    told = advice("ami", "connected", None, {reason: 1})
    assert all(sentence.endswith(".") for sentence in told)
    assert len(told) == (reason not in {"list", "description"})


def test_a_clock_that_is_off_is_seen_either_way() -> None:
    assert [level("connected", lag) for lag in (None, 0.1, 6.0, -3.0)] == [
        "ok",
        "ok",
        "watch",
        "watch",
    ]
    assert "6,0 s de retard" in advice("ami", "connected", 6.0, {})[0]
    assert "avance de 3,0 s" in advice("ami", "connected", -3.0, {})[0]
    assert why_refused("sip_start_line") == "message SIP illisible (start_line)"
    assert why_refused("new_slug") == "new_slug"


#: How a source names a refusal in its code: an error it declares, or what its feed counts.
_SLUG = re.compile(r"(reject|_refuse|\w+Error)\(\s*\"([a-z_]+)\"|(rejected)\[\"([a-z_]+)\"\]")
#: Errors whose reason the feed counts behind a word of its own.
_BEHIND = {"HepDecodeError": "hep_", "SipDecodeError": "sip_"}
#: Errors that are no refusals: the connection or the child is gone, and the state says so.
_GONE = {"FeedCutError", "ChildEndedError"}


def test_every_reason_of_a_refusal_has_words() -> None:
    texts = [path.read_text() for path in Path("telephony").rglob("*.py")]
    found = [groups for text in texts for groups in _SLUG.findall(text)]
    slugs = {
        _BEHIND.get(how, "") + (one or other) for how, one, _, other in found if how not in _GONE
    }
    assert len(slugs) > 40
    slugs |= {"sip_empty", "hep_time", "status_404", "xml_malformed", "version_old", "version_gap"}
    slugs |= {"contradiction", "entity"}
    slugs |= {kind.code for kind in walk() if kind.code.startswith("webhook_")}
    assert not {slug for slug in slugs if why_refused(slug) == slug}
