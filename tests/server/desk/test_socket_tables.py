"""Every message that a desk may send has one handler: a message that is forgotten would fail while somebody works."""

from __future__ import annotations

from typing import get_args

from server.desk.web.socket import FINISHING, HANDLERS, HELP, SIGNALS, DeskSocket
from server.protocol.desk import DeskHello, DeskMessage

EVERY = {*get_args(DeskMessage)}


def test_every_message_has_one_handler() -> None:
    assert {*HANDLERS, *SIGNALS} == EVERY - {DeskHello}
    assert not {*HANDLERS} & {*SIGNALS}
    for name in (*HANDLERS.values(), *SIGNALS.values()):
        assert callable(getattr(DeskSocket, name))


def test_what_may_be_finished_and_what_helps_are_messages_of_a_desk() -> None:
    assert {*FINISHING} <= EVERY
    assert {*HELP} == {kind for kind, name in HANDLERS.items() if name == "_help"}
    for kind, (_, field) in HELP.items():
        assert not field or field in kind.model_fields
