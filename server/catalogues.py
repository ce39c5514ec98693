"""Translations read straight from the .po files under locales/: no compile step to forget."""

import gettext
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po


class Catalogue(gettext.NullTranslations):
    """The sentences of one language; what is not translated stays what it was."""

    def __init__(self, path: Path) -> None:
        """Read one file; a language without one translates nothing."""
        super().__init__()
        self._texts: dict[str, str] = {}
        if path.is_file():
            with path.open("rb") as file:
                catalogue = read_po(file)
            self._texts = {str(m.id): str(m.string) for m in catalogue if m.id and m.string}

    def find(self, message: str) -> str | None:
        """Return the translation, if there is one."""
        return self._texts.get(message)

    def gettext(self, message: str) -> str:
        """Return the translation, or the original."""
        return self._texts.get(message, message)


@cache
def catalogue(root: Path, language: str, domain: str) -> Catalogue:
    """Return the sentences of a domain (`messages`: the caller's pages, `spoken`: read aloud to the caller)."""
    return Catalogue(root / "locales" / language / "LC_MESSAGES" / f"{domain}.po")
