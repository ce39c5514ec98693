"""One link is read in every dress that messengers, mail programs and people give it; nothing else is."""

from __future__ import annotations

import re
import string
from time import process_time
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core.clock import Ids
from server.web.link_as_sent import TOKEN, LinkAsSent, read, tidied

ONE = "Zk3v0T_x-9QmP1aB2cD3eF4gH5i"
OTHER = "-A1b2C3d4E5f6G7h8I9j0K1l2M3"
ALPHABET = string.ascii_letters + string.digits + "_-"
TOKENS = st.text(ALPHABET, min_size=27, max_size=27).filter(lambda t: t[-1] not in "_-")

UNSEEN = ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"]
BIDI = ["\u200e", "\u200f", "\u061c", "\u202a", "\u202c", "\u202e", "\u2066", "\u2069"]
BLANKS = [" ", "\t", "\u00a0", "\u202f", "\u2009", "\u3000", "\u1680"]
ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029", "\u0085"]
SIGNS = [
    *".,;:!?)]}>\"'`*|\\/(<[{~^$@%+=",
    *("»", "«", "”", "“", "’", "‘", "…", "—", "–", "·", "•"),
    *("。", "，", "、", "；", "：", "！", "？", "）", "】", "」", "》", "．"),
    *("،", "؛", "؟", "۔", "।", "·", "¿", "¡", "👍", "❤️"),
    "\x00",
]
TAILS = ["&gt;", "&quot;", "%2", "_", "-"]
ADDED = [
    "?utm_source=sms&utm_medium=x",
    "&utm_source=sms",
    "&fbclid=IwAR0123456789_abcdefghijklmnopqrstuvwxyz",
    f"?igshid={OTHER}",
    ";jsessionid=0123456789ABCDEF",
    "#:~:text=lien",
    " merci",
    "\nRestez au téléphone",
]


def written(text: str) -> bytes:
    """As a browser asks for it."""
    return quote(text, safe="/").encode()


@pytest.mark.parametrize("sign", [*SIGNS, *UNSEEN, *BIDI, *BLANKS, *ENDS, *TAILS, *ADDED])
def test_a_sign_behind_the_link_is_left_out(sign: str) -> None:
    for page in ("v", "o"):
        meant = LinkAsSent(page, ONE)
        assert read(written(f"/{page}/{ONE}{sign}")) == meant
        assert read(quote(written(f"/{page}/{ONE}{sign}").decode()).encode()) == meant
        assert meant.path == f"/{page}/{ONE}"


@pytest.mark.parametrize("sign", [*SIGNS, *UNSEEN, *BIDI, *BLANKS, *ENDS])
def test_a_sign_before_the_link_is_left_out(sign: str) -> None:
    assert read(written(f"/v/{sign}{ONE}")) == LinkAsSent("v", ONE)
    assert read(written(f"/{sign}v/{ONE}")) == LinkAsSent("v", ONE)


@pytest.mark.parametrize("sign", [*UNSEEN, *BIDI, *BLANKS, *ENDS])
def test_a_link_that_was_cut_is_joined(sign: str) -> None:
    for at in range(1, len(ONE)):
        assert read(written(f"/v/{ONE[:at]}{sign}{ONE[at:]}")) == LinkAsSent("v", ONE)


@pytest.mark.parametrize(
    "path",
    [
        "/v/" + "".join(f"%{ord(c):02x}" for c in ONE),
        "/v/" + "".join(f"%25{ord(c):02X}" for c in ONE),
        "/%76/" + ONE,
        "/v%2F" + ONE,
        "/V/" + ONE,
        "//v//" + ONE + "//",
        "/v/%3Chttps://samu.example/v/" + ONE + "%3E",
        f"/v/{ONE}/v/{ONE}",
        f"/v/{ONE}%C2",
        f"/v/{ONE}%E2%80",
    ],
)
def test_other_ways_to_write_it(path: str) -> None:
    assert read(path.encode()) == LinkAsSent("v", ONE)


@pytest.mark.parametrize(
    "path",
    [
        "/v",
        "/v/",
        "/v/.",
        f"/v/{ONE[:-1]}",
        f"/v/{ONE[1:]}.",
        f"/v/{ONE[:13]}/{ONE[13:]}",
        f"/v/{ONE}x",
        f"/v/{ONE}/{OTHER}",
        f"/v/{ONE}%20{OTHER}",
        f"/v/{ONE}&{OTHER}",
        f"/v/{ONE}{OTHER}",
        f"/v/?token={ONE}",
        "/v/%ff%fe",
        "/v/" + "%25" * 9,
    ],
)
def test_what_is_not_one_link_is_none(path: str) -> None:
    found = read(path.encode())
    assert found == LinkAsSent("v")
    assert found.path is None


