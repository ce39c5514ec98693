"""Switchboards that tell of one station as Kamailio, Asterisk and FreeSWITCH write dialog-info, after their sources.

Kamailio: modules/pua_dialoginfo. Asterisk: channels/chan_sip.c (`state_notify_build_xml`) and
res/res_pjsip_dialog_info_body_generator.c. FreeSWITCH: mod_sofia/sofia_presence.c (`sofia_presence_sub_callback`,
`sofia_dialog_probe_callback`).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Protocol

STATION = "1501"
HEAD = '<?xml version="1.0"?>\n<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" '


@dataclass
class TrueCall:
    """What a person who watches the station would write down of one call."""

    caller: str
    number: int
    state: str = "ringing"
    #: What FreeSWITCH's table of dialogs says.
    stored: str = "early"

    @property
    def live(self) -> bool:
        return self.state != "ended"

    @property
    def uuid(self) -> str:
        return str(uuid.UUID(int=self.number + 1))


@dataclass
class Document:
    body: bytes
    #: Whether it is the answer to a subscription.
    answers: bool = False


class Writer(Protocol):
    """How a product tells of one station."""

    def event(self, calls: list[TrueCall], changed: TrueCall) -> Document | None:
        """Tell that one call changed; None when the product says nothing then."""

    def answer(self, calls: list[TrueCall]) -> Document:
        """Answer a SUBSCRIBE."""


@dataclass
class _Versions:
    version: int = 0

    def document(self, inside: str, *, state: str = "full", answers: bool = False) -> Document:
        self.version += 1
        head = (
            f'{HEAD}version="{self.version}" state="{state}" entity="sip:{STATION}@pbx.example">\n'
        )
        return Document(f"{head}{inside}</dialog-info>\n".encode(), answers)


def _ends(local: str, remote: str, held: str = "", name: str = "pvalue") -> str:
    param = f'<param pname="+sip.rendering" {name}="{held}"/>' if held else ""
    return (
        f'<local><identity display="{local}">sip:{local}@pbx.example</identity>'
        f'<target uri="sip:{local}@pbx.example">{param}</target></local>'
        f'<remote><identity display="{remote}">sip:{remote}@pbx.example</identity>'
        f'<target uri="sip:**{STATION}@pbx.example"/></remote>'
    )


@dataclass
class Rfc(_Versions):
    """RFC 4235: all dialogs, or those that changed, each under its Call-ID."""

    partial: bool = False

    def event(self, calls: list[TrueCall], changed: TrueCall) -> Document:
        if self.partial:
            return self.document(self._dialog(changed), state="partial")
        listed = [each for each in calls if each.live or each is changed]
        return self.document("".join(map(self._dialog, listed)))

    def answer(self, calls: list[TrueCall]) -> Document:
        inside = "".join(self._dialog(each) for each in calls if each.live)
        return self.document(inside, answers=True)

    @staticmethod
    def _dialog(call: TrueCall) -> str:
        names = f'id="d{call.number}" call-id="c{call.number}@gw" local-tag="l" remote-tag="r"'
        states = {"ringing": "early", "ended": "terminated"}
        held = "no" if call.state == "held" else "yes"
        return (
            f'<dialog {names} direction="recipient"><state>{states.get(call.state, "confirmed")}'
            f"</state>{_ends(STATION, call.caller, held, 'pval')}</dialog>"
        )


@dataclass
class Asterisk(_Versions):
    """One state for the extension; `cid`: chan_sip with notifycid, which says who rings."""

    cid: bool = False
    last: str = ""

    def event(self, calls: list[TrueCall], _changed: TrueCall) -> Document | None:
        inside = self._state(calls)
        if inside == self.last:
            return None
        self.last = inside
        return self.document(inside)

    def answer(self, calls: list[TrueCall]) -> Document:
        self.last = self._state(calls)
        return self.document(self.last, answers=True)

    def _state(self, calls: list[TrueCall]) -> str:
        states = {call.state for call in calls}
        ringing = next((call for call in calls if call.state == "ringing"), None)
        if ringing is not None and self.cid:
            pickup = f'call-id="pickup-of-{STATION}" local-tag="t" remote-tag="as1"'
            ends = _ends(STATION, ringing.caller)
            return f'<dialog id="{STATION}" {pickup} direction="recipient">{ends}<state>early</state></dialog>\n'
        hold = ""
        if states <= {"held", "ended"} and "held" in states:
            param = '<param pname="+sip.rendering" pvalue="no"/>'
            hold = f'<local><target uri="sip:{STATION}@pbx.example">{param}</target></local>'
        state = (
            "early" if ringing else "confirmed" if states & {"talking", "held"} else "terminated"
        )
        return f'<dialog id="{STATION}"><state>{state}</state>{hold}</dialog>\n'


@dataclass
class FreeSwitch(_Versions):
    """One channel an event, without Call-ID; all of them, with it, in answer to a subscription.

    `swapped`: that list writes the ends of a call to the station the wrong way round.
    """

    swapped: bool = False
    lost: int = field(default=0)

    def event(self, _calls: list[TrueCall], changed: TrueCall) -> Document:
        told = {"ringing": "early", "talking": "confirmed", "held": "early", "ended": "terminated"}
        changed.stored = told[changed.state]
        ends = ""
        if changed.live and changed.caller:
            ends = _ends(STATION, changed.caller, "no" if changed.state == "held" else "yes")
        names = f'id="{changed.uuid}" direction="recipient"'
        return self.document(f"<dialog {names}>\n<state>{changed.stored}</state>{ends}</dialog>\n")

    def answer(self, calls: list[TrueCall]) -> Document:
        return self.document("".join(map(self._entry, filter(_live, calls))), answers=True)

    def registered(self) -> Document:
        """An event about no call, as when the phone registers."""
        return self.document("")

    def _entry(self, call: TrueCall) -> str:
        names = f'id="{call.uuid}" call-id="c{call.number}@gw" local-tag="l" remote-tag="r"'
        ends = (call.caller, STATION) if self.swapped else (STATION, call.caller)
        return (
            f'<dialog {names} direction="recipient">\n <state>{call.stored}</state>'
            f"{_ends(*ends, 'yes')}</dialog>\n"
        )


def _live(call: TrueCall) -> bool:
    return call.live
