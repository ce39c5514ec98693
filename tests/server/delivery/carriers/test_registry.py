"""A carrier is one module and one line in the registry (docs/adr/0035)."""

import inspect
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from server.core.clock import SystemClock
from server.delivery.carriers import carrier
from server.delivery.carriers.carrier import SHORTHAND, NamedCarrier
from server.delivery.carriers.registry import AnyCarrier, SmsSettings, in_order
from server.delivery.wire import build_carriers

CARRIERS: tuple[type[NamedCarrier], ...] = get_args(get_args(AnyCarrier)[0])
FOLDER = Path(inspect.getfile(carrier)).parent
#: What each preset asks for beside its name.
NEEDED = {
    "kannel": {"username": "u", "password": "p"},
    "ovhcloud": {
        "service": "sms-ab1-1",
        "application_key": "AK",
        "application_secret": "AS",
        "consumer_key": "CK",
    },
    "twilio": {"account": "AC1", "token": "t"},
    "raw": {"url": "https://sms.example/?t={text}&r={receipt_url}"},
}
#: The address of the receipts that a message carries.
RECEIPTS = {
    "kannel": "https://v.example/receipts/kannel/REF",
    "ovhcloud": None,
    "twilio": "https://v.example/receipts/twilio/REF",
    "raw": "https://v.example/receipts/raw/REF?status=%d",
}


def preset(kind: type[NamedCarrier]) -> str:
    (name,) = get_args(kind.model_fields["preset"].annotation)
    return str(name)


def configured(name: str) -> AnyCarrier:
    given = {"preset": name, "name": name, **NEEDED[name]}
    return TypeAdapter(AnyCarrier).validate_python(given)


def test_every_carrier_that_is_written_is_registered() -> None:
    written = set()
    for file in FOLDER.glob("[!_]*.py"):
        module = import_module(f"{carrier.__package__}.{file.stem}")
        mine = (each for each in vars(module).values() if inspect.isclass(each))
        written |= {k for k in mine if issubclass(k, NamedCarrier) and k is not NamedCarrier}
    assert set(CARRIERS) == written


@pytest.mark.parametrize("kind", CARRIERS, ids=preset)
def test_a_carrier_is_found_by_its_preset_and_never_changed(kind: type[NamedCarrier]) -> None:
    name = preset(kind)
    assert type(configured(name)) is kind
    assert kind.model_config["frozen"]
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(AnyCarrier).validate_python({"preset": name, "unheard_of": 1})
    told = {error["loc"]: error["type"] for error in refused.value.errors()}
    assert told[name, "unheard_of"] == "extra_forbidden"
    assert told[name, "name"] == "missing"


async def test_all_are_built_in_their_order() -> None:
    sms = SmsSettings.model_validate({"url": "https://old.example/?t={text}", "idempotent": False})
    carriers = [configured(name) for name in NEEDED]
    assert [each.planned().name for each in in_order(sms, carriers)] == [SHORTHAND, *NEEDED]
    built = build_carriers(sms, carriers, "https://v.example", SystemClock(), None)
    try:
        assert [each.name for each in built.plan] == [SHORTHAND, *NEEDED]
        assert set(built.readers) == set(built.sms) == {SHORTHAND, *NEEDED}
        assert {name: built.receipt_url(name, "REF") for name in NEEDED} == RECEIPTS
        shorthand, *rest = built.plan
        assert (shorthand.receipt_timeout, shorthand.receipts) == (None, False)
        assert {each.receipt_timeout for each in rest} == {timedelta(seconds=45)}
        assert {each.name for each in rest if not each.receipts} == {"ovhcloud"}
    finally:
        for close in built.closers:
            close()


def test_what_sms_took_before_it_was_left_out_is_still_read() -> None:
    assert set(build_carriers(None, (), "https://v.example", SystemClock(), None).readers) == {
        "sms"
    }
