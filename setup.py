"""Where the package's files are; everything else about it is in pyproject.toml.

The data folders stand at the top level of the repository. In a wheel they are inside the package, as
server/data/static and so on; server/core/resources.py finds them in both.
"""

from setuptools import find_packages, setup

# Without __init__.py: an alembic/__init__.py would shadow the alembic library.
DATA = {
    f"server.data.{name}": name for name in ("alembic", "contrib", "locales", "static", "templates")
}

setup(
    packages=[*find_packages(include=["server", "server.*", "telephony", "telephony.*"]), *DATA],
    package_dir=DATA,
    package_data={"telephony": ["traces/*/hep.jsonl"], **{name: ["**/*"] for name in DATA}},
    exclude_package_data={"": ["*.pyc"]},
    # Only the patterns above decide, whatever an old list of files (visio15.egg-info) says.
    include_package_data=False,
)
