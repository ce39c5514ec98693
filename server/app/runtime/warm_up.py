"""Reads at start what libraries would read at the first use, while a call waits and perhaps no descriptor is left.

A load that fails half-way can leave a library broken: phonenumbers keeps its lock, and the next number of a new region
would stop the process for good.
"""

from importlib import import_module
from typing import Final
from zoneinfo import ZoneInfo

from server.core import resources
from server.core.site_policy import ZONE
from server.core.words.translations import catalogue
from server.delivery.domain.contacts import check_email
from server.storage import schema
from server.web.pages import LANGUAGES, Pages
from telephony import load_numbering_plans

#: Modules that libraries import inside functions.
_LATE: Final = ("encodings.idna", "encodings.punycode", "pydantic._internal._serializers")


def warm_up(pages: Pages) -> None:
    """Load numbering plans, templates, catalogues and late modules: some tenths of a second, a few MB."""
    load_numbering_plans()
    for module in _LATE:
        import_module(module)
    check_email("a@exämple.org")
    schema.head()
    ZoneInfo(ZONE)
    for language in LANGUAGES:
        catalogue(resources.root(), language, "spoken")
    pages.warm_up()
