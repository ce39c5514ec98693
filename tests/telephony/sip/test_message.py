"""SIP: what switchboards really send is read leniently; nothing raises but the declared error.

The torture messages follow RFC 4475, whose section is named beside each.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sip.message import (
    MAX_MESSAGE,
    SipDecodeError,
    SipMessage,
    address,
    parse,
    split_list,
    uri_user,
)

HEAD = """INVITE sip:15@samu37.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK-near, SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK-far
From: "Appelant, M." <sip:+33612345678@operateur.example>;tag=from1
To: <sip:15@samu37.example>
Call-ID: 1@192.0.2.1
CSeq: 1 INVITE
"""


def message(text: str, body: str = "") -> SipMessage:
    return parse(text.strip("\n").replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())


def test_reads_what_a_call_needs() -> None:
    invite = message(HEAD)
    assert (invite.method, invite.status) == ("INVITE", None)
    assert invite.request_uri == "sip:15@samu37.example"
    assert invite.call_id == "1@192.0.2.1"
    assert invite.cseq == (1, "INVITE")
    assert invite.branches == ("z9hG4bK-near", "z9hG4bK-far")
    assert (invite.from_.user, invite.from_.tag) == ("+33612345678", "from1")
    assert (invite.to.user, invite.to.tag) == ("15", "")


def test_reads_emergency_ids_in_one_list_or_in_repeated_headers() -> None:
    call, incident = (
        "urn:emergency:uid:callid:a:h.example",
        "urn:emergency:uid:incidentid:b:h.example",
    )
    one = f"Call-Info: <{call}>;purpose=emergency-CallId, <{incident}>;purpose=emergency-IncidentId"
    two = f"Call-Info: <{call}> ;purpose=Emergency-CallID\nCall-Info: <{incident}>;purpose=emergency-IncidentId"
    other = "Call-Info: <http://h.example/photo.jpg>;purpose=icon"
    for headers in (one, two, f"{other}\n{two}"):
        assert message(HEAD + headers).nena_ids == ((call,), (incident,))
    assert message(HEAD + other).nena_ids == ((), ())


def test_reads_session_ids_as_a_set_without_nil() -> None:
    one, two, nil = "a" * 32, "B" * 32, "0" * 32
    assert message(HEAD + f"Session-ID: {two};remote={one}").session_ids == (one, two.lower())
    assert message(HEAD + f"Session-ID: {one};remote={nil}").session_ids == (one,)
    assert message(HEAD + f"Session-ID: {nil};remote={nil}").session_ids == ()
    assert message(HEAD + "Session-ID: 12").session_ids == ()


NULL = ".".join("0000")
SDP = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 {c}\r\nt=0 0\r\n{s}m=audio 4000 RTP/AVP 8\r\n{a}"


@pytest.mark.parametrize(
    ("c", "s", "a", "direction"),
    [
        ("192.0.2.1", "", "", "sendrecv"),
        ("192.0.2.1", "", "a=sendonly\r\n", "sendonly"),
        ("192.0.2.1", "a=sendonly\r\n", "", "sendonly"),
        ("192.0.2.1", "a=sendonly\r\n", "a=sendrecv\r\n", "sendrecv"),
        ("192.0.2.1", "", "a=inactive\r\n", "inactive"),
        ("192.0.2.1", "", "a=recvonly\r\n", "recvonly"),
        (NULL, "", "", "inactive"),
        (NULL, "", "c=IN IP4 192.0.2.1\r\n", "sendrecv"),
        ("192.0.2.1", "", "a=sendrecv\r\nm=video 0 RTP/AVP 96\r\na=inactive\r\n", "sendrecv"),
        ("192.0.2.1", "m=video 0 RTP/AVP 96\r\na=inactive\r\n", "", "sendrecv"),
        ("192.0.2.1", "m=audio 0 RTP/AVP 8\r\na=inactive\r\n", "a=sendrecv\r\n", "sendrecv"),
        ("192.0.2.1", "m=audio 0 RTP/AVP 8\r\n", "a=sendonly\r\n", "sendonly"),
        ("192.0.2.1", "", "a=sendonly\r\nm=audio 0 RTP/AVP 8\r\na=sendrecv\r\n", "sendonly"),
        ("192.0.2.1", "", "a=inactive\r\nm=audio 4002 RTP/AVP 0\r\n", "sendrecv"),
        ("192.0.2.1", "m=video 4 RTP/AVP 96\r\nc=IN IP4 0.0.0.0\r\n", "", "sendrecv"),
        (NULL, "m=video 4 RTP/AVP 96\r\nc=IN IP4 192.0.2.1\r\n", "", "inactive"),
        (f"{NULL}/127", "", "a=sendrecv\r\n", "inactive"),
        ("192.0.2.1\r\nc=IN IP6 0:0:0:0:0:0:0:0", "", "", "inactive"),
        ("192.0.2.1", "", "c=IN IP6 ::\r\n", "inactive"),
        ("192.0.2.1", "", "c=IN IP4 gone.invalid\r\n", "inactive"),
        # With ICE a null address is no hold (RFC 8840, 4.1.1); its port is 9.
        (NULL, "a=ice-options:trickle\r\n", "a=sendrecv\r\n", "sendrecv"),
        (NULL, "", "a=ice-ufrag:d6559f70\r\na=inactive\r\n", "inactive"),
        (
            "192.0.2.1",
            "m=audio 0 RTP/SAVPF 8\r\na=bundle-only\r\na=sendonly\r\n",
            "a=inactive\r\n",
            "sendonly",
        ),
    ],
)
def test_tells_a_hold_by_the_audio_direction(c: str, s: str, a: str, direction: str) -> None:
    body = SDP.format(c=c, s=s, a=a)
    assert message(HEAD + "Content-Type: application/sdp", body).direction == direction
    multipart = f"--x\r\nContent-Type: application/sdp\r\n\r\n{body}\r\n--x--\r\n"
    kind = "Content-Type: multipart/mixed;boundary=x"
    assert message(HEAD + kind, multipart).direction == direction
    assert message(HEAD + "Content-Type: text/plain", body).direction is None
    assert message(HEAD).direction is None


@pytest.mark.parametrize(
    ("boundary", "before", "after"),
    [
        (
            "b",
            "--b\r\nContent-Type: application/pidf+xml\r\n\r\n<a v=0/>\r\na=inactive\r\n",
            "--b--\r\n",
        ),
        (
            '"b c"',
            "preamble, a=inactive\r\n",
            "--b c\r\nContent-Type: text/plain\r\n\r\na=inactive\r\n--b c--",
        ),
        (
            "b",
            (
                "--b\r\nContent-Type: application/sdp\r\nContent-Disposition: early-session\r\n\r\n"
                "v=0\r\nm=audio 1 RTP/AVP 8\r\na=inactive\r\n"
            ),
            "",
        ),
    ],
)
def test_a_description_among_other_bodies_is_read_alone(
    boundary: str, before: str, after: str
) -> None:
    """RFC 5621 (multipart bodies), RFC 3959 (a description of early media only)."""
    sdp = SDP.format(c="192.0.2.1", s="", a="a=sendonly\r\n")
    mark = boundary.strip('"')
    body = f"{before}--{mark}\r\nCONTENT-TYPE: application/SDP\r\n\r\n{sdp}\r\n{after}"
    assert (
        message(HEAD + f"Content-Type: multipart/mixed; boundary={boundary}", body).direction
        == "sendonly"
    )


def test_each_audio_line_is_told_in_its_place() -> None:
    body = SDP.format(
        c="192.0.2.1", s="m=audio 0 RTP/SAVP 8\r\n", a="a=sendonly\r\nm=audio 4/2 RTP/AVP 0\r\n"
    )
    assert message(HEAD + "c: application/sdp", body).audio == ("", "sendonly", "sendrecv")
    early = HEAD + "Content-Disposition: early-session\nContent-Type: application/sdp"
    assert message(early, body).audio is None


#: Names as writers break them, after public reports (own data): telnyx/freeswitch 589, nksip 20, homer 848, rcsjta 47,
#: pjproject 188; and what a name may hide: it is never who calls.
BROKEN = [
    '"unclosed ',
    '"Mr. J. User',
    '"Sami\\" ',
    '"Sami\\ " ',
    '""unknown"" ',
    '"" ',
    '"Paul "le Grand" Dupont" ',
    '"a <b@c>" ',
    "a <b> ",
    "Jean <3 Marie ",
    "Dupont, Paul ",
    '"Dupont, Paul ',
    'Dr "Paul" ',
    '"<sip:+33699999999@x>" ',
    '"<sip:+33699999999@x>',
    '""<sip:+33699999999@x>"" ',
    'Paul "<sip:+33699999999@x>" ',
    '"Paul" "<sip:+33699999999@x>" ',
    '"<sip:+33699999999@x>\\" ',
    '"Paul" <sip:+33699999999@x>;a="" ',
    '"Paul" <sip:+33699999999@x"',
    "<sip:+33699999999@x> ",
    "sip:+33699999999@x ",
    '"sip:+33699999999@x ',
    "+33699999999 ",
    "J\ufffdr\ufffdme ",
]


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("header", ["From", "f", "FROM "])
def test_caller_and_tag_are_read_though_the_name_is_broken(name: str, header: str) -> None:
    start = "INVITE sip:15@x SIP/2.0\nCall-ID: 1\nCSeq: 1 INVITE\n"
    for value in (
        f"{name}<sip:+33612345678@gw;user=phone>;tag=q",
        f"{name}\n <sip:+33612345678@gw;user=phone>\n ;tag=q",
    ):
        read = message(f"{start}{header}: {value}")
        assert read.from_ == ("sip:+33612345678@gw;user=phone", "+33612345678", "q")


@pytest.mark.parametrize("name", BROKEN)
def test_the_networks_word_is_read_though_the_name_is_broken(name: str) -> None:
    for header in ("P-Asserted-Identity", "Remote-Party-ID"):
        read = message(f"{HEAD}{header}: {name}<tel:+33612345678>;party=calling")
        users = [address(each).user for each in read.items(header.lower())]
        assert users[-1] == "+33612345678"
        assert users[:-1] in ([], [""])


@pytest.mark.parametrize(
    ("value", "uri", "tag"),
    [
        ('"<sip:+33699999999@x>"', "", ""),
        ('"+33699999999', "", ""),
        ('"+33699999999" ;tag=q', "", "q"),
        ("+33699999999;tag=q", "", "q"),
        ('"Bob" sip:bob@x;tag=q', "sip:bob@x", "q"),
        ('"Bob sip:bob@x;tag=q', "sip:bob@x", "q"),
        ("Bob sip:bob@x;tag=q", "sip:bob@x", "q"),
        ("<sip:bob@x;tag=q", "sip:bob@x", "q"),
        ('<sip:bob@x>;a="<sip:eve@x>;tag=z";tag=q', "sip:bob@x", "q"),
        ("<urn:service:sos>", "urn:service:sos", ""),
        ("urn:service:sos", "urn:service:sos", ""),
        ("<0612345678>;tag=q", "0612345678", "q"),
    ],
)
def test_what_stands_in_a_name_is_no_address(value: str, uri: str, tag: str) -> None:
    assert (address(value).uri, address(value).tag) == (uri, tag)


#: Everything a name is made of that could be taken for an address.
NAMES = st.lists(
    st.sampled_from(
        [*'<>"\\;,:@= ', "sip:", "tel:", "+33699999999", "@x", "<sip:+33699999999@x>", "tag=z", "é"]
    )
    | st.characters(exclude_categories=["Cc", "Cs"]),
    max_size=12,
).map("".join)


@given(NAMES, st.sampled_from(["", ";user=phone"]), st.sampled_from(["", " ", "\t "]))
def test_any_name_leaves_its_address_alone(name: str, more: str, space: str) -> None:
    """Quoted as it should be, quoted without care, not quoted, not closed; with and without a space."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    uri = f"sip:+33612345678@gw{more}"
    for written in (f'"{escaped}"', f'"{name}"', name, f'"{name}', f'{name}"', f'"{name}\\"'):
        for params in (";tag=q", ';x="y";tag=q'):
            assert address(f"{written}{space}<{uri}>{params}") == (uri, "+33612345678", "q")


