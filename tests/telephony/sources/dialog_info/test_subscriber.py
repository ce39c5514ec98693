"""The subscribing user agent, without a network: each word of the switchboard, and the time, given by hand."""

from __future__ import annotations

import itertools
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip import digest
from telephony.sip.message import SipDecodeError, SipMessage, parse
from telephony.sip.write import MAX_HEAD, Framer
from telephony.sources.dialog_info.subscriber import (
    CONTENT,
    T2,
    Account,
    Here,
    Notified,
    SilentError,
    Subscriber,
    SubscriptionRefusedError,
)

ASKS = 'Digest realm="x", nonce="n1"'
BODY = b"<dialog-info/>"


class Exchange:
    """A subscriber and what it sends; answers are written as a switchboard would."""

    def __init__(self, *stations: str, transport: str = "udp", heartbeat: float = 1000.0) -> None:
        numbers = itertools.count(1)
        self.now = 0.0
        self.numbers = itertools.count(1)
        self.agent = Subscriber(
            Account("visio15", "s3cret", "x"),
            stations or ("1501",),
            Here("192.0.2.15:5062", transport),
            lambda: f"t{next(numbers)}",
            expires=600,
            heartbeat=heartbeat,
            patience=8.0,
        )
        self.agent.start(0.0)

    def sent(self) -> list[SipMessage]:
        return [parse(each) for each in self.agent.sending()]

    def one(self) -> SipMessage:
        """Return the one request sent, however often."""
        (message,) = {each.branches: each for each in self.sent()}.values()
        return message

    def answer(self, asked: SipMessage, status: int, *headers: str) -> None:
        lines = [
            f"SIP/2.0 {status} Whatever",
            f"Via: {asked.first('via')}",
            f"From: {asked.first('from')}",
            f"To: {asked.first('to')}" + ("" if asked.to.tag else ";tag=theirs"),
            f"Call-ID: {asked.call_id}",
            f"CSeq: {asked.first('cseq')}",
            *headers,
        ]
        self.receive(lines)

    def notify(
        self,
        asked: SipMessage,
        *headers: str,
        body: bytes = BODY,
        state: str = "active;expires=600",
        cseq: int | None = None,
        **instead: str,
    ) -> str:
        """Send a NOTIFY of the subscription begun by `asked`; return the status of the reply."""
        given = {
            "From": f"<{asked.to.uri}>;tag=theirs",
            "To": asked.first("from"),
            "Call-ID": asked.call_id,
            "Event": "dialog",
            "Content-Type": CONTENT,
        } | {name.replace("_", "-"): value for name, value in instead.items()}
        lines = [
            "NOTIFY sip:visio15@192.0.2.15 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKn",
            f"CSeq: {next(self.numbers) if cseq is None else cseq} NOTIFY",
            f"Subscription-State: {state}",
            "Contact: <sip:presence@192.0.2.10:5070>",
            *(f"{name}: {value}" for name, value in given.items()),
            *headers,
        ]
        self.receive(lines, body)
        (reply,) = self.agent.replies()
        return str(parse(reply).status)

    def receive(self, lines: list[str], body: bytes = b"") -> None:
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""])
        self.agent.receive(parse(head.encode() + body), self.now)

    def pass_time(self, seconds: float) -> None:
        """Let time pass as the shell does: never further than what is due."""
        end = self.now + seconds
        while self.now < end:
            self.agent.tick(self.now)
            wait = self.agent.tick(self.now)
            assert wait > 0, "nothing is left to do now"
            self.now = min(end, self.now + wait)
        self.agent.tick(self.now)

    def subscribed(self, *, expires: int = 600) -> SipMessage:
        asked = self.one()
        self.answer(asked, 200, f"Expires: {expires}", "Contact: <sip:presence@192.0.2.10>")
        assert self.notify(asked) == "200"
        assert self.agent.events()
        self.pass_time(1)
        return asked


def test_a_subscription() -> None:
    talk = Exchange()
    asked = talk.one()
    assert (asked.method, asked.request_uri) == ("SUBSCRIBE", "sip:1501@x")
    assert (asked.from_.uri, asked.to.uri) == ("sip:visio15@x", "sip:1501@x")
    assert (asked.first("event"), asked.first("accept"), asked.first("expires")) == (
        "dialog",
        CONTENT,
        "600",
    )
    talk.answer(asked, 200, "Expires: 600", "Contact: <sip:presence@192.0.2.10>")
    assert talk.notify(asked) == "200"
    assert talk.notify(asked) == "200"
    assert talk.agent.events() == [
        Notified("1501", BODY, first=True, answers=True),
        Notified("1501", BODY, first=False, answers=False),
    ]
    talk.pass_time(539)
    assert talk.sent() == []
    talk.pass_time(2)
    again = talk.one()
    assert (again.request_uri, again.to.tag, again.call_id) == (
        "sip:presence@192.0.2.10:5070",
        "theirs",
        asked.call_id,
    )
    assert again.cseq == (2, "SUBSCRIBE")


