"""Refusals of the database as a whole."""

from server.core.errors import Unavailable


class DemonstrationRefused(Unavailable):
    """The demonstration on a database that somebody works with: its outbox would show their codes."""

    code = "demonstration_refused"


class SchemaMismatch(Unavailable):
    """The database is of another release: run `visio15 migrate`."""

    code = "schema_mismatch"
