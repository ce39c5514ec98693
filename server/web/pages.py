"""Templates and translations: one Jinja2 environment a language, autoescaped, strict about missing names."""

import gettext
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from server import __version__

LANGUAGES = ("fr", "en")


class _Catalogue(gettext.NullTranslations):
    """Translations read straight from the .po file: no compile step to forget."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        with path.open("rb") as file:
            catalogue = read_po(file)
        self._texts = {str(m.id): str(m.string) for m in catalogue if m.id and m.string}

    def gettext(self, message: str) -> str:
        """Return the translation, or the English original."""
        return self._texts.get(message, message)


class Pages:
    """Renders pages, mails and texts."""

    def __init__(self, root: Path) -> None:
        """Load templates, catalogues and the fingerprints of static files under `root`."""
        self.static = root / "static"
        self._environments = {lang: self._environment(root, lang) for lang in LANGUAGES}

    def _environment(self, root: Path, lang: str) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
        )
        path = root / "locales" / lang / "LC_MESSAGES" / "messages.po"
        translations = _Catalogue(path) if path.exists() else gettext.NullTranslations()
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(static=self.static_url, version=__version__, lang=lang)
        return environment

    @lru_cache(maxsize=512)  # noqa: B019 - one Pages a process
    def static_url(self, path: str) -> str:
        """Return the URL of a static file with a fingerprint, so that browsers may cache it for ever."""
        file = self.static / path
        print_ = hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.is_file() else "0"
        return f"/static/{path}?v={print_}"

    def render(self, template: str, lang: str = "fr", **context: Any) -> str:
        """Render one template in one language."""
        return self._environments[lang].get_template(template).render(**context)

    def text(self, template: str, language: str = "fr", **context: Any) -> str:
        """Render the text of a message."""
        return self.render(template, language, **context).strip()