def test_what_answers_a_question_is_told_from_what_comes_by_itself() -> None:
    talk = Exchange(heartbeat=10.0)
    talk.subscribed()
    talk.pass_time(10)
    again = talk.one()
    talk.notify(again)  # on its way before the switchboard read the question
    talk.answer(again, 202, "Expires: 600")
    talk.notify(again)
    talk.pass_time(10)
    again = talk.one()
    talk.answer(again, 202, "Expires: 600")
    talk.notify(again)
    talk.notify(again)
    assert [each.answers for each in talk.agent.events()] == [False, False, True, False]


def test_a_station_is_asked_out_of_its_turn_once_a_heartbeat() -> None:
    talk = Exchange(transport="tcp", heartbeat=10.0)
    talk.subscribed()

    def sent(seconds: float) -> int:
        talk.pass_time(seconds)
        asked = talk.sent()
        for each in asked:
            talk.answer(each, 200, "Expires: 600")
            talk.notify(each)
        return len(asked)

    for _ in range(100):  # whatever the answer, it is doubted again
        talk.agent.again("1501", talk.now)
        sent(0)
    assert next(talk.numbers) == 3  # 1: subscribed, 2: asked once
    talk.agent.again("1501", talk.now)
    assert sum(sent(1.0) for _ in range(12)) == 1  # at its turn, which serves both


def test_only_the_switchboard_says_what_it_is() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.notify(asked, "User-Agent: somebody", To="<sip:visio15@x>;tag=guess")
    assert talk.agent.product == ""
    talk.answer(asked, 200, "Expires: 60", "Contact: <sip:p@h>", "Server: Asterisk PBX 22.1.0")
    assert talk.agent.product == "Asterisk PBX 22.1.0"
    talk.notify(asked)
    assert talk.agent.product == "Asterisk PBX 22.1.0"
    talk.notify(asked, "User-Agent: Asterisk PBX 22.2.0")
    assert talk.agent.product == "Asterisk PBX 22.2.0"


def test_the_route_of_the_dialog_is_kept() -> None:
    for first in ("answer", "notify"):
        talk = Exchange()
        asked = talk.one()
        if first == "answer":
            routes = ("Record-Route: <sip:b;lr>", "Record-Route: <sip:a;lr>")
            talk.answer(asked, 200, "Expires: 60", "Contact: <sip:p@h>", *routes)
            talk.notify(asked)
        else:
            talk.notify(asked, "Record-Route: <sip:a;lr>, <sip:b;lr>")
            talk.answer(asked, 200, "Expires: 60", "Contact: <sip:p@h>")
        talk.pass_time(31)
        assert talk.one().items("route") == ["<sip:a;lr>", "<sip:b;lr>"]


def test_a_short_subscription_is_refreshed_in_time() -> None:
    talk = Exchange()
    talk.subscribed(expires=10)
    talk.pass_time(5.1)
    assert talk.one().cseq == (2, "SUBSCRIBE")


def proof(message: SipMessage, header: str = "authorization") -> dict[str, str]:
    return dict(re.findall(r'(\w+)="?([^",]*)"?', message.first(header)))


@pytest.mark.parametrize(
    ("status", "header"), [(401, "WWW-Authenticate"), (407, "Proxy-Authenticate")]
)
def test_the_password_is_proven(status: int, header: str) -> None:
    talk = Exchange()
    talk.answer(talk.one(), status, f'{header}: {ASKS}, qop="auth,auth-int", opaque="o"')
    asked = talk.one()
    name = "authorization" if status == 401 else "proxy-authorization"
    told = proof(asked, name)
    assert (told["username"], told["nonce"], told["nc"], told["qop"], told["opaque"]) == (
        "visio15",
        "n1",
        "00000001",
        "auth",
        "o",
    )
    assert "s3cret" not in asked.first(name)
    talk.answer(asked, 200, "Expires: 60", "Contact: <sip:p@h>")
    talk.notify(asked)
    talk.pass_time(31)
    again = talk.one()  # proven beforehand, and counted
    assert proof(again, name)["nc"] == "00000002"
    talk.answer(again, status, f'{header}: Digest realm="x", nonce="n12", stale=true')
    last = talk.one()
    assert (proof(last, name)["nonce"], last.cseq) == ("n12", (4, "SUBSCRIBE"))
    talk.answer(last, 200, "Expires: 60")


