"""The notice for regulators: one A4 page, printed from the committed source, in the words of the screens."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.lab.server import ROOT
from tests.screens.notice import PRINTED, SOURCE, printed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.lab
A4 = (595, 842)  # points
SCREENS = ("static/js", "templates", "locales/fr", "server")


class _Text(HTMLParser):
    """What is read, and which of it are words of the screens."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.named: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "link", "img"}:
            self._open.append("ui" if ("class", "ui") in attrs else tag)

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self._open:
            return
        self.words += data.split()
        if "ui" in self._open:
            self.named.append(" ".join(data.split()))


def source() -> _Text:
    read = _Text()
    read.feed(SOURCE.read_text())
    return read


def letters(text: str) -> Counter[str]:
    """Words may be cut apart or in another order on paper; letters are all there."""
    return Counter(re.sub(r"[\W_]", "", text))


def told(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=30).stdout


def one_a4_page(file: Path) -> None:
    said = told("pdfinfo", str(file))
    assert re.search(r"^Pages: +1$", said, re.MULTILINE), said
    size = re.search(r"^Page size: +([\d.]+) x ([\d.]+)", said, re.MULTILINE)
    assert size, said
    for found, wanted in zip(size.groups(), A4, strict=True):
        assert abs(float(found) - wanted) <= 1, said


def test_the_committed_one_is_one_page_of_this_text() -> None:
    one_a4_page(PRINTED)
    assert PRINTED.stat().st_size < 1_000_000
    on_paper = letters(told("pdftotext", str(PRINTED), "-"))
    assert on_paper == letters(" ".join(source().words)), "print it again: make notice"


def test_its_fonts_are_in_it() -> None:
    rows = told("pdffonts", str(PRINTED)).splitlines()[2:]
    assert any("Hyperlegible" in row for row in rows)
    assert all(row.split()[-5] == "yes" for row in rows), rows


async def test_it_still_fits_when_printed_again(tmp_path: Path) -> None:
    await printed(tmp_path / "notice.pdf")
    one_a4_page(tmp_path / "notice.pdf")


def test_it_speaks_the_words_of_the_screens() -> None:
    files = [
        file
        for folder in SCREENS
        for file in (ROOT / folder).rglob("*")
        if file.suffix in {".js", ".html", ".py", ".po"}
    ]
    shown = "\n".join(file.read_text() for file in files).replace("’", "'")
    named = source().named
    assert len(named) >= 15
    assert [word for word in named if word.replace("’", "'") not in shown] == []
