"""Which language a phone asks for; what is read aloud in it; and catalogues that follow the sentences."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.core import resources
from server.core.words.languages import ALL, BY_CODE, choose
from server.core.words.translations import ReadAloudTranslator, catalogue

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "fr"),
        ("", "fr"),
        ("ar", "ar"),
        ("ar-MA,ar;q=0.9", "ar"),
        ("EN-gb", "en"),
        ("fr;q=0.2, en;q=0.8", "en"),
        ("ps, fa;q=0.9, ar;q=0.8, en;q=0.7", "ar"),
        ("en;q=0, ar;q=0.1", "ar"),
        ("so", "en"),
        ("*", "fr"),
        ("fr;q=nan, ar", "ar"),
        ("fr;q=2, ar;q=0.5", "ar"),
        (";;;,=,q=1", "fr"),
        ("x" * 100_000 + ",ar", "en"),
    ],
)
def test_the_language_that_the_phone_prefers(header: str | None, language: str) -> None:
    assert choose(header) == language


@given(st.text())
def test_any_header_has_a_language(header: str) -> None:
    assert choose(header) in BY_CODE


def test_each_language_has_its_own_name() -> None:
    assert [language.code for language in ALL] == [
        *("fr", "en", "es", "pt", "de", "it", "nl", "pl", "ro", "ar", "tr", "ru", "uk", "zh")
    ]
    assert len({language.own for language in ALL}) == len(ALL)


def test_what_is_read_aloud_is_translated(tmp_path: Path) -> None:
    folder = tmp_path / "locales" / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "spoken.po").write_text('msgid "Je vous vois."\nmsgstr "أراك."\n')
    spoken = ReadAloudTranslator(tmp_path)
    assert spoken.translate("Je vous vois.", "ar") == "أراك."
    assert spoken.translate("Je vous vois.", "fr") is None
    assert spoken.translate("Autre phrase.", "ar") is None


def test_catalogues_hold_nothing_that_a_library_decides() -> None:
    """Babel 2.19 has other rules for plurals than 2.18; no sentence has a plural, so no file names them."""
    files = sorted((resources.root() / "locales").rglob("*.po"))
    assert len(files) >= 2 * len(ALL) - 1
    assert [file for file in files if "Plural-Forms" in file.read_text()] == []


def test_what_the_check_finds(tmp_path: Path) -> None:
    """A sentence of the table that a catalogue lacks, one that outlived it, and a lost {name}."""
    root = resources.root()
    for name in ("scripts", "templates", "locales", "server"):
        shutil.copytree(root / name, tmp_path / name)
    (tmp_path / ".venv").symlink_to(root / ".venv")

    def check(*arguments: str) -> str:
        command = [tmp_path / "scripts" / "words", *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    assert check("--check") == ""
    table = tmp_path / "templates" / "caller" / "words.html"
    table.write_text(table.read_text().replace('"tap": _("Show', '"tap": _("Please show'))
    arabic = tmp_path / "locales" / "ar" / "LC_MESSAGES" / "messages.po"
    arabic.write_text(arabic.read_text().replace('msgstr "افتح في {browser}"', 'msgstr "افتح"'))
    found = check("--check")
    assert "locales/de/LC_MESSAGES/messages.po: run make words" in found
    assert "fr/messages: not translated: Please show with my camera" in found
    assert "ar/messages: other {names}: Open in {browser}" in found
    check()
    assert (
        "Montrer avec ma caméra"
        not in (tmp_path / "locales/fr/LC_MESSAGES/messages.po").read_text()
    ), "obsolete"
    (tmp_path / "templates" / "error.html").write_text('{{ _("Another") }}')
    assert "error.html: its sentences belong in caller/words.html" in check("--check")


def test_a_sentence_that_is_missing_stays_as_it_was() -> None:
    assert catalogue(resources.root(), "xx", "messages").gettext("Nothing") == "Nothing"