def test_a_forgotten_nonce_that_nobody_calls_stale() -> None:
    talk = Exchange()
    talk.answer(talk.one(), 401, f"WWW-Authenticate: {ASKS}")
    talk.subscribed(expires=60)
    talk.pass_time(31)
    talk.answer(talk.one(), 401, 'WWW-Authenticate: Digest realm="x", nonce="new"')
    assert proof(talk.one())["nonce"] == "new"


@pytest.mark.parametrize(
    ("answers", "slug"),
    [
        ([(401, ASKS), (401, ASKS)], "login"),
        ([(401, f"{ASKS}, stale=true")] * 4, "login"),
        ([(403, "")], "login"),
        ([(401, 'Digest realm="x", nonce="n", algorithm=SHA3-999')], "auth_unsupported"),
        ([(401, 'Digest realm="x", nonce="n", qop="auth-int"')], "auth_unsupported"),
        ([(401, "Basic realm=x")], "auth_unsupported"),
        ([(401, 'Digest realm="x", nonce=""')], "auth_unsupported"),
        ([(489, "")], "status_489"),
    ],
)
def test_what_only_a_person_can_mend(answers: list[tuple[int, str]], slug: str) -> None:
    talk = Exchange()
    for status, asks in answers[:-1]:
        talk.answer(talk.one(), status, f"WWW-Authenticate: {asks}")
    status, asks = answers[-1]
    with pytest.raises(SubscriptionRefusedError, match=slug):
        talk.answer(talk.one(), status, f"WWW-Authenticate: {asks}")


