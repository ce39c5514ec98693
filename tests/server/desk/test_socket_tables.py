"""Every message that a desk may send has one handler: a message that is forgotten would fail while somebody works."""

from __future__ import annotations

from typing import get_args

from server.desk.web.socket import FINISHING, HANDLERS, HELP, SIGNALS, DeskSocket
from server.protocol import desk as m
from server.protocol.desk import DeskHello, DeskMessage

EVERY = {*get_args(DeskMessage)}


def test_every_message_has_one_handler() -> None:
    assert {*HANDLERS, *SIGNALS} == EVERY - {DeskHello}
    assert not {*HANDLERS} & {*SIGNALS}
    for name in (*HANDLERS.values(), *SIGNALS.values()):
        assert callable(getattr(DeskSocket, name))


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


def test_each_message_is_for_who_begins_or_for_who_finishes() -> None:
    assert {*FINISHING} | BEGINS == EVERY
    assert not {*FINISHING} & BEGINS


def test_what_may_be_finished_and_what_helps_are_messages_of_a_desk() -> None:
    assert {*FINISHING} <= EVERY
    assert {*HELP} == {kind for kind, name in HANDLERS.items() if name == "_help"}
    for kind, (_, field) in HELP.items():
        assert not field or field in kind.model_fields