TORTURE = {
    "3.1.1.1 short tortuous INVITE": (
        (
            "INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\n"
            "TO :\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\n"
            'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\n  ;\n  tag = 98asjd8\n'
            "MaX-fOrWaRdS: 0068\nCall-ID: wsinv.ndaksdj@192.0.2.1\nCSeq: 0009\n  INVITE\n"
            "Via  : SIP  /   2.0\n /UDP\n    192.0.2.2;branch=390skdjuw\ns :\n"
            "NewFangledHeader:   newfangled value\n continued newfangled value\n"
            "v:  SIP  / 2.0  / TCP     spindle.example.com   ;\n  branch  =   z9hG4bK9ikj8  ,\n"
            " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\n z9hG4bK30239\n"
            'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\n      newvalue ;\n'
        ),
        ("INVITE", "wsinv.ndaksdj@192.0.2.1", (9, "INVITE"), "jdrosen", "98asjd8"),
    ),
    "3.1.1.2 wide range of valid characters": (
        (
            "!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
            ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\n"
            "Via: SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~\n"
            'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)@example.com>\n'
            "From: token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;fromParam''~+*_!.-%=\"x\";tag=_t\n"
            "Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\n"
            "CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\n"
        ),
        (
            "!INTERESTING-METHOD0123456789_*+`.%INDEED'~",
            "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
            (139122385, "!INTERESTING-METHOD0123456789_*+`.%INDEED'~"),
            "mundane",
            "_t",
        ),
    ),
    "3.1.1.3 escaped user": (
        (
            "INVITE sip:sips%3Auser%40example.com@example.net SIP/2.0\n"
            "To: sip:%75se%72@example.com\nFrom: <sip:I%20have%20spaces@example.net>;tag=938\n"
            "Call-ID: esc01.239409asdfakjkn23onasd0-3234\nCSeq: 234234 INVITE\n"
        ),
        (
            "INVITE",
            "esc01.239409asdfakjkn23onasd0-3234",
            (234234, "INVITE"),
            "I have spaces",
            "938",
        ),
    ),
    "3.1.1.6 no space before the angle bracket": (
        (
            "OPTIONS sip:user@example.com SIP/2.0\nTo: sip:user@example.com\n"
            'From: "caller"<sip:caller@example.com>;tag=323\nCall-ID: lwsdisp.1234abcd@funky.example.com\n'
            "CSeq: 60 OPTIONS\n"
        ),
        ("OPTIONS", "lwsdisp.1234abcd@funky.example.com", (60, "OPTIONS"), "caller", "323"),
    ),
    "3.1.1.8 extra trailing octets": (
        (
            "REGISTER sip:example.com SIP/2.0\nTo: sip:j.user@example.com\nContent-Length: 0\n"
            "From: sip:j.user@example.com;tag=43251j3j324\nI: dblreq.0ha0isndaksdj99sdfafnl3lk233412\n"
            "CSeq: 8 REGISTER\n\nINVITE sip:joe@example.com SIP/2.0\n"
        ),
        (
            "REGISTER",
            "dblreq.0ha0isndaksdj99sdfafnl3lk233412",
            (8, "REGISTER"),
            "j.user",
            "43251j3j324",
        ),
    ),
    "3.1.1.9 semicolon in the user": (
        (
            "OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\nTo: sip:j_user@example.com\n"
            "From: sip:caller@example.org;tag=33242\nCall-ID: semiuri.0ha0isndaksdj\nCSeq: 8 OPTIONS\n"
        ),
        ("OPTIONS", "semiuri.0ha0isndaksdj", (8, "OPTIONS"), "caller", "33242"),
    ),
    "3.1.1.12 response with an overlarge code point": (
        (
            "SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое\nCSeq: 35 INVITE\n"
            "From: <sip:user@example.com>;tag=11141343\nTo: <sip:user@example.edu>;tag=2229\n"
            "Call-ID: unreason.1234ksdfak3j2erwedfsASdf\n"
        ),
        (200, "unreason.1234ksdfak3j2erwedfsASdf", (35, "INVITE"), "user", "11141343"),
    ),
    "3.1.1.13 empty reason": (
        (
            "SIP/2.0 100 \nCSeq: 32423 INVITE\nFrom: <sip:user@example.com>;tag=39ansfi3\n"
            "Call-ID: noreason.asndj203insdf99223ndf\n"
        ),
        (100, "noreason.asndj203insdf99223ndf", (32423, "INVITE"), "user", "39ansfi3"),
    ),
    "3.1.2.1 extraneous header field separators": (
        (
            "INVITE sip:user@example.com SIP/2.0\nTo: sip:user@example.com;tag=\nVia: SIP/2.0/UDP x;;,;,,\n"
            "From: sip:caller@example.net;tag=134161461246\nCall-ID: badinv01.0ha0isndaksdjasdf3234nas\n"
            'CSeq: 8 INVITE\nContact: "" <> ;,"Joe" <sip:joe@example.org>;;,,;;\n'
        ),
        ("INVITE", "badinv01.0ha0isndaksdjasdf3234nas", (8, "INVITE"), "caller", "134161461246"),
    ),
    "3.1.2.2 content length larger than message": (
        (
            "INVITE sip:user@example.com SIP/2.0\nFrom: sip:c@example.net;tag=93942939o2\n"
            "Call-ID: clerr.0ha0isndaksdjweiafasdk3\nCSeq: 8 INVITE\nContent-Length: 9999\n"
        ),
        ("INVITE", "clerr.0ha0isndaksdjweiafasdk3", (8, "INVITE"), "c", "93942939o2"),
    ),
    "3.1.2.3 negative content length": (
        (
            "INVITE sip:user@example.com SIP/2.0\nFrom: sip:c@example.net;tag=32394234\n"
            "Call-ID: ncl.0ha0isndaksdj2193423r542w35\nCSeq: 0 INVITE\nContent-Length: -999\n"
        ),
        ("INVITE", "ncl.0ha0isndaksdj2193423r542w35", (0, "INVITE"), "c", "32394234"),
    ),
    "3.1.2.5 missing quote": (
        (
            'INVITE sip:user@example.com SIP/2.0\nTo: "Mr. J. User <sip:j.user@example.com>\n'
            "From: sip:caller@example.net;tag=93334\nCall-ID: quotbal.aksdj\nCSeq: 8 INVITE\n"
        ),
        ("INVITE", "quotbal.aksdj", (8, "INVITE"), "caller", "93334"),
    ),
    "3.1.2.6 Request-URI in brackets": (
        (
            "INVITE <sip:user@example.com> SIP/2.0\nFrom: sip:caller@example.net;tag=39291\n"
            "Call-ID: ltgtruri.1@192.0.2.5\nCSeq: 1 INVITE\n"
        ),
        ("INVITE", "ltgtruri.1@192.0.2.5", (1, "INVITE"), "caller", "39291"),
    ),
    "3.1.2.7 spaces in the Request-URI": (
        (
            "INVITE sip:user@example.com; lr SIP/2.0\nFrom: sip:caller@example.net;tag=3ghsd41\n"
            "Call-ID: lwsruri.asdfasdoeoi2323-asdfwrn23\nCSeq: 2130706432 INVITE\n"
        ),
        (
            "INVITE",
            "lwsruri.asdfasdoeoi2323-asdfwrn23",
            (2130706432, "INVITE"),
            "caller",
            "3ghsd41",
        ),
    ),
    "3.1.2.9 trailing space": (
        (
            "OPTIONS sip:remote-target@example.com SIP/2.0  \nFrom: <sip:local@example.com>;tag=341518\n"
            "Call-ID: trws.oicu34958239neffasdhr2345r\nCSeq: 238923 OPTIONS\n"
        ),
        ("OPTIONS", "trws.oicu34958239neffasdhr2345r", (238923, "OPTIONS"), "local", "341518"),
    ),
    "3.1.2.13 name-addr without brackets": (
        (
            "REGISTER sip:example.com SIP/2.0\nFrom: Bell, Alexander <sip:a.g.bell@example.com>;tag=43\n"
            "Call-ID: baddn.31415@c.example.com\nCSeq: 3923239 REGISTER\n"
        ),
        ("REGISTER", "baddn.31415@c.example.com", (3923239, "REGISTER"), "a.g.bell", "43"),
    ),
    "3.1.2.18 CSeq method differs": (
        (
            "INVITE sip:user@example.com SIP/2.0\nFrom: sip:c@example.net;tag=34525\n"
            "Call-ID: mismatch02.dj0234sxdfl3\nCSeq: 8 NOMATCH\n"
        ),
        ("INVITE", "mismatch02.dj0234sxdfl3", (8, "NOMATCH"), "c", "34525"),
    ),
    "3.3.1 missing headers": (
        "INVITE sip:user@example.com SIP/2.0\nCSeq: 193942 INVITE\n",
        ("INVITE", "", (193942, "INVITE"), "", ""),
    ),
    "3.3.5 unknown Request-URI scheme": (
        (
            "OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0\nFrom: sip:c@example.net;tag=384\n"
            "Call-ID: unkscm.nasdfasser0q239nwsdfasdkl34\nCSeq: 3923423 OPTIONS\n"
        ),
        ("OPTIONS", "unkscm.nasdfasser0q239nwsdfasdkl34", (3923423, "OPTIONS"), "c", "384"),
    ),
    "3.3.8 repeated single headers: the first counts": (
        (
            "INVITE sip:user@company.com SIP/2.0\nFrom: sip:caller@example.net;tag=1\n"
            "From: sip:other@example.net;tag=2\nCall-ID: multi01.98asdh@192.0.2.1\n"
            "Call-ID: multi01.98asdh@192.0.2.2\nCSeq: 5 INVITE\nCSeq: 59 INVITE\n"
        ),
        ("INVITE", "multi01.98asdh@192.0.2.1", (5, "INVITE"), "caller", "1"),
    ),
}


