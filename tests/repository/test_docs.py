"""The docs tell the truth: links lead somewhere, pictures are real and shown, settings and metrics are explained."""

from __future__ import annotations

import re
import struct
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel
from tornado.web import RequestHandler

import server.app.rules  # noqa: F401 - it knows the refusals of every room
from server.app.settings import settings as config
from server.cli import main as cli
from server.core.errors import walk
from server.core.site_policy import SitePolicy
from server.web.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|\]\(([^)\s]+)\)")
FENCE = re.compile(r"```.*?```", re.DOTALL)
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
LARGEST = 300_000
OPERATIONS = (DOCS / "operations.md").read_text()
#: The pages that say where things are now. Other decisions (docs/adr) and the change log speak of their day.
CURRENT = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.glob("*.md")),
    DOCS / "adr" / "0033-a-source-is-a-folder.md",
    DOCS / "adr" / "0035-rooms.md",
]
CODE = ("server", "telephony", "static", "templates", "tests")
TOPS = (*CODE, "alembic", "contrib", "locales", "requirements", "scripts")
#: A path from the top of the repository, or the bare name of a module; behind it, perhaps `: name` or arguments.
PLACE = re.compile(
    rf"`((?:{'|'.join(TOPS)})/[\w./-]*|[\w./-]+\.(?:py|js|mjs|html))(?:: (\w[\w.]*))?(?:::\w+)?(?: [^`]*)?`"
)
#: What stands for many names: `server/ROOM/web.py`.
WILD = re.compile(r"\b[A-Z]{3,}\b")


def targets(page: Path) -> list[str]:
    text = FENCE.sub("", page.read_text())
    return [first or second for first, second in LINK.findall(text)]


def anchors(page: Path) -> set[str]:
    """Return the names GitHub gives the headings of a page."""
    titles = HEADING.findall(FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    dead = []
    for target in targets(page):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            dead.append(target)
    assert not dead


def test_pictures_are_shown_real_and_small() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in PAGES
        for target in targets(page)
        if target.endswith(".png")
    }
    for page in DOCS.rglob("*.html"):
        sources = re.findall(r'<img src="([^"]+)"', page.read_text())
        shown |= {(page.parent / source).resolve() for source in sources}
    kept = set((DOCS / "img").iterdir())
    assert shown == kept, "a picture nobody shows, or one that is missing"
    for picture in kept:
        head = picture.read_bytes()[:24]
        assert head.startswith(b"\x89PNG"), picture.name
        width, height = struct.unpack(">II", head[16:24])
        assert width >= 360, picture.name
        assert height >= 600, picture.name
        assert picture.stat().st_size <= LARGEST, picture.name


def test_the_front_page_shows_the_whole_way() -> None:
    text = (ROOT / "README.md").read_text()
    for picture in ("desk-waiting", "desk-live", "caller-tap", "caller-live", "audit-call"):
        assert f"docs/img/{picture}.png" in text
    for command in ("make demo", "make test"):
        assert command in text
    for invariant in range(1, 8):
        assert f"| **I{invariant}** |" in text
    assert len(text) >= 3_000


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield (where, key) of every setting, also those of groups and of each kind of feed."""
    for name, field in model.model_fields.items():
        yield prefix or "settings", name
        for inner in groups(field.annotation):
            yield from settings(inner, f"{prefix}{name}.")


def groups(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from groups(part)


def test_every_setting_is_explained() -> None:
    every = set(settings(config.Settings))
    assert ("feeds.", "rtp_low") in every, "groups are walked"
    named = set(re.findall(r"`([a-z_]+)`", OPERATIONS)) | set(
        re.findall(r"^([a-z_]+) = ", OPERATIONS, re.MULTILINE)
    )
    missing = sorted(f"{where}{key}" for where, key in every if key not in named)
    assert not missing
    for name in config.Settings.model_fields:
        assert f"VISIO15_{name.upper()}" in OPERATIONS


@pytest.mark.parametrize("name", ["install.md", "operations.md"])
def test_the_files_it_shows_are_taken(name: str) -> None:
    """A whole settings file of a page, with its blanks filled, is one the server starts with."""
    text = (DOCS / name).read_text()
    [file] = re.findall(
        r"^(?:```toml\n)?(secret_key = .*?)(?:^```|^EOF)$", text, re.MULTILINE | re.DOTALL
    )
    filled = re.sub(r"\$\(.*?\)|…[^\"]*", "0" * 64, file).replace("$NAME", "visio15.chu.example")
    made = config.Settings(**tomllib.loads(filled))
    assert made.feeds
    assert made.sms


def test_the_table_of_decisions_is_that_of_the_type() -> None:
    """Each key of a site's policy, each of its values, and nothing else."""
    section = OPERATIONS.partition("### What a site decides\n")[2].partition("\n**")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", section, re.MULTILINE)
    assert sorted(key for key, _, _ in rows) == sorted(SitePolicy.model_fields)
    for key, values, default in rows:
        field = SitePolicy.model_fields[key]
        if isinstance(field.annotation, type) and issubclass(field.annotation, StrEnum):
            assert set(re.findall(r"`(\w+)`", values)) == set(field.annotation), key
        if field.default != ():
            said = str(field.default).lower() if field.annotation is bool else str(field.default)
            assert f"`{said}`" in default, key


def test_every_metric_is_explained() -> None:
    families = {family.name for family in Metrics().registry.collect()}
    assert len(families) >= 8
    assert not sorted(name for name in families if f"`{name}" not in OPERATIONS)


def handlers(top: type[RequestHandler] = RequestHandler) -> set[str]:
    """Return the names of every handler below one: the values of the metrics' label."""
    return {top.__name__}.union(*(handlers(below) for below in top.__subclasses__()))


