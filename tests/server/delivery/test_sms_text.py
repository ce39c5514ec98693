"""Every SMS is one segment, whatever the site is called: a link in two parts is a link that does not open."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.app.settings.settings import LONGEST_URL, ConfigurationError, load
from server.core import resources
from server.core.clock import Ids
from server.core.seal import Seal
from server.core.site_policy import SitePolicy
from server.core.sites import Site
from server.delivery.domain.sms_text import SEGMENT, gsm, one_segment, septets
from server.identity.service.login_codes import LoginCodes
from server.web.pages import LANGUAGES, Pages

PAGES = Pages(resources.root())
TOKEN = "Zk3v0T_x-9QmP1aB2cD3eF4gH5i"
NAMES = [
    "SAMU 37",
    "SAMU 37 Indre-et-Loire",
    "SAMU de la Réunion",
    "SAMU 971 – Guadeloupe",
    "SAMU Côte d’Azur « Nice »",
    "SAMU Hôtel-Dieu, Bâtiment Œuvre",
    "SAMU Ile-de-France, Centre de réception et de régulation n° 15",
    "x" * 64,
    "€" * 64,
    "[" * 64,
    "ê" * 64,
    "🚑" * 64,
    "ﬁ" * 64,
    "SAMU",
]
URLS = [
    "http://localhost:8015",
    "https://visio15.example",
    "https://visio15.samu.chu-tours.sante.example:8443",
    "https://" + "v" * (LONGEST_URL - len("https://")),
]


def invitation(name: str, url: str, language: str = "fr") -> str:
    link = f"{url}/v/{TOKEN}"
    return one_segment(
        lambda n: PAGES.text("sms/invitation.txt", language, site_name=n, link=link, minutes=15),
        name,
    )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("name", NAMES)
def test_an_invitation_is_one_segment(name: str, url: str, language: str) -> None:
    text = invitation(name, url, language)
    assert septets(text) <= SEGMENT
    assert text.endswith(f" {url}/v/{TOKEN}")
    assert "médecin" in text
    assert "&" not in text.replace(url, "")


@pytest.mark.parametrize("template", ["invitation.txt", "observer.txt"])
def test_no_sign_touches_a_link(template: str) -> None:
    """Phones take a sign that touches a link for a part of it: it ends an SMS, and in a mail has its own line."""
    link = f"{URLS[1]}/v/{TOKEN}"
    named: dict[str, Any] = {"site_name": "SAMU 37", "link": link, "minutes": 15, "by": "Dr Martin"}
    assert PAGES.text(f"sms/{template}", **named).endswith(f" {link}")
    assert PAGES.text(f"mail/{template}", **named).splitlines().count(link) == 1


@given(st.text(min_size=1, max_size=64), st.sampled_from(URLS))
def test_any_name_leaves_one_segment(name: str, url: str) -> None:
    text = invitation(name, url)
    assert septets(text) <= SEGMENT
    assert text.endswith(f"/v/{TOKEN}")


@pytest.mark.parametrize("name", NAMES)
def test_a_code_is_one_segment(name: str) -> None:
    site = Site("id", "key", name, "SAMU15", "r@example.org", SitePolicy())
    codes = LoginCodes(Ids(), Seal("s" * 64), PAGES)
    text = codes._sms("+33612345678", site, "012345")["text"] or ""
    assert septets(text) <= SEGMENT
    assert "012345" in text


def test_an_ordinary_name_is_written_whole() -> None:
    assert invitation("SAMU 37", "https://visio15.example").startswith("SAMU 37: touchez ce lien")
    assert invitation("SAMU de la Réunion", URLS[1]).startswith("SAMU de la Réunion: ")


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("Côte d’Azur", "Cote d'Azur"),
        ("Hôpital – Évreux", "Hopital - Évreux"),
        ("À l'est, où ça ?", "A l'est, où ca ?"),
        ("Œuvre sœur", "OEuvre soeur"),
        ("SAMU\u00a037\u202f: « Tours »", 'SAMU 37 : " Tours "'),
        ("Łódź", "?odz"),
        ("救急", "??"),
        ("🚑 15", "? 15"),
    ],
)
def test_what_is_not_in_the_alphabet_is_written_with_what_is(written: str, sent: str) -> None:
    assert gsm(written) == sent


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    assert septets(gsm(text)) >= 0
    assert gsm(gsm(text)) == gsm(text)


def test_the_alphabet_is_the_standards() -> None:
    """3GPP TS 23.038, table 6.2.1: 127 letters and the escape to ten more of two septets."""
    assert septets(string.ascii_letters + string.digits) == 62
    assert septets("éèùìòàñüöäÇØøÅåÆæß") == 18
    assert septets("^{}\\[~]|€") == 18
    for missing in "çêâîôûëïœ’«»–…\u00a0":
        with pytest.raises(ValueError, match="GSM-7"):
            septets(missing)


def test_an_address_that_leaves_no_room_is_refused_at_the_start() -> None:
    load(secret_key="s" * 32, public_url=URLS[-1])
    with pytest.raises(ConfigurationError, match="public_url"):
        load(secret_key="s" * 32, public_url=URLS[-1] + "v")
    room = SEGMENT - septets(invitation("", URLS[-1]))
    assert room >= len("SAMU 974 La")