@pytest.mark.parametrize("name", TORTURE)
@pytest.mark.parametrize("newline", ["\r\n", "\n"])
def test_torture_messages_are_read(name: str, newline: str) -> None:
    text, expected = TORTURE[name]
    read = parse(text.replace("\n", newline).encode() + newline.encode() * 2)
    found = (read.method or read.status, read.call_id, read.cseq, read.from_.user, read.from_.tag)
    assert found == expected
    touch(read)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\r\n\r\n", "empty"),
        (b"\0\0\0\0", "empty"),
        (b"INVITE sip:user@example.com SIP/7.0\r\n\r\n", "start_line"),
        (b"SIP/2.0 4294967301 better not break the receiver\r\n\r\n", "start_line"),
        (b"INVITE  SIP/2.0\r\n\r\n", "start_line"),
        (b"\x16\x03\x01\x02\x00\x01", "start_line"),
        (b"GET / HTTP/1.1\r\n\r\n", "start_line"),
        (b"OPTIONS sip:x SIP/2.0\r\n" + b"a:\r\n" * 300, "too_many_headers"),
        (b"OPTIONS sip:x SIP/2.0\r\na: " + b"x" * MAX_MESSAGE, "too_large"),
    ],
)
def test_what_is_not_sip_has_its_reason(data: bytes, reason: str) -> None:
    with pytest.raises(SipDecodeError) as caught:
        parse(data)
    assert caught.value.reason == reason


