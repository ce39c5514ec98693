"""Refusals of the self-test."""

from server.core.errors import Conflict, TooMany


class SelftestRunning(Conflict):
    """The same person began another self-test: one at a time measures."""

    code = "selftest_running"
    message = "Un autre test a commencé avec votre compte : celui-ci s'arrête."


class SelftestSpent(TooMany):
    """A self-test sent more than a measurement needs."""

    code = "selftest_spent"
    message = "Assez de mesures pour l'instant : attendez dix minutes, puis recommencez."