@pytest.mark.parametrize(
    "path", ["/", "", "/vision", "/v-1", "/c2", "/desk", f"/{ONE}", "/login/v", "/0/" + ONE]
)
def test_other_pages_are_not_links(path: str) -> None:
    assert read(path.encode()) is None


@pytest.mark.parametrize("typed", ["/c", "/C", "/c/", "/c.", "/c/123456", "/%20c", "/c%E2%80%8B"])
def test_the_address_read_aloud(typed: str) -> None:
    assert read(typed.encode()) == LinkAsSent("c")
    assert LinkAsSent("c").path == "/c"


def test_a_token_is_as_long_as_we_make_them() -> None:
    assert all(re.fullmatch(TOKEN, Ids().token()) for _ in range(50))


around = st.lists(st.sampled_from([*SIGNS, *UNSEEN, *BIDI, *BLANKS, *ENDS]), max_size=6).map(
    "".join
)
inside = st.lists(st.sampled_from([*UNSEEN, *BIDI, *BLANKS, *ENDS]), max_size=3).map("".join)


@given(
    token=TOKENS,
    before=around,
    cut=st.integers(1, 26),
    gap=inside,
    after=around,
    added=st.sampled_from(["", *ADDED[:6]]),
    times=st.integers(1, 3),
    host=st.sampled_from(["", "<https://samu.example/v/", "HTTPS://SAMU.EXAMPLE:443/v/"]),
)
def test_any_dress_of_any_token_gives_this_token(
    token: str, before: str, cut: int, gap: str, after: str, added: str, times: int, host: str
) -> None:
    # What would make a parameter of the token itself, or a letter of its own, is no dress.
    before = re.sub(r"[?&#;%=]", "", before)
    after = re.sub(r"[%=&]", "", after)
    path = f"/v/{host}{before}{token[:cut]}{gap}{token[cut:]}{after}{added}".encode()
    for _ in range(times):
        path = quote(path, safe="/").encode()
    assert read(path) == LinkAsSent("v", token)


@given(st.one_of(st.text(), st.text(ALPHABET + " \u200b/.%25&?=", max_size=80)), st.booleans())
def test_any_text_gives_none_or_the_one_token_that_it_contains(text: str, raw: bool) -> None:  # noqa: FBT001
    path = b"/v/" + (text.encode(errors="replace") if raw else quote(text, safe="").encode())
    found = read(path)
    assert found
    if found.token is None:
        return
    assert re.fullmatch(TOKEN, found.token)
    plain = path
    for _ in range(4):
        plain = unquote_to_bytes(plain)
    left = re.sub(r"\s", "", "".join(c for c in plain.decode(errors="replace") if c.isprintable()))
    assert found.token in left
    assert read(f"/v/{found.token}".encode()) == found


@given(TOKENS, TOKENS, st.sampled_from([*SIGNS, *BLANKS, *ENDS, "/v/", " et ", "&", "?"]))
def test_two_tokens_are_none(one: str, other: str, between: str) -> None:
    if one == other or between == "%":
        return
    assert read(written(f"/v/{one}{between}{other}")) == LinkAsSent("v")


@given(st.text(ALPHABET, max_size=26), around)
def test_a_part_of_a_token_is_none(part: str, after: str) -> None:
    assert read(written(f"/v/{part}{after}")) == LinkAsSent("v")


# --- other pages -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/login.", "/login"),
        ("/desk/", "/desk"),
        ("/incidents/12%29.", "/incidents/12"),
        ("/%E2%80%8Bkiosk", "/kiosk"),
        ("//desk//", "/desk"),
        ("/desk", None),
        ("/", None),
        ("//evil.example/", None),
        ("//evil/", "/evil"),
        ("/a//b.", None),
        ("/../desk.", "/desk"),
        ("/desk%0d%0aX:1.", None),
    ],
)
def test_signs_at_the_ends_of_any_path(path: str, page: str | None) -> None:
    assert tidied(path.encode()) == page


@given(st.binary(max_size=60))
def test_a_tidied_path_is_one_of_ours_and_stays(path: bytes) -> None:
    found = tidied(path)
    if found is not None:
        assert re.fullmatch(r"/[A-Za-z0-9][A-Za-z0-9/_-]*", found)
        assert tidied(found.encode()) is None


@pytest.mark.parametrize("sign", ["!", " ", "/", "%21", "&", "?a", "-", "/a"])
@pytest.mark.parametrize("start", ["/x", "/v/"])
def test_a_path_of_signs_alone_keeps_nobody_waiting(start: str, sign: str) -> None:
    """Whoever asks for it is a stranger: the work is in proportion to what he sends."""
    path = (start + sign * 4_096).encode()[:4_095] + b"x"
    began = process_time()
    for _ in range(20):
        tidied(path)
        read(path)
    assert process_time() - began < 0.4
