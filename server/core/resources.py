"""Where templates/, static/, alembic/ and locales/ are: in a checkout, or inside an installed wheel."""

from functools import cache
from importlib.resources import files
from pathlib import Path


@cache
def root() -> Path:
    """Return the folder that holds them.

    A wheel has them in server/data (setup.py); a checkout, installed with `pip install -e` or not, beside server/.
    """
    package = Path(str(files("server")))
    inside = package / "data"
    return inside if inside.is_dir() else package.parent
