"""What is installed is what was tested: the locked files are whole, agree with pyproject.toml and name no place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKED = sorted((ROOT / "requirements").glob("*.txt"))
PINNED = re.compile(
    r"^([a-z0-9.-]+)==([^ ;]+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    re.MULTILINE,
)


def pins(name: str) -> dict[str, set[str]]:
    """Return the versions of each package of a locked file; a version may depend on the Python."""
    found: dict[str, set[str]] = {}
    for package, version, _hashes in PINNED.findall((ROOT / "requirements" / name).read_text()):
        found.setdefault(package, set()).add(version)
    return found


def ranges() -> dict[str, list[str]]:
    """Return what pyproject.toml asks for: of the product itself (empty name), and of each extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def wanted_by(extra: str) -> set[Requirement]:
    """Return what an extra installs; one may take in others, by the project's own name."""
    found: set[Requirement] = set()
    for text in ranges()[""] + ranges()[extra]:
        wanted = Requirement(text)
        if wanted.name == "visio15":
            found.update(*(wanted_by(other) for other in wanted.extras))
        else:
            found.add(wanted)
    return found


def test_there_is_a_file_for_each_thing_that_is_installed() -> None:
    names = [file.stem for file in LOCKED]
    assert names == ["build", "lock", "postgres", "runtime", "softphone", "test"]
    assert set(ranges()) == {"", "postgres", "softphone", "test"}


@pytest.mark.parametrize("file", LOCKED, ids=lambda file: file.name)
def test_every_package_has_one_version_and_hashes_and_no_place(file: Path) -> None:
    text = file.read_text()
    entries = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert len(entries) == len(PINNED.findall(text)), "an entry without version or hash"
    assert not re.search(r"://|index-url|find-links|trusted-host|^-", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("extra", "file"),
    [("", "runtime"), ("postgres", "postgres"), ("softphone", "softphone"), ("test", "test")],
)
def test_the_versions_are_those_that_pyproject_allows(extra: str, file: str) -> None:
    locked = pins(f"{file}.txt")
    for wanted in wanted_by(extra):
        versions = locked[canonicalize_name(wanted.name)]
        assert all(wanted.specifier.contains(version) for version in versions), wanted


@pytest.mark.parametrize("file", ["runtime", "postgres", "softphone"])
def test_what_is_tested_is_what_is_installed(file: str) -> None:
    tested = pins("test.txt")
    assert {name: tested.get(name) for name in pins(f"{file}.txt")} == pins(f"{file}.txt")


def test_the_build_backend_is_locked_too() -> None:
    [backend] = pins("build.txt")["setuptools"]
    [text] = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert Requirement(text).specifier.contains(backend)


def test_no_file_of_the_project_names_a_registry() -> None:
    """Names of packages are enough: which registry serves them is the machine's own setting."""
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "registry.npm")
    files = [
        *LOCKED,
        *(ROOT / "scripts").iterdir(),
        ROOT / "package-lock.json",
        ROOT / ".npmrc",
        ROOT / "setup.py",
        ROOT / "pyproject.toml",
    ]
    assert [f.name for f in files if f.is_file() and any(h in f.read_text() for h in hosts)] == []