def touch(read: SipMessage) -> None:
    """Ask for everything: properties are read later, on messages that parsed."""
    _ = (read.call_id, read.cseq, read.branches, read.from_, read.to, read.identities)
    _ = (read.session_ids, read.nena_ids, read.direction)


def parse_all(data: bytes) -> None:
    try:
        touch(parse(data))
    except SipDecodeError as error:
        assert error.reason  # noqa: PT017 -- parsing may also succeed


@given(st.binary(max_size=400))
def test_garbage_raises_only_the_declared_error(data: bytes) -> None:
    parse_all(data)


WORDS = st.sampled_from(
    [
        "From",
        "To",
        "v",
        "Via",
        "CSeq",
        "Call-Info",
        "Session-ID",
        "Content-Length",
        "i",
        ":",
        ";",
        ",",
        "<",
        ">",
        '"',
        "\\",
        "sip:",
        "tel:",
        "@",
        "tag=",
        "branch=",
        "=",
        " ",
        "\t",
        "\r\n",
        "\n",
        "%",
        "purpose=emergency-CallId",
        "0" * 32,
        "a" * 32,
        "remote=",
        "m=audio 1",
        "a=sendonly",
        "v=0",
    ]
)


@given(
    st.text(alphabet='<>"\\;:@=%, \taip', max_size=12), st.text(alphabet='<>";=, tag', max_size=9)
)
def test_a_plain_address_is_read_like_any_other(user: str, end: str) -> None:
    for value in (
        f"<sip:{user}@h>;tag={end}",
        f'"{end}" <sip:{user}>',
        f"{end}<sips:{user}@h>{end}",
    ):
        assert address(value) == address(f" {value}")


