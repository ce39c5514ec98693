"""The package as a hospital installs it: one wheel, an empty environment, another folder, and it runs.

Needs the package index, so it runs outside scripts/netns: scripts/test wheel.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from server import __version__
from tests.lab.ports import free_port
from tests.lab.process import launch, until

pytestmark = pytest.mark.wheel

ROOT = Path(__file__).resolve().parents[2]
DATA = ("alembic", "contrib", "locales", "static", "templates")
BACKEND = "from setuptools import build_meta; build_meta.{hook}('out')"


def run(*argv: str | Path, cwd: Path, **env: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("VISIO15_", "PYTHON"))}
    done = subprocess.run(
        [str(part) for part in argv],
        cwd=cwd,
        env={**kept, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{argv}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def built(source: str | Path, *, cwd: Path) -> Path:
    """Build a wheel of a folder or of an sdist, as docs/operations.md does."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", "out", source, cwd=cwd)
    (made,) = (cwd / "out").glob("*.whl")
    return made


def files(folder: Path) -> list[str]:
    """Name the files of a folder of the repository as its users see them: without what Python compiled."""
    found = [f for f in folder.rglob("*") if f.is_file() and "__pycache__" not in f.parts]
    return [str(f.relative_to(ROOT)) for f in found]


def sums(wheel: Path) -> dict[str, int]:
    """Return the checksum of each file of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {info.filename: info.CRC for info in archive.infolist()}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the sources with all that may stand beside them, for a build of its own."""
    copy = tmp_path / "tree"
    # Not what is installed and made (.gitignore): only what Python compiled may be in the way of a build.
    made = (".*", "node_modules", "var", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*made))
    stale = copy / "alembic" / "versions" / "__pycache__" / "stale.cpython-311.pyc"
    stale.parent.mkdir(exist_ok=True)
    stale.touch()
    return copy


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a clean copy of the sources."""
    tree = tmp_path_factory.mktemp("tree")
    for name in (
        *("setup.py", "pyproject.toml", "README.md", "LICENSE", "THIRD_PARTY.md"),
        *("server", "telephony", *DATA),
    ):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tree / name)
    return built(".", cwd=tree)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an empty environment with the locked packages and the wheel (docs/operations.md)."""
    home = tmp_path_factory.mktemp("empty") / "venv"
    venv.create(home, with_pip=True)
    pip = (home / "bin" / "python", "-m", "pip", "--disable-pip-version-check")
    locked = ("--require-hashes", "--only-binary", ":all:", "-r", ROOT / "requirements/runtime.txt")
    run(*pip, "install", "--quiet", *locked, cwd=home)
    run(*pip, "install", "--quiet", "--no-deps", wheel, cwd=home)
    assert "No broken requirements" in run(*pip, "check", cwd=home)
    return home / "bin"


def test_the_wheel_holds_everything_it_needs_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {name for top in ("server", "telephony") for name in files(ROOT / top)}
    data = {f"server/data/{name}" for top in DATA for name in files(ROOT / top)}
    about = {name for name in names if name.startswith(f"visio15-{__version__}.dist-info/")}
    assert names == code | data | about
    assert any(name.endswith("/hep.jsonl") for name in code)
    assert "server/data/alembic/__init__.py" not in names


def test_an_sdist_makes_the_same_wheel(wheel: Path, tree: Path, tmp_path: Path) -> None:
    run(sys.executable, "-c", BACKEND.format(hook="build_sdist"), cwd=tree)
    sdist = tree / "out" / f"visio15-{__version__}.tar.gz"
    with tarfile.open(sdist) as archive:
        tops = {Path(member.name).parts[1] for member in archive if member.isfile()}
    assert {"pyproject.toml", "setup.py", "README.md", "LICENSE", "THIRD_PARTY.md"} <= tops
    assert "tests" not in tops
    again = built(sdist, cwd=tmp_path)
    assert sums(again) == sums(wheel)


def test_a_checkout_that_was_used_makes_the_same_wheel(wheel: Path, tree: Path) -> None:
    assert sums(built(".", cwd=tree)) == sums(wheel)


def test_an_editable_install_finds_the_folders_of_the_checkout(tree: Path, tmp_path: Path) -> None:
    run(sys.executable, "-c", BACKEND.format(hook="build_editable"), cwd=tree)
    (made,) = (tree / "out").glob("*.whl")
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", made, cwd=home)
    where = "from server.core.resources import root; print(root())"
    assert run(python, "-c", where, cwd=home) == f"{tree}\n"


def test_the_version_is_that_of_the_server(wheel: Path) -> None:
    assert wheel.name == f"visio15-{__version__}-py3-none-any.whl"


def test_extras_are_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"visio15-{__version__}.dist-info/METADATA").decode()
    assert 'asyncpg<0.33,>=0.32; extra == "postgres"' in metadata
    assert 'pyVoIP==1.6.8; extra == "softphone"' in metadata
    assert "Requires-Dist: pyVoIP==1.6.8\n" not in metadata


def get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        error.close()
        return error.code, b""
    except OSError:
        return 0, b""


async def test_it_runs_from_any_folder(installed: Path, tmp_path: Path) -> None:
    visio15 = installed / "visio15"
    assert __version__ in run(visio15, "--version", cwd=tmp_path)
    port = free_port()
    feed = {"kind": "pyvoip", "site": "s", "server": "127.0.0.1", "extension": "1", "password": "x"}
    env = {
        "VISIO15_DATA_DIR": str(tmp_path / "data"),
        "VISIO15_SECRET_KEY": "k" * 64,
        "VISIO15_PORT": str(port),
        "VISIO15_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VISIO15_FEEDS": json.dumps([feed]),
    }
    run(visio15, "migrate", cwd=tmp_path, **env)
    run(
        *(visio15, "site", "add", "s", "SAMU", "--referent", "r@x.example", "--sms-sender", "SAMU"),
        cwd=tmp_path,
        **env,
    )
    run(visio15, "backup", "copy", cwd=tmp_path, **env)
    part = launch(
        "serve", [visio15, "serve"], folder=tmp_path, env={"PATH": os.environ["PATH"], **env}
    )
    url = f"http://127.0.0.1:{port}"

    async def ready() -> bool:
        assert part.running, part.tail()
        return (await asyncio.to_thread(get, f"{url}/readyz"))[0] == 200

    try:
        await until(ready, "GET /readyz answers 200", explain=part.tail)
        status, page = await asyncio.to_thread(get, f"{url}/login")
        assert status == 200
        assert "Visio15" in page.decode()
        status, style = await asyncio.to_thread(get, f"{url}/static/css/base.css")
        assert status == 200
        assert style == (ROOT / "static/css/base.css").read_bytes()
        said = lambda: "visio15[softphone]" in part.output()  # noqa: E731
        await until(said, "the missing extra is told", explain=part.tail)
    finally:
        await part.stop()


def test_a_missing_driver_is_a_sentence(installed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed / "visio15", "serve"],
        cwd=tmp_path,
        env={
            "VISIO15_SECRET_KEY": "k" * 64,
            "VISIO15_DATABASE": "postgresql+asyncpg://x@127.0.0.1/x",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "visio15[postgres]" in done.stderr
