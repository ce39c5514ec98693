"""Visio15's package: two import packages, and the files they need, in one wheel."""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent
SHARE = "share/visio15"
FOLDERS = ("alembic", "contrib", "locales", "static", "templates")
SOFTPHONE = [
    # Pinned exactly: its defects are known and fenced (docs/adr/0001).
    "pyVoIP==1.6.8",
]
POSTGRES = ["asyncpg>=0.32,<0.33"]


def shared() -> list[tuple[str, list[str]]]:
    """Return what server/resources.py looks for, by the folder it is installed in."""
    folders: dict[str, list[str]] = {}
    for top in FOLDERS:
        for file in sorted((ROOT / top).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                path = file.relative_to(ROOT)
                folders.setdefault(f"{SHARE}/{path.parent}", []).append(str(path))
    return list(folders.items())


setup(
    name="visio15",
    version="0.1.0",
    description="Muted video for line-15 calls, linked to the recorded call",
    license="GPL-3.0-or-later",
    python_requires=">=3.11,<3.13",
    packages=find_packages(include=["server*", "telephony*"]),
    package_data={"telephony": ["traces/*/hep.jsonl"]},
    data_files=shared(),
    install_requires=[
        "aiosmtplib>=5,<6",
        "aiosqlite>=0.22,<0.23",
        "alembic>=1.20,<2",
        "argon2-cffi>=25,<26",
        "babel>=2.18,<3",
        "click>=8.5,<9",
        "cryptography>=50,<51",
        "email-validator>=2,<3",
        "ifaddr>=0.2,<1",
        "jinja2>=3.1,<4",
        "phonenumbers>=9,<10",
        "prometheus-client>=0.26,<0.27",
        "pydantic>=2.14,<3",
        "pydantic-settings>=2.16,<3",
        "rjsmin>=1.3,<2",
        "segno>=1.6,<2",
        "sqlalchemy[asyncio]>=2.1,<2.2",
        "structlog>=26.1,<27",
        "tornado>=6.6,<6.7",
        # Pinned exactly: the synthetic caller leans on their behaviour (docs/adr/0005).
        "aiortc==1.16.0",
    ],
    extras_require={
        "postgres": POSTGRES,
        "softphone": SOFTPHONE,
        "test": [
            *POSTGRES,
            *SOFTPHONE,
            "aiosipua==0.7.1",
            "aiosmtpd>=1.4,<2",
            "coverage>=7,<8",
            "djlint>=1.49,<2",
            "dpkt>=1.9,<2",
            "hypothesis>=6,<7",
            "import-linter>=2.16,<3",
            "jsonschema>=4,<5",
            "mypy>=2.4,<3",
            "openapi-spec-validator>=0.9,<0.10",
            "playwright==1.65.2",
            "pytest>=9.2,<10",
            "pytest-timeout>=2.4,<3",
            "pytest-tornasync==0.6.0.post2",
            "pyyaml>=6,<7",
            "ruff>=0.17,<0.18",
            "schemathesis>=4.32,<5",
            "sipmessage==0.7.1",
        ],
    },
    entry_points={"console_scripts": ["visio15=server.cli:main"]},
)
