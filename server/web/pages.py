"""Templates and translations: one Jinja2 environment a language, autoescaped, strict about missing names."""

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import CodeType
from typing import Final

from jinja2 import (
    BytecodeCache,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    select_autoescape,
)
from jinja2.bccache import Bucket

from server import __version__
from server.core.words.languages import ALL, BY_CODE
from server.core.words.translations import catalogue

LANGUAGES = tuple(BY_CODE)
_IMPORT: Final = re.compile(r' from "(\.\.?/[\w/.]+)\.js"')


class _Compiled(BytecodeCache):
    """Keeps compiled templates in memory, so that a template is compiled once and not once a language."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


class Pages:
    """Renders pages, mails and texts."""

    def __init__(self, root: Path) -> None:
        """Load templates, catalogues and the fingerprints of static files under `root`."""
        self.static = root / "static"
        compiled = _Compiled()
        self._environments = {lang: self._environment(root, lang, compiled) for lang in LANGUAGES}

    def warm_up(self) -> None:
        """Read every template, fingerprint and list of modules now: a request opens none of these files."""
        for file in self.static.rglob("*"):
            if file.is_file():
                self.static_url(file.relative_to(self.static).as_posix())
        scripts = self.static / "js"
        for script in scripts.rglob("*.js"):
            self.modules(script.relative_to(scripts).with_suffix("").as_posix())
        for lang, environment in self._environments.items():
            for name in environment.list_templates():
                environment.get_template(name)
            self.words(lang)

    def _environment(self, root: Path, lang: str, compiled: BytecodeCache) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(root / "templates"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=compiled,
        )
        translations = catalogue(root, lang, "messages")
        environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        environment.globals.update(
            static=self.static_url,
            modules=self.modules,
            version=__version__,
            lang=lang,
            languages=ALL,
            direction="rtl" if BY_CODE[lang].right_to_left else "ltr",
        )
        return environment

    @lru_cache(maxsize=512)  # noqa: B019 - one Pages a process
    def static_url(self, path: str) -> str:
        """Return the URL of a static file with a fingerprint, so that browsers may cache it for ever."""
        file = self.static / path
        print_ = hashlib.sha256(file.read_bytes()).hexdigest()[:10] if file.is_file() else "0"
        return f"/static/{path}?v={print_}"

    @cache  # noqa: B019 - one Pages a process, a few scripts
    def modules(self, script: str) -> tuple[str, ...]:
        """Name every module behind a script, so that a page asks for them at once and not one after the other.

        Scripts are named by their path under static/js, without the ending. What is loaded later (`import(…)`) is not
        among them.
        """
        found: set[str] = set()
        waiting = [script]
        while waiting:
            name = waiting.pop()
            source = (self.static / "js" / f"{name}.js").read_text()
            folder = posixpath.dirname(name)
            imported = {
                posixpath.normpath(f"{folder or '.'}/{path}") for path in _IMPORT.findall(source)
            }
            new = imported - found
            found |= new
            waiting.extend(new)
        return tuple(sorted(found))

    @cache  # noqa: B019 - one Pages a process, a few languages
    def words(self, lang: str) -> Mapping[str, str]:
        """Return every sentence of the caller's pages in one language, by its key."""
        module = self._environments[lang].get_template("caller/words.html").module
        return {key: str(text) for key, text in module.words.items()}  # type: ignore[attr-defined]

    @cache  # noqa: B019 - same
    def words_print(self, lang: str) -> str:
        """Return the fingerprint of the words of one language, so that browsers may cache them for ever."""
        return hashlib.sha256(json.dumps(self.words(lang)).encode()).hexdigest()[:10]

    def words_urls(self) -> dict[str, str]:
        """Say where a page gets the words of each language it can change to."""
        return {lang: f"/v/words/{lang}?v={self.words_print(lang)}" for lang in LANGUAGES}

    def render(self, template: str, lang: str = "fr", **context: object) -> str:
        """Render one template in one language."""
        return self._environments[lang].get_template(template).render(**context)

    def text(self, template: str, language: str = "fr", **context: object) -> str:
        """Render the text of a message."""
        return self.render(template, language, **context).strip()
