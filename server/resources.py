"""Where templates/, static/, alembic/ and locales/ are: in a checkout, or beside an installed wheel."""

import sys
from functools import cache
from pathlib import Path
from typing import Final

NEEDED: Final = ("templates", "static", "alembic")


@cache
def root() -> Path:
    """Return the folder that holds them; FileNotFoundError says where it was looked for."""
    places = (Path(__file__).resolve().parent.parent, Path(sys.prefix) / "share" / "visio15")
    for place in places:
        if all((place / name).is_dir() for name in NEEDED):
            return place
    raise FileNotFoundError(", ".join(str(place) for place in places))
