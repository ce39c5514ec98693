"""A source is one folder and one line in the registry (docs/adr/0033)."""

import inspect
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from telephony.registry import AnySource, Source, Switchboard

SOURCES: tuple[type[Source], ...] = get_args(get_args(AnySource)[0])
FOLDERS = Path(inspect.getfile(Source)).parent


def test_every_source_that_is_written_is_registered() -> None:
    written = {file.parent.name for file in FOLDERS.glob("*/source.py")}
    assert {each.__module__.split(".")[2] for each in SOURCES} == written


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: each.__name__)
def test_a_source_is_found_by_its_kind_and_never_changed(source: type[Source]) -> None:
    (kind,) = get_args(source.model_fields["kind"].annotation)
    assert source.model_config["frozen"]
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(AnySource).validate_python({"kind": kind, "unheard_of": 1})
    told = {error["loc"]: error["type"] for error in refused.value.errors()}
    assert told[kind, "unheard_of"] == "extra_forbidden"
    assert told[kind, "site"] == "missing"


@pytest.mark.parametrize(
    "source", [s for s in SOURCES if issubclass(s, Switchboard)], ids=lambda s: s.__name__
)
def test_a_refused_account_is_compared_with_settings_that_exist(source: type[Switchboard]) -> None:
    assert set(source.account) <= set(source.model_fields)