def test_digests_of_the_standard() -> None:
    """RFC 7616, 3.9.1."""
    base = (
        'Digest realm="http-auth@example.org", qop="auth, auth-int", '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
        'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", algorithm={}'
    )
    asked = digest.challenge([base.format("MD5"), base.format("SHA-256")])
    assert asked is not None
    assert asked.algorithm == "SHA-256"
    weak = digest.challenge([base.format("MD5")])
    assert weak is not None
    for chosen, expected in (
        (asked, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        (weak, "8ca523f5e9506fed4657c9700eebdbec"),
    ):
        written = digest.answer(
            chosen,
            "Mufasa",
            "Circle of Life",
            method="GET",
            uri="/dir/index.html",
            cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            count=1,
        )
        assert f'response="{expected}"' in written


def test_longer_is_asked_when_the_time_was_too_brief() -> None:
    talk = Exchange()
    talk.answer(talk.one(), 423, "Min-Expires: 3600")
    assert talk.one().first("expires") == "3600"


def test_who_was_forgotten_subscribes_anew_and_the_others_are_asked() -> None:
    talk = Exchange("1501", "1601", heartbeat=3.0)
    first, second = talk.sent()
    for asked in (first, second):
        talk.answer(asked, 200, "Expires: 600", "Contact: <sip:p@h>")
        talk.notify(asked)
    talk.agent.events()
    talk.pass_time(3.1)
    again = talk.one()
    assert again.call_id == first.call_id
    talk.answer(again, 481)
    anew, other = talk.sent()
    assert anew.to.uri == "sip:1501@x"
    assert (anew.to.tag, anew.call_id == first.call_id) == ("", False)
    assert other.call_id == second.call_id
    talk.notify(anew)
    assert talk.agent.events() == [Notified("1501", BODY, first=True, answers=True)]
    assert talk.notify(first) == "481"  # the old dialog is none any more
    assert talk.agent.rejected == {"status_481": 1, "foreign_notify": 1}


@pytest.mark.parametrize(("headers", "wait"), [((), 10), (("Retry-After: 42 (busy)",), 42)])
def test_a_busy_switchboard_is_asked_later(headers: tuple[str, ...], wait: int) -> None:
    talk = Exchange()
    talk.answer(talk.one(), 503, *headers)
    assert talk.agent.failing == {"1501"}
    talk.pass_time(wait - 0.1)
    assert talk.sent() == []
    talk.pass_time(0.2)
    talk.subscribed()
    assert talk.agent.failing == set()


def test_one_unknown_station_does_not_stop_the_others() -> None:
    talk = Exchange("1501", "1999")
    known, unknown = talk.sent()
    talk.answer(known, 200, "Expires: 600")
    talk.notify(known)
    talk.answer(unknown, 404)
    talk.pass_time(59)
    assert talk.sent() == []
    talk.pass_time(2)
    assert talk.one().to.uri == "sip:1999@x"


@pytest.mark.parametrize(
    ("state", "wait"),
    [
        ("terminated;reason=deactivated", 1),
        ("terminated", 1),
        ("terminated;reason=probation;retry-after=7", 7),
        ("terminated ; reason=giveup", 10),
        ("terminated;reason=rejected", 60),
        ("terminated;reason=x;retry-after=999999", 300),
    ],
)
def test_a_subscription_ended_over_there_is_begun_again(state: str, wait: float) -> None:
    talk = Exchange(heartbeat=10_000)
    asked = talk.subscribed()
    talk.notify(asked, state=state)
    talk.pass_time(wait - 0.1)
    assert talk.sent() == []
    talk.pass_time(0.2)
    assert talk.one().to.tag == ""


def test_over_udp_a_request_is_sent_again_a_bounded_number_of_times() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.pass_time(7.9)
    copies = talk.sent()
    assert len(copies) == 4  # after 0.5, 1.5, 3.5 and 7.5 s
    assert {copy.branches for copy in copies} == {asked.branches}
    with pytest.raises(SilentError, match="no_answer"):
        talk.pass_time(0.2)


def test_over_tcp_it_is_not() -> None:
    talk = Exchange(transport="tcp")
    talk.one()
    talk.pass_time(7.9)
    assert talk.sent() == []
    with pytest.raises(SilentError):
        talk.pass_time(0.2)


def test_a_provisional_answer_slows_the_copies() -> None:
    talk = Exchange()
    talk.answer(talk.one(), 100)
    talk.pass_time(T2 - 0.1)
    assert talk.sent() == []


def test_a_promise_without_notification_is_silence() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.answer(asked, 200, "Expires: 600")
    with pytest.raises(SilentError, match="no_notify"):
        talk.pass_time(17)


def test_a_notification_before_the_answer() -> None:
    talk = Exchange()
    asked = talk.one()
    assert talk.notify(asked) == "200"
    talk.answer(asked, 200, "Expires: 600")
    talk.pass_time(100)
    assert not talk.agent.busy


@pytest.mark.parametrize(
    ("instead", "status", "slug"),
    [
        ({"Call_ID": "unknown"}, "481", "foreign_notify"),
        ({"To": "<sip:visio15@x>;tag=guessed"}, "481", "foreign_notify"),
        ({"To": "<sip:visio15@x>"}, "481", "foreign_notify"),
        ({"From": "<sip:1501@x>;tag=another"}, "481", "foreign_notify"),
        ({"From": "<sip:1501@x>"}, "481", "foreign_notify"),
        ({"Event": "presence"}, "489", "event"),
        ({"Content_Type": "application/pidf+xml"}, "415", "content_type"),
    ],
)
def test_what_was_not_asked_for_is_refused(instead: dict[str, str], status: str, slug: str) -> None:
    talk = Exchange()
    asked = talk.subscribed()
    assert talk.notify(asked, **instead) == status
    assert talk.agent.rejected == {slug: 1}
    assert talk.agent.events() == []


def test_a_notification_that_comes_twice_or_late_is_told_once() -> None:
    talk = Exchange()
    asked = talk.subscribed()
    assert talk.notify(asked, cseq=50) == "200"
    assert talk.notify(asked, cseq=50) == "200"
    assert talk.notify(asked, cseq=49) == "500"
    assert len(talk.agent.events()) == 1


def test_an_empty_notification_while_pending_says_nothing() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.notify(asked, body=b"", state="pending")
    assert talk.agent.events() == []
    talk.notify(asked, body=b"")
    assert talk.agent.events() == [Notified("1501", b"", first=True, answers=True)]


def test_nobody_can_call_it() -> None:
    talk = Exchange()
    for method, status in (("OPTIONS", 200), ("INVITE", 405), ("MESSAGE", 405)):
        lines = [
            f"{method} sip:visio15@192.0.2.15 SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.66;branch=z9hG4bKx",
            "From: <sip:a@x>;tag=1",
            "To: <sip:visio15@x>",
            "Call-ID: evil",
            f"CSeq: 1 {method}",
        ]
        talk.receive(lines)
        (reply,) = talk.agent.replies()
        assert parse(reply).status == status
    assert talk.agent.rejected == {"method": 2}


def test_answers_that_were_not_asked_for_change_nothing() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.answer(asked, 200, "Expires: 600")
    talk.answer(asked, 403)
    assert talk.agent.rejected == {"foreign_response": 1}


def test_leaving_ends_the_subscriptions() -> None:
    talk = Exchange()
    asked = talk.subscribed()
    talk.agent.leave(talk.now)
    last = talk.one()
    assert (last.first("expires"), last.call_id) == ("0", asked.call_id)
    talk.answer(last, 401, f"WWW-Authenticate: {ASKS}")
    last = talk.one()
    assert last.first("expires") == "0"
    talk.answer(last, 200, "Expires: 0")
    assert talk.agent.busy
    talk.notify(asked, body=b"", state="terminated;reason=timeout")
    assert not talk.agent.busy
    talk.pass_time(100)
    assert talk.sent() == []


def test_a_station_whose_versions_make_no_sense_is_subscribed_to_anew() -> None:
    talk = Exchange()
    asked = talk.subscribed()
    talk.agent.anew("1501", talk.now)
    talk.agent.anew("1501", talk.now)
    talk.pass_time(0.9)
    assert talk.sent() == []
    talk.pass_time(0.2)
    anew = talk.one()
    assert (anew.to.tag, anew.call_id == asked.call_id) == ("", False)
    talk.notify(anew)
    talk.answer(anew, 200, "Expires: 600")
    talk.pass_time(500)
    assert talk.sent() == []


WORDS = (
    *("SIP/2.0 200 OK", "SIP/2.0 401 x", "SIP/2.0 423 x", "SIP/2.0 503 x", "NOTIFY sip:a SIP/2.0"),
    *("INVITE sip:a SIP/2.0", "Contact: *", "Contact: <>", "Expires: 0", "Expires: 99999999999"),
    *("Min-Expires: 0", "Retry-After: x", "CSeq: 1 NOTIFY", "CSeq: 9999999999 SUBSCRIBE"),
    *("Subscription-State: terminated;;=;reason", "Subscription-State: active", "Event: dialog"),
    *("WWW-Authenticate: Digest", f"WWW-Authenticate: {ASKS}", "Record-Route: <", "Expires: -1"),
    *("Call-ID: t1", "From: <sip:a>;tag=theirs", "To: <sip:b>;tag=t2", "Via: x;branch=z9hG4bKt3"),
)


@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=14), max_size=8))
def test_whatever_is_received_it_goes_on_or_gives_up(messages: list[list[str]]) -> None:
    talk = Exchange()
    with suppress(SubscriptionRefusedError, SilentError):
        for lines in messages:
            with suppress(SipDecodeError):
                talk.receive(sorted(lines, key=lambda line: "SIP/2.0" not in line))
            talk.pass_time(1)
            for data in (*talk.agent.sending(), *talk.agent.replies()):
                parse(data)


