"""Why: the catalogues follow the sentences: each one is found, none is left untranslated, none outlives its original.

Two domains under locales/LANG/LC_MESSAGES: `messages`, from the table in templates/caller/words.html (English),
and `spoken`, from every `Say("…")` of server/ (French: the regulator reads the translation aloud).
Usage: scripts/words [--check]
"""

import ast
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from server.core.words.languages import ALL, OWN  # noqa: E402

SOURCE = {"messages": "en", "spoken": OWN}
TEMPLATES = ROOT / "templates"
TABLE = TEMPLATES / "caller" / "words.html"
PLACEHOLDER = re.compile(r"\{\w+\}")
Sentences = Mapping[str, list[str]]


def words() -> Sentences:
    """Return the sentences of the caller's pages, with their keys."""
    found: dict[str, list[str]] = {}
    tree = Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(TABLE.read_text())
    for pair in tree.find_all(nodes.Pair):
        if isinstance(pair.value, nodes.Call) and isinstance(pair.key, nodes.Const):
            found.setdefault(pair.value.args[0].as_const(), []).append(str(pair.key.value))
    return found


def elsewhere() -> list[str]:
    """Return the templates that translate a sentence which is not in the table."""
    others = sorted(TEMPLATES.rglob("*.html"))
    found = [p for p in others if p != TABLE and re.search(r"\b_\(", p.read_text())]
    return [p.relative_to(TEMPLATES).as_posix() for p in found]


def spoken() -> Sentences:
    """Return every sentence to be read aloud; one with an open place is there once for each thing it can say."""
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "server").rglob("*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Say" and node.args:
                for text in _values(node.args[0], tree, path.name):
                    found.setdefault(text, [])
    return found


def _values(node: ast.expr, tree: ast.Module, name: str) -> list[str]:
    """Return what an expression can be: a literal, a named one, a choice, an f-string, what a function returns."""
    found: list[str] = []
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            several = [_values(part, tree, name) for part in parts]
            return ["".join(one) for one in itertools.product(*several)]
        case ast.IfExp(body=one, orelse=other):
            found = [*_values(one, tree, name), *_values(other, tree, name)]
        case ast.FormattedValue(value=value):
            found = _values(value, tree, name)
        case ast.Name(id=wanted) | ast.Call(func=ast.Name(id=wanted)):
            for each in _given(wanted, tree):
                found += _values(each, tree, name)
    if not found:
        sys.exit(f"{name}:{node.lineno}: a sentence to be read aloud whose words cannot be known")
    return found


def _given(wanted: str, tree: ast.Module) -> Iterator[ast.expr]:
    """Return what a name at the top of a module stands for, or what the function of that name returns."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == wanted:
            returns = [n for n in ast.walk(node) if isinstance(n, ast.Return)]
            yield from (each.value for each in returns if each.value is not None)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield from (node.value for t in targets if getattr(t, "id", None) == wanted)


@dataclass(frozen=True, slots=True)
class Entry:
    """One sentence of a catalogue: its keys in the table of words, the original, the translation."""

    keys: Sequence[str]
    text: str
    translated: str


def followed(language: str, domain: str, sentences: Sentences) -> list[Entry]:
    """Return the catalogue as it must be: these sentences in this order, with the translations there are."""
    path = place(language, domain)
    old = {}
    if path.is_file():
        with path.open("rb") as file:
            old = {str(m.id): str(m.string) for m in read_po(file) if m.id and not m.fuzzy}
    source = language == SOURCE[domain]
    return [
        Entry(keys, text, text if source else old.get(text, "")) for text, keys in sentences.items()
    ]


def written(language: str, domain: str, entries: Iterable[Entry]) -> bytes:
    """Return the file: the same bytes for the same sentences, on any day and with any version of a library.

    There is no line `Plural-Forms`: no sentence has a plural, and libraries change their mind about the rules.
    """
    blocks = [
        "\n".join(
            (
                f"# Words of Visio15: {domain}. See scripts/words.",
                'msgid ""',
                'msgstr ""',
                '"Project-Id-Version: Visio15\\n"',
                f'"Language: {language}\\n"',
                '"MIME-Version: 1.0\\n"',
                '"Content-Type: text/plain; charset=utf-8\\n"',
                '"Content-Transfer-Encoding: 8bit\\n"',
            )
        )
    ]
    for entry in entries:
        lines = [f"#. {', '.join(entry.keys)}"] if entry.keys else []
        if PLACEHOLDER.search(entry.text):
            lines.append("#, python-brace-format")
        lines += [f"msgid {quoted(entry.text)}", f"msgstr {quoted(entry.translated)}"]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks).encode() + b"\n"


def quoted(text: str) -> str:
    """Return a text as PO files quote it (the quotation of JSON, without its escapes for other letters)."""
    return json.dumps(text, ensure_ascii=False)


def place(language: str, domain: str) -> Path:
    """Say where a catalogue is."""
    return ROOT / "locales" / language / "LC_MESSAGES" / f"{domain}.po"


def faults(language: str, domain: str, entries: Iterable[Entry]) -> Iterator[str]:
    """Say what is missing or broken in the catalogue of a language that is offered."""
    where = f"{language}/{domain}"
    for entry in entries:
        if not entry.translated:
            yield f"{where}: not translated: {entry.text}"
        elif sorted(PLACEHOLDER.findall(entry.text)) != sorted(
            PLACEHOLDER.findall(entry.translated)
        ):
            yield f"{where}: other {{names}}: {entry.text}"
        elif re.search(r"[<>&%]", entry.translated):
            yield f"{where}: a sign that pages give a meaning to: {entry.text}"


def main() -> int:
    """Write the catalogues, or with --check only say what is amiss."""
    checking = "--check" in sys.argv[1:]
    found = {"messages": words(), "spoken": spoken()}
    amiss = [
        f"{name}: its sentences belong in {TABLE.relative_to(TEMPLATES)}" for name in elsewhere()
    ]
    for language in ALL:
        for domain, sentences in found.items():
            if domain == "spoken" and language.code == OWN:
                continue
            entries = followed(language.code, domain, sentences)
            path = place(language.code, domain)
            text = written(language.code, domain, entries)
            if not checking:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
            elif not path.is_file() or path.read_bytes() != text:
                amiss.append(f"{path.relative_to(ROOT)}: run make words")
            amiss += faults(language.code, domain, entries)
    sys.stdout.writelines(f"{line}\n" for line in amiss)
    return 1 if amiss else 0


if __name__ == "__main__":
    sys.exit(main())
