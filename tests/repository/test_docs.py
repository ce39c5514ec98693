"""The docs tell the truth: links lead somewhere, pictures are real and shown, settings and metrics are explained."""

from __future__ import annotations

import re
import struct
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from pydantic import BaseModel

import server.app.routes  # noqa: F401 - it knows the refusals of every room
from server.app.settings import settings as config
from server.cli import main as cli
from server.core.errors import walk
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


def test_every_metric_is_explained() -> None:
    families = {family.name for family in Metrics().registry.collect()}
    assert len(families) >= 8
    assert not sorted(name for name in families if f"`{name}" not in OPERATIONS)


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
