"""Reading application/dialog-info+xml: what is well said is read, what is hostile is refused and named."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.sources.dialog_info.codec import (
    MAX_BODY,
    MAX_DIALOGS,
    Dialog,
    DialogInfo,
    DialogInfoError,
    DialogState,
    Party,
    Replaced,
    read,
)

HEAD = '<?xml version="1.0"?>\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '

#: As Kamailio 5.6.3 writes it.
KAMAILIO = b"""<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="2" state="full" entity="sip:1501@192.0.2.10">
  <dialog id="padi-6b037c0a-37aa-1" call-id="lab-1@192.0.2.9" local-tag="99s1" remote-tag="98c1" direction="recipient">
    <state>early</state>
    <remote>
      <identity>sip:+33612345678@192.0.2.9:5071</identity>
      <target uri="sip:+33612345678@192.0.2.9:5071"/>
    </remote>
    <local>
      <identity>sip:1501@192.0.2.10:5060</identity>
      <target uri="sip:192.0.2.15:5072;transport=UDP"/>
    </local>
  </dialog>
</dialog-info>
"""

#: The transfer target's second document, after RFC 4235, 3.7 and 4.1.3.
TRANSFERRED = (
    HEAD
    + """version="5" state="partial" entity="sip:1601@x">
  <dialog id="a" call-id="c2" local-tag="l2" remote-tag="r2" direction="recipient">
    <state event="replaced">terminated</state>
  </dialog>
  <dialog id="b" call-id="c3" local-tag="l3" remote-tag="r3" direction="recipient">
    <state code="200">confirmed</state>
    <duration>7</duration>
    <replaces call-id="c2" local-tag="l2" remote-tag="r2"/>
    <referred-by display="ARM">sip:1501@x</referred-by>
    <local><identity>sip:1601@x</identity>
      <target uri="sip:1601@h"><param pname="+sip.rendering" pval="no"/></target></local>
    <remote><identity display="Zo&#xe9; &amp; Co">sip:+33612345678@x</identity></remote>
    <route-set><hop>sip:p;lr</hop></route-set>
    <other xmlns="urn:not-ours"><state>trying</state></other>
  </dialog>
</dialog-info>"""
).encode()


def test_what_kamailio_writes() -> None:
    assert read(KAMAILIO) == DialogInfo(
        version=2,
        full=True,
        entity="sip:1501@192.0.2.10",
        dialogs=(
            Dialog(
                id="padi-6b037c0a-37aa-1",
                state=DialogState.EARLY,
                call_id="lab-1@192.0.2.9",
                local_tag="99s1",
                remote_tag="98c1",
                initiator=False,
                local=Party("sip:1501@192.0.2.10:5060", "sip:192.0.2.15:5072;transport=UDP"),
                remote=Party("sip:+33612345678@192.0.2.9:5071", "sip:+33612345678@192.0.2.9:5071"),
            ),
        ),
    )


def test_an_attended_transfer() -> None:
    info = read(TRANSFERRED)
    old, new = info.dialogs
    assert (info.version, info.full) == (5, False)
    assert (old.state, old.event) == (DialogState.TERMINATED, "replaced")
    assert new.replaces == Replaced("c2", "l2", "r2")
    assert (new.referred_by, new.duration, new.code, new.state) == (
        "sip:1501@x",
        7,
        200,
        DialogState.CONFIRMED,
    )
    assert new.held
    assert not old.held


def test_no_number_in_a_repr() -> None:
    assert "33612345678" not in repr(read(TRANSFERRED)) + repr(read(KAMAILIO))


def doc(inner: str = "", start: str = 'version="0" state="full"', before: str = "") -> bytes:
    root = f'<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" {start}>'
    return f"{before}{root}{inner}</dialog-info>".encode()


LAUGHS = "<!DOCTYPE x [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {new} '{f'&{old};' * 10}'>"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
ONE = '<dialog id="{}"><state>early</state></dialog>'


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "xml_malformed"),
        (b"\x00\xff\xfe", "xml_malformed"),
        (doc()[:-3], "xml_malformed"),
        (doc(ONE.format("&a;")), "xml_malformed"),
        (doc(before='<?xml version="1.0" encoding="no-such"?>'), "xml_malformed"),
        (doc(before='<?xml version="1.0" encoding="base64"?>'), "xml_malformed"),
        (doc(ONE.format("&j;"), before=LAUGHS + "]>"), "xml_doctype"),
        (doc(before="<!DOCTYPE dialog-info>"), "xml_doctype"),
        (doc(before='<!DOCTYPE x SYSTEM "http://192.0.2.66/x.dtd">'), "xml_doctype"),
        (
            doc("&e;", before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'),
            "xml_doctype",
        ),
        (doc(before="<!DOCTYPE x [<!ENTITY % p SYSTEM 'file:///x'> %p;]>"), "xml_doctype"),
        (doc(" " * MAX_BODY), "xml_too_large"),
        (doc("<a>" * 20 + "</a>" * 20), "xml_too_deep"),
        (doc(ONE.format("i") * (MAX_DIALOGS + 1)), "xml_too_many"),
        (b"<presence/>", "xml_not_dialog_info"),
        (b'<dialog-info xmlns="urn:other" version="1" state="full"/>', "xml_not_dialog_info"),
        (doc(start='state="full"'), "xml_version"),
        (doc(start='version="-1" state="full"'), "xml_version"),
        (doc(start='version="99999999999" state="full"'), "xml_version"),
        (doc(start='version="\u0663" state="full"'), "xml_version"),
        (doc(start='version="1"'), "xml_state"),
        (doc(start='version="1" state="some"'), "xml_state"),
        (doc('<dialog id="1"><state>asleep</state></dialog>'), "xml_state"),
        (doc('<dialog id="1"/>'), "xml_state"),
        (doc("<dialog><state>early</state></dialog>"), "xml_no_id"),
    ],
)
def test_what_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(DialogInfoError) as refused:
        read(body)
    assert refused.value.reason == reason


@given(st.binary(max_size=300) | st.binary(max_size=80).map(lambda junk: KAMAILIO[:300] + junk))
def test_nothing_else_is_ever_raised(body: bytes) -> None:
    with suppress(DialogInfoError):
        read(body)


def test_versions_as_they_are_padded() -> None:
    assert read(doc(start='version="00000000007" state="full"')).version == 7
    assert read(doc(start='version="0" state="full"')).version == 0
