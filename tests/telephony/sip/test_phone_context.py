"""A local number is of the country of its phone-context, or nothing, wherever SIP tells one (RFC 3966, 5.1.5).

In the shape of github.com/sipcapture/heplify-server/issues/30 and pjsip/pjproject/issues/2417.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from telephony import Direction, Rang
from telephony.correlate.correlation import Correlator
from telephony.sip import message as sip
from telephony.sources.dialog_info.codec import read
from telephony.sources.dialog_info.facts import DialogFactReader
from telephony.sources.hep.facts import SipFactReader

HIDDEN = "From: <sip:anonymous@anonymous.invalid>;tag=1"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def invite(*headers: str, to: str = "sip:1501@pbx") -> list[Rang]:
    lines = [f"INVITE {to} SIP/2.0", *headers, "Call-ID: x", "CSeq: 1 INVITE", "", ""]
    message = sip.parse("\r\n".join(lines).encode())
    facts = SipFactReader("hep", {"1501"}).observe(
        message, AT, ("192.0.2.1", 5060), ("192.0.2.2", 5060)
    )
    return [fact for fact in facts if isinstance(fact, Rang)]


@pytest.mark.parametrize(
    ("headers", "e164"),
    [
        ("From: <tel:+33612345678>;tag=1", "+33612345678"),
        ("From: <tel:621123456;phone-context=+352>;tag=1", "+352621123456"),
        ("From: <sip:621123456;phone-context=+352@ims.example;user=phone>;tag=1", "+352621123456"),
        ("From: <tel:0612345678;phone-context=+33>;tag=1", "+33612345678"),
        ("From: <tel:612-34-56-78;phone-context=+33>;tag=1", "+33612345678"),
        ("From: <tel:612345678;phone-context=+41>;tag=1", "+41612345678"),
        ("From: <tel:0479123456;phone-context=+32>;tag=1", "+32479123456"),
        ("From: <sip:0479123456;phone-context=+32@gw;user=phone>;tag=1", "+32479123456"),
        ("From: tel:0479123456;phone-context=+32;tag=1", "+32479123456"),
        ("From: <sip:0479123456@gw>;phone-context=+32;tag=1", "+32479123456"),
        ("From: <tel:0039347123456;phone-context=x.example>;tag=1", None),
        ("From: <tel:310080120073501;phone-context=ims.mnc008.mcc310.3gppnetwork.org>;tag=1", None),
        (
            f"{HIDDEN}\r\nP-Asserted-Identity: <sip:+33612345678@ims;user=phone>, <tel:+33612345678>",
            "+33612345678",
        ),
        (
            f"{HIDDEN}\r\nP-Asserted-Identity: <tel:0479123456;phone-context=+32>",
            "+32479123456",
        ),
        ("From: <sip:1@h>;tag=1\r\nRemote-Party-ID: <tel:0479123456;phone-context=+32>", "+32479123456"),
        ("From: <sip:+33612345678;verstat=TN-Validation-Passed@h;user=phone>;tag=1", "+33612345678"),
        (f"From: <sip:+33612345678@h;user=phone;x={'y' * 400}>;tag=1", "+33612345678"),
        ("From: <sip:161 201 11111@10.0.0.1>;tag=1", None),
        ("From: <sip:06%2012%2034%2056%2078@h>;tag=1", "+33612345678"),
        ("From: <tel:+33-6-12-34-56-78>;tag=1", "+33612345678"),
    ],
)  # fmt: skip
def test_who_calls(headers: str, e164: str | None) -> None:
    [ring] = invite(headers, "To: <sip:1501@pbx>")
    assert (ring.caller.e164 if ring.caller else None) == e164


@pytest.mark.parametrize(
    ("to", "e164"),
    [
        ("tel:0479123456;phone-context=+32", "+32479123456"),
        ("sip:0479123456;phone-context=+32@gw;user=phone", "+32479123456"),
        ("tel:0479123456;phone-context=pbx.example", None),
        ("sip:0479123456@gw", "+33479123456"),
        ("sip:15;phone-context=+33@gw", None),
    ],
)
def test_who_is_called(to: str, e164: str | None) -> None:
    """Nobody of another country is shown as the one called, or called back."""
    [ring] = invite("From: <sip:1501@pbx>;tag=1", f"To: <{to}>", to=to)
    assert ring.direction is Direction.OUTGOING
    correlator = Correlator({"1501"}, lambda: "c")
    correlator.receive(ring)
    [call] = correlator.calls()
    assert (call.number.e164 if call.number else None) == e164


def test_a_station_keeps_its_name() -> None:
    [ring] = invite(
        "From: <sip:0612345678@gw>;tag=1",
        "To: <sip:x@pbx>",
        to="sip:1501;phone-context=pbx.example@pbx",
    )
    assert (ring.station, ring.called) == ("1501", "1501")


@pytest.mark.parametrize("initiator", ["initiator", "recipient"])
def test_presence(initiator: str) -> None:
    document = f"""<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:1501@pbx">
<dialog id="d" call-id="x" direction="{initiator}"><state>early</state>
<remote><identity>sip:0479123456;phone-context=+32@gw</identity></remote></dialog></dialog-info>"""
    facts, _ = DialogFactReader("presence", {"1501"}).observe("1501", read(document.encode()), AT)
    [ring] = [fact for fact in facts if isinstance(fact, Rang)]
    told = ring.called if initiator == "initiator" else ring.caller and ring.caller.e164
    assert told == "+32479123456"