@pytest.mark.parametrize("name", ["prometheus-rules.yml", "grafana-dashboard.json"])
def test_the_handlers_that_alerts_and_panels_choose_are_there(name: str) -> None:
    text = (ROOT / "contrib" / name).read_text().replace('\\"', '"')
    chosen = re.findall(r'handler(?:=~|!~|!=|=)"([^"]+)"', text)
    assert chosen
    names = handlers()
    for each in "|".join(chosen).split("|"):
        assert any(re.fullmatch(each, handler) for handler in names), each


def test_what_the_troubleshooting_points_to_is_there() -> None:
    """Metrics, codes, log events and audit actions are those of the program; commands too."""
    page = (DOCS / "troubleshooting.md").read_text()
    families = {family.name for family in Metrics().registry.collect()}
    for name in re.findall(r"visio15_[a-z_]+", page):
        assert name.removesuffix("_total") in families or name in families, name
    codes = {error.code for error in walk()}
    assert set(re.findall(r'code="(\w+)"', page)) <= codes
    source = "\n".join(
        file.read_text() for top in ("server", "telephony") for file in (ROOT / top).rglob("*.py")
    )
    for kind, name in re.findall(r"`([a-z0-9]+)\.([a-z_]+|\*)`", page):
        if name not in {"pem", "example"}:
            assert f'"{kind}.{name.strip("*")}' in source or f'f"{kind}.{{' in source, (kind, name)
    commands = {*cli.LATER, *cli.main.commands}
    assert set(re.findall(r"`visio15 ([a-z]+)", page)) <= commands


def test_the_tests_that_the_docs_name_are_there() -> None:
    named = 0
    for page in PAGES:
        file = Path()
        for path, test in re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", page.read_text()):
            file = ROOT / path if path else file
            if path or test:
                named += 1
                assert file.is_file(), (page.name, path)
                assert not test or f"def {test}(" in file.read_text(), (page.name, test)
    assert named >= 20


def code_files() -> list[Path]:
    return [
        file
        for top in CODE
        for file in (ROOT / top).rglob("*")
        if file.suffix in {".py", ".js", ".mjs", ".html"} and "node_modules" not in file.parts
    ]


@pytest.mark.parametrize("page", CURRENT, ids=lambda page: page.name)
def test_the_places_it_names_are_there(page: Path) -> None:
    """A bare name of a module stands in the folder of the path before it on its line, where there is one."""
    every = code_files()
    amiss = []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        folder: Path | None = None
        for place, name in PLACE.findall(line):
            if WILD.search(place):
                continue
            if "/" in place:
                files = [ROOT / place]
                folder = files[0] if place.endswith("/") else files[0].parent
            elif folder is not None:
                files = [folder / place]
            else:
                files = [file for file in every if file.name == place]
            if not any(file.exists() for file in files):
                amiss.append((number, place))
            elif name and not any(named_in(file.read_text(), name) for file in files):
                amiss.append((number, f"{place}: {name}"))
    assert not amiss


def named_in(text: str, dotted: str) -> bool:
    return all(re.search(rf"\b{part}\b", text) for part in dotted.split("."))


def drawn(page: Path) -> Iterator[tuple[Path, str]]:
    """Yield each place in the tree that a page draws under its heading `Tree`, with what is said of it.

    A line is `name/` or several names, two blanks or more, then words; what is indented deeper lies inside.
    """
    tree = page.read_text().split("## Tree\n", 1)[1].split("```")[1]
    above: list[tuple[int, Path]] = [(-1, ROOT)]
    for line in tree.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        names, _, words = line.strip().partition("  ")
        while above[-1][0] >= indent:
            above.pop()
        for name in names.split():
            yield above[-1][1] / name, words.strip()
        above.append((indent, above[-1][1] / names.split()[0]))


def holds_files(folder: Path) -> bool:
    """Tell whether a folder holds more than the bytecode of modules that have moved away."""
    return any(file.is_file() and "__pycache__" not in file.parts for file in folder.rglob("*"))


def test_the_tree_is_the_one_there_is() -> None:
    """Every place of the drawn tree exists and has its words, and no room, source or folder of pages is left out."""
    said = dict(drawn(DOCS / "architecture.md"))
    assert not [str(place) for place in said if not place.exists()]
    assert not [str(place) for place, words in said.items() if not words]
    there = {
        folder
        for top in ("server", "telephony", "telephony/sources", "static/js", "templates")
        for folder in (ROOT / top).iterdir()
        if folder.name not in {"node_modules", "data"} and holds_files(folder)
    }
    assert not sorted(str(folder.relative_to(ROOT)) for folder in there - said.keys())


@pytest.mark.parametrize("name", ["architecture.md", "glossary.md"])
def test_the_classes_it_names_are_there(name: str) -> None:
    source = "\n".join(file.read_text() for file in code_files() if file.suffix == ".py")
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", (DOCS / name).read_text()))
    assert not sorted(each for each in named if not re.search(rf"\bclass {each}\b", source))


def test_every_command_is_explained() -> None:
    commands = {*cli.LATER, *cli.main.commands}
    assert not sorted(name for name in commands if f"visio15 {name}" not in OPERATIONS)


def test_no_page_shows_an_address_that_is_somebody_s() -> None:
    """Examples use the names and numbers reserved for examples, or this machine's own."""
    for page in PAGES:
        hosts = re.findall(r"[@/]([a-z0-9.-]+\.(?:fr|com|net|org|io))\b", page.read_text())
        allowed = {
            "keepachangelog.com",
            "semver.org",
            "www.gnu.org",
            "gnu.org",
            "fsf.org",
            "example.org",
        }
        assert set(hosts) <= allowed, page.name
