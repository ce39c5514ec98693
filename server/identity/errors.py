"""Refusals of sign-in."""

from server.core.errors import TooMany, Unauthenticated


class BadCredentials(Unauthenticated):
    """Identifier, password or code is wrong: never said which."""

    code = "bad_credentials"


class LoginCodeExpired(Unauthenticated):
    """Five minutes or five tries are over."""

    code = "code_expired"


class LoginThrottled(TooMany):
    """Back-off for this account or address."""

    code = "login_throttled"


class SignInOver(Unauthenticated):
    """The sign-in has ended; what its desk held may be finished, nothing else is begun."""

    code = "sign_in_over"
