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
import urllib.error
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.lab.ports import free_port
from tests.lab.process import launch, until

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    *("setup.py", "pyproject.toml", "README.md", "LICENSE", "server", "telephony"),
    *("alembic", "contrib", "locales", "static", "templates"),
)
SHARE = "visio15-0.1.0.data/data/share/visio15"


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a clean copy of the sources."""
    tree = tmp_path_factory.mktemp("tree")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, tree / name)
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation")
    run(*pip, "--wheel-dir", "out", ".", cwd=tree)
    (made,) = (tree / "out").glob("*.whl")
    return made


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
    for folder in ("alembic", "locales", "static", "templates"):
        for file in (ROOT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"{SHARE}/{file.relative_to(ROOT)}" in names
    traces = {str(file.relative_to(ROOT)) for file in (ROOT / "telephony").rglob("hep.jsonl")}
    assert traces
    assert traces <= names
    assert f"{SHARE}/alembic/__init__.py" not in names
    strange = [n for n in names if not n.startswith(("server/", "telephony/", "visio15-"))]
    assert strange == []


def test_extras_are_extras(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("visio15-0.1.0.dist-info/METADATA").decode()
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
    assert "0.1.0" in run(visio15, "--version", cwd=tmp_path)
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
        await until(ready, "GET /readyz answers 200", timeout=60, explain=part.tail)
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
