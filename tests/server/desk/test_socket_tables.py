"""Every message that a desk may send is done by one part of its socket; that none is forgotten is shown by mypy."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from server.desk.web.calls import CallCommand
from server.desk.web.finishing import Finishing
from server.desk.web.invitations import InvitationCommand
from server.desk.web.remote_help import HelpCommand
from server.desk.web.signals import Signal
from server.desk.web.third_parties import ThirdPartyCommand
from server.desk.web.watching import SessionCommand
from server.protocol import desk as m
from server.protocol.desk import DeskMessage

EVERY = {*get_args(DeskMessage)}
PARTS = (
    *(InvitationCommand, ThirdPartyCommand, SessionCommand, CallCommand, HelpCommand),
    *(Signal, m.DeskHello | m.HelpPoint),
)
#: What begins something, or reaches somebody new: over with the sign-in.
BEGINS = {
    m.DeskHello,
    m.Invite,
    m.SpokenCodeMake,
    m.InvitationResend,
    m.InvitationMove,
    m.SessionsRecent,
    m.HandOverAccept,
    m.ObserverInvite,
}


def test_no_two_parts_do_the_same_message() -> None:
    assert Counter(kind for part in PARTS for kind in get_args(part)) == Counter(EVERY)


def test_each_message_is_for_who_begins_or_for_who_finishes() -> None:
    assert {*get_args(Finishing)} | BEGINS == EVERY
    assert not {*get_args(Finishing)} & BEGINS
