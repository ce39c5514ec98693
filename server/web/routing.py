"""Paths with typed handlers: mypy compares what a path gives with what the constructor of its handler takes."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Rule, URLSpec
from tornado.web import Application, RequestHandler

P = ParamSpec("P")
#: What Tornado gives to every handler; all else a handler takes by name.
Asked = tuple[Application, HTTPServerRequest]
HandlerClass = Callable[Concatenate[Application, HTTPServerRequest, P], RequestHandler]


def path(pattern: str, handler: HandlerClass[P], /, *args: P.args, **kwargs: P.kwargs) -> URLSpec:
    """Lead a path to a handler, with what its constructor takes."""
    _check_named(args)
    return URLSpec(pattern, handler, kwargs)


def rule(matcher: Matcher, handler: HandlerClass[P], /, *args: P.args, **kwargs: P.kwargs) -> Rule:
    """Lead what a matcher finds to a handler, with what its constructor takes."""
    _check_named(args)
    return Rule(matcher, handler, kwargs)


def _check_named(args: tuple[object, ...]) -> None:
    """Refuse an argument without a name: Tornado passes on named ones only."""
    if args:
        raise TypeError("give a handler its arguments by name")
