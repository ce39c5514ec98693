"""Refusals of the self-test."""

from server.core.errors import Conflict, TooMany


class SelftestRunning(Conflict):
    """The same person began another self-test: one at a time measures."""

    code = "selftest_running"


class SelftestSpent(TooMany):
    """A self-test sent more than a measurement needs."""

    code = "selftest_spent"
