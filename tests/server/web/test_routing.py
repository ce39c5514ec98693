"""A path gives its handler what the constructor names; mypy compares the two where the path is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tornado.routing import AnyMatches
from tornado.web import RequestHandler

from server.web.routing import Asked, path, rule

if TYPE_CHECKING:
    from tornado.routing import Rule


class Greeting(RequestHandler):
    def __init__(self, *asked: *Asked, word: str) -> None:
        super().__init__(*asked)
        self.word = word


@pytest.mark.parametrize(
    "made",
    [path(r"/hello", Greeting, word="Bonjour"), rule(AnyMatches(), Greeting, word="Bonjour")],
    ids=["path", "rule"],
)
def test_arguments_are_handed_over_by_name(made: Rule) -> None:
    assert (made.target, made.target_kwargs) == (Greeting, {"word": "Bonjour"})


def test_an_argument_without_a_name_is_refused() -> None:
    with pytest.raises(TypeError, match="by name"):
        path(r"/hello", Greeting, "Bonjour")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="by name"):
        rule(AnyMatches(), Greeting, "Bonjour")  # type: ignore[call-arg]