def test_many_stations_are_asked_a_few_at_a_time() -> None:
    talk = Exchange(*(str(1500 + n) for n in range(50)))
    asked = talk.sent()
    assert len(asked) == 8
    seen = 0
    while asked:
        seen += len(asked)
        for each in asked:
            talk.answer(each, 200, "Expires: 600")
            talk.notify(each)
        talk.agent.tick(talk.now)
        asked = talk.sent()
    assert seen == 50


def test_nothing_received_begins_a_line() -> None:
    talk = Exchange()
    asked = talk.one()
    talk.answer(asked, 200, "Expires: 60", "Contact: <sip:p@h>")
    talk.notify(asked, "Record-Route: <sip:a\rX-Evil: 1>")
    talk.receive(["OPTIONS sip:a SIP/2.0", "Via: x\rX-Evil: 2", "From: <sip:a@x>", "To: <sip:b@x>"])
    talk.pass_time(31)
    for data in (*talk.agent.sending(), *talk.agent.replies()):
        assert data.count(b"\r") == data.count(b"\r\n")


@given(st.lists(st.integers(1, 40), max_size=40), st.integers(0, 3))
def test_a_stream_is_cut_where_messages_end(cuts: list[int], bodies: int) -> None:
    messages = [
        f"NOTIFY sip:a SIP/2.0\r\nl: {n * 7}\r\nCall-ID: {n}\r\n\r\n".encode() + b"\r" * (n * 7)
        for n in range(bodies + 1)
    ]
    stream = b"\r\n\r\n".join(messages)
    framer, found, at = Framer(), [], 0
    for cut in (*cuts, len(stream)):
        found += framer.feed(stream[at : at + cut])
        at += cut
    assert found == messages


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"x" * MAX_HEAD, "head_too_large"),
        (b"NOTIFY sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n", "no_length"),
        (b"NOTIFY sip:a SIP/2.0\r\nContent-Length: 99999\r\n\r\n", "too_large"),
        (b"NOTIFY sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", "no_length"),
    ],
)
def test_a_stream_that_cannot_be_followed(data: bytes, reason: str) -> None:
    with pytest.raises(SipDecodeError) as refused:
        Framer().feed(data)
    assert refused.value.reason == reason
