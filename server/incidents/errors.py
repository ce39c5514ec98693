"""Refusals of incidents."""

from server.core.errors import Conflict, TooMany


class IncidentChanged(Conflict):
    """Another person changed this incident since it was read."""

    code = "incident_changed"


class TooManyReports(TooMany):
    """One person sent more incidents in an hour than anybody writes."""

    code = "too_many_reports"
