"""Translations read straight from the .po files under locales/: no compile step to forget."""

import gettext
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po


class TranslationCatalogue(gettext.NullTranslations):
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


class ReadAloudTranslator:
    """What the regulator reads aloud, in the caller's language; written in French."""

    def __init__(self, root: Path) -> None:
        """Keep where the catalogues are."""
        self._root = root

    def translate(self, sentence: str, language: str) -> str | None:
        """Return the translation; None when the caller speaks French or nobody has translated it yet."""
        return catalogue(self._root, language, "spoken").find(sentence)


@cache
def catalogue(root: Path, language: str, domain: str) -> TranslationCatalogue:
    """Return the sentences of a domain (`messages`: the caller's pages, `spoken`: read aloud to the caller)."""
    return TranslationCatalogue(root / "locales" / language / "LC_MESSAGES" / f"{domain}.po")
