"""What link a person means, however it reached him: with a full stop behind it, cut in two lines, encoded twice.

Messengers, mail programs and people add signs to a link, and never take from its token. So signs around the token are
left out and its parts joined; its length and its letters stay what they are, and no token is guessed or searched for.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

#: 160 bits in the URL-safe alphabet of base64 (RFC 4648, section 5).
TOKEN_LENGTH: Final = 27
CALLER: Final = "v"
OBSERVER: Final = "o"
CODE: Final = "c"
TOKEN: Final = rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}"
_ENCODED_TIMES: Final = 4  # a redirector encodes what a messenger has encoded
_LONGEST: Final = 4_096  # bytes of a path that are read
# What nobody sees: zero-width signs, marks of direction, soft hyphens, variation selectors, the mark of byte order.
_UNSEEN: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]"
)
_PAGE: Final = re.compile(
    rf"[^A-Za-z0-9]*([{CALLER}{OBSERVER}{CODE}])(?![A-Za-z0-9_-])(.*)", re.IGNORECASE | re.DOTALL
)
_PARAMETER: Final = re.compile(r"[?&#;][A-Za-z0-9_.:~-]{1,64}=[^?&#;\s]*")
_RUN: Final = re.compile(r"[A-Za-z0-9_-]+")
# An underscore makes a link italic in messengers, a dash follows it in a sentence: both are letters of the alphabet.
_TOKEN: Final = re.compile(rf"({TOKEN})[_-]*")
_CUT: Final = re.compile(r"[A-Za-z0-9_\s-]+")  # parts of a token in several lines
_BETWEEN_SIGNS: Final = re.compile(r"[A-Za-z0-9](?:.*[A-Za-z0-9])?", re.DOTALL)
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9_-]*)+")


@dataclass(frozen=True, slots=True)
class LinkAsSent:
    """The page a path leads to, and the one token in it; None when there is none, or more than one."""

    page: str
    token: str | None = None

    @property
    def path(self) -> str | None:
        """Return the path of the link as we write it."""
        if self.page == CODE:
            return f"/{CODE}"
        return f"/{self.page}/{self.token}" if self.token else None


def read(path: bytes) -> LinkAsSent | None:
    """Return the link of a caller, of an observer or of a spoken code in a path as the request has it; else None."""
    found = _PAGE.fullmatch(_plain(path))
    if found is None:
        return None
    page = found[1].lower()
    return LinkAsSent(page, None if page == CODE else _token(found[2]))


def tidied(path: bytes) -> str | None:
    """Return the path of any page without the signs at its ends; None when nothing is left out, or none is left."""
    signs = _plain(path)
    # Not `[^A-Za-z0-9]+$`: it would begin anew at each of many signs in the middle.
    found = _BETWEEN_SIGNS.search(signs)
    text = f"/{found[0]}" if found else ""
    return text if _PATH.fullmatch(text) and text.encode() != path else None


def _plain(path: bytes) -> str:
    """Decode as often as it was encoded; what is no UTF-8 becomes a sign that belongs to nothing."""
    data = path[:_LONGEST]
    for _ in range(_ENCODED_TIMES):
        data = unquote_to_bytes(data)
    return _UNSEEN.sub("", data.decode("utf-8", "replace"))


def _token(text: str) -> str | None:
    """Return the one token that stands whole in a text, or else was cut by blanks and ends of lines."""
    text = _PARAMETER.sub(" ", text)
    whole = _tokens(_RUN.findall(text))
    if not whole:
        whole = _tokens(re.sub(r"\s", "", part) for part in _CUT.findall(text))
    return whole.pop() if len(whole) == 1 else None


def _tokens(parts: Iterable[str]) -> set[str]:
    return {found[1] for part in parts if (found := _TOKEN.fullmatch(part))}
