"""Where templates/, static/, alembic/ and locales/ are: in a checkout, or beside an installed wheel."""

from functools import cache
from pathlib import Path
from typing import Final

NEEDED: Final = ("templates", "static", "alembic/versions")


@cache
def root() -> Path:
    """Return the folder that holds them; FileNotFoundError says where it was looked for.

    An installer puts them under share/visio15 of whatever prefix the package stands in: a virtual environment, a
    user's folder, /usr.
    """
    above = Path(__file__).resolve().parents[1:]
    places = (above[0], *(folder / "share" / "visio15" for folder in above))
    for place in places:
        if all((place / name).is_dir() for name in NEEDED):
            return place
    raise FileNotFoundError(", ".join(str(place) for place in places))