@given(st.lists(WORDS, max_size=60).map("".join), st.text(max_size=20))
def test_nearly_sip_raises_only_the_declared_error(text: str, more: str) -> None:
    parse_all(b"INVITE sip:15@x SIP/2.0\r\n" + (text + more).encode("utf-8", "surrogatepass"))


@given(st.text(max_size=200))
def test_helpers_take_any_text(text: str) -> None:
    address(text)
    uri_user(text)
    assert all(split_list(text))


@pytest.mark.parametrize(
    "filler",
    [
        " ",
        ";",
        ",",
        '"',
        "<",
        "\\",
        "=",
        "a ",
        ';branch="',
        ";tag ",
        "%",
        '\\"',
        '" ',
        "< ",
        " sip:",
        "<sip:",
    ],
)
@pytest.mark.timeout(30)
def test_no_text_makes_the_reading_slow(filler: str) -> None:
    """Fill each header up to the longest message that is read, ten times.

    All of it takes less than a second while time grows with the size. If time grew with the square of the size, it
    would take minutes: then the timeout ends the test.
    """
    headers = ("Via", "From", "Call-Info", "Session-ID", "P-Asserted-Identity", "CSeq", "Call-ID")
    messages = []
    for header in headers:
        data = f"INVITE sip:x@y SIP/2.0\r\n{header}: ".encode()
        messages.append(data + filler.encode() * ((MAX_MESSAGE - 200) // len(filler)))
    lines = f"Content-Type: multipart/mixed; boundary={filler}\r\n\r\nm=audio 1\r\n".encode()
    lines += f"m=audio 1\r\nc={filler}\r\n".encode() * 3000
    messages.append(b"INVITE sip:x@y SIP/2.0\r\n" + lines)
    for data in messages * 10:
        parse_all(data)
