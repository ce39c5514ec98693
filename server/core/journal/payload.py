"""How what a row of the audit holds is written and read back: by the fields of a type.

A field has the name of its key in the row (`from_` is `from`). One with a default is left out while it has it. Reading
takes whatever a release ever wrote: what has another shape is None, what is missing has its default.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from enum import Enum
from typing import Final, Self, get_type_hints


class Absent(Enum):
    """Stands for a key that is not in the row, where null has a meaning of its own."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

Text = str | None
Texts = tuple[str, ...] | None
Whole = int | None
YesNo = bool | None
Reached = int | bool | None  # milliseconds; False: tried in vain; None: nothing to try
Scalar = bool | float | str | None
MaybeText = Text | Absent
MaybeTexts = Texts | Absent


def _text(value: object) -> object:
    return value if isinstance(value, str) else None


def _texts(value: object) -> object:
    """Read several words; earlier releases wrote a single one without a list."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return tuple(value)
    return None


def _whole(value: object) -> object:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _yes_no(value: object) -> object:
    return value if isinstance(value, bool) else None


def _reached(value: object) -> object:
    return value if isinstance(value, int) else None


def _scalar(value: object) -> object:
    return value if isinstance(value, bool | int | float | str) else None


_READERS: Final[Mapping[object, Callable[[object], object]]] = {
    Text: _text,
    Texts: _texts,
    Whole: _whole,
    YesNo: _yes_no,
    Reached: _reached,
    Scalar: _scalar,
    MaybeText: _text,
    MaybeTexts: _texts,
}


@dataclass(frozen=True, slots=True)
class _Key:
    """One key of a row: its field, what it is when the row lacks it, and how it is read."""

    field: str
    missing: object
    read: Callable[[object], object]


_KEYS: Final[dict[object, Mapping[str, _Key]]] = {}


def _keys(payload: "type[Payload]") -> Mapping[str, _Key]:
    if payload not in _KEYS:
        hints = get_type_hints(payload)
        _KEYS[payload] = {
            one.name.rstrip("_"): _Key(
                one.name, None if one.default is MISSING else one.default, _READERS[hints[one.name]]
            )
            for one in fields(payload)
        }
    return _KEYS[payload]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What a row holds beside who, when and of what."""

    def data(self) -> dict[str, object]:
        """Return what is written into the row."""
        held = asdict(self)
        return {
            one.name.rstrip("_"): held[one.name]
            for one in fields(self)
            if held[one.name] != one.default
        }

    def every(self) -> dict[str, object]:
        """Return every key a row may have, in order, with what this one has there."""
        held = asdict(self)
        return {key: held[one.field] for key, one in _keys(type(self)).items()}

    @classmethod
    def read(cls, data: object) -> Self:
        """Read what a row holds; never raises."""
        row = data if isinstance(data, Mapping) else {}
        known = _keys(cls).items()
        held = {one.field: one.read(row[key]) if key in row else one.missing for key, one in known}
        return cls(**held)
