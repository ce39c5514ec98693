"""Says in French what is wrong with a setting and what to do; never with a value in it."""

from collections.abc import Mapping
from typing import Any, Final

_SENTENCES: Final[Mapping[str, str]] = {
    "missing": "il manque : ajoutez cette clé",
    "extra_forbidden": "cette clé est inconnue : corrigez son nom ou retirez-la",
    "string_type": "il faut un texte entre guillemets",
    "string_too_short": "trop court : au moins {min_length} caractères",
    "too_short": "trop court : au moins {min_length}",
    "string_too_long": "trop long : {max_length} caractères au plus",
    "too_long": "trop long : {max_length} au plus",
    "string_pattern_mismatch": "un caractère n'est pas permis ici : vérifiez la valeur",
    "int_type": "il faut un nombre entier, sans guillemets",
    "int_parsing": "il faut un nombre entier",
    "int_from_float": "il faut un nombre entier, sans virgule",
    "float_type": "il faut un nombre",
    "float_parsing": "il faut un nombre",
    "bool_type": "il faut true ou false",
    "bool_parsing": "il faut true ou false",
    "greater_than_equal": "trop petit : au moins {ge}",
    "greater_than": "trop petit : plus que {gt}",
    "less_than_equal": "trop grand : {le} au plus",
    "less_than": "trop grand : moins que {lt}",
    "literal_error": "valeur inconnue : choisissez parmi {expected}",
    "union_tag_invalid": "{discriminator} est inconnu : choisissez parmi {expected_tags}",
    "union_tag_not_found": "il manque {discriminator}, qui dit de quelle sorte il s'agit",
    "tuple_type": "il faut une liste, entre crochets ; JSON dans l'environnement",
    "list_type": "il faut une liste, entre crochets ; JSON dans l'environnement",
    "dict_type": "il faut un groupe de clés (une table TOML) ; JSON dans l'environnement",
    "model_type": "il faut un groupe de clés (une table TOML) ; JSON dans l'environnement",
    "model_attributes_type": "il faut un groupe de clés (une table TOML) ; JSON dans l'environnement",
    "path_type": "il faut un chemin de fichier entre guillemets",
    "finite_number": "il faut un nombre fini",
}
_SAFE: Final = frozenset(
    [
        "min_length",
        "max_length",
        "ge",
        "gt",
        "le",
        "lt",
        "expected",
        "expected_tags",
        "discriminator",
    ]
)


def sentence(error: Mapping[str, Any]) -> str:
    """Return what to change, from one of pydantic's errors; its own validators speak French already."""
    if error["type"] == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    known = {k: v for k, v in (error.get("ctx") or {}).items() if k in _SAFE}
    told = _SENTENCES.get(error["type"])
    if told is None:
        return "cette valeur ne convient pas : voir docs/operations.md, « Configuration »"
    return told.format_map({**dict.fromkeys(_SAFE, "…"), **known})
