"""The description is right: valid, complete, and what the running server does, for every operation and role."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.app.openapi import document
from server.identity.domain.access import Role
from tests.server.house import CALL_ID, a_call, a_video
from tests.server.line15.signed import Cti, mac
from tests.server.running import Running, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EXAMPLES = 12
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]


@pytest.fixture
def house(io_loop: Any, furnished_database: Path, tmp_path: Path) -> Iterator[Running]:
    with running(io_loop, furnished_database, tmp_path) as house:
        yield house


def test_it_is_openapi() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_every_route_for_machines_is_described(house: Running) -> None:
    app = house.server.app
    routes = [r for rule in app.default_router.rules for r in getattr(rule.target, "rules", [rule])]
    served = set()
    for rule in routes:
        pattern = getattr(getattr(rule.matcher, "regex", None), "pattern", "")
        path = re.sub(r"\([^)]*\)", "{ref}", pattern.rstrip("$").replace("\\.", "."))
        if path.startswith(("/api", "/receipts", "/healthz", "/readyz")):
            own = {
                name
                for kind in rule.target.__mro__
                if kind.__module__.startswith("server.")
                for name in ("get", "post", "put", "delete", "patch")
                if name in vars(kind)
            }
            served |= {(path, method) for method in own}
    assert served == {(re.sub(r"{[^}]*}", "{ref}", path), method) for path, method in OPERATIONS}


async def test_the_page_needs_nothing_from_elsewhere(house: Running) -> None:
    browser = house.browser()
    page = await browser.get("/api")
    assert page.code == 200
    text = page.body.decode()
    for path, _ in OPERATIONS:
        assert path in text
    for target in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert not urlsplit(target).netloc, target
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= anchors
    served = json.loads((await browser.get("/api/openapi.json")).body)
    assert served == json.loads(json.dumps(document()))


class Signer(requests.auth.AuthBase):
    """Signs what is really sent."""

    def __init__(self, cti: Cti) -> None:
        self._cti = cti

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        assert isinstance(body, bytes)
        now = self._cti.now()
        # The key is the body's: one that came before with another body is tested elsewhere.
        request.headers.update(
            {
                "X-Visio15-Site": self._cti.site,
                "X-Visio15-Timestamp": now,
                "X-Visio15-Signature": f"v1={mac(self._cti.secret, now.encode() + b'.' + body)}",
                "Idempotency-Key": hashlib.sha256(body).hexdigest(),
            }
        )
        return request


def try_out(address: str, path: str, method: str, session: requests.Session) -> set[int]:
    """Ask in many ways, right and wrong; the statuses that were answered."""
    operation = schemathesis.openapi.from_dict(document())[path][method]
    seen: set[int] = set()

    def one(case: Any) -> None:
        answer = case.call(
            base_url=address, session=session, allow_redirects=False, cookies=dict(session.cookies)
        )
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    for mode in GenerationMode:
        run = settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        try:
            run(given(case=operation.as_strategy(generation_mode=mode))(one))()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, "nothing to get wrong"
    return seen


@pytest.mark.parametrize("role", [None, *Role])
async def test_what_is_described_is_what_is_done(house: Running, role: Role | None) -> None:
    await a_call(house)
    await a_video(house)
    session = requests.Session()
    session.trust_env = False
    if role is not None:
        browser = await house.signed_in(role.value, None)
        session.cookies.update(browser.cookies)
    statuses = {}
    for path, method in OPERATIONS:
        statuses[path] = await asyncio.to_thread(try_out, house.url, path, method, session)
    found = await asyncio.to_thread(
        session.get, f"{house.url}/api/v1/calls", params={"alias": CALL_ID}
    )
    reads = role in {Role.AUDITOR, Role.REFERENT}
    assert found.status_code == (200 if reads else 401 if role is None else 403)
    assert statuses["/api/v1/telephony/events"] == {401}, "no role stands for a signature"
    session.close()


async def test_signed_events_of_every_form(house: Running) -> None:
    cti = await Cti.of(house)
    session = requests.Session()
    session.trust_env = False
    session.auth = Signer(cti)
    path = "/api/v1/telephony/events"
    seen = await asyncio.to_thread(try_out, house.url, path, "post", session)
    assert 202 in seen
    session.close()


async def test_a_found_call_is_as_described(house: Running) -> None:
    await a_call(house)
    await a_video(house)
    cookies = (await house.signed_in("auditor", None)).cookies
    answer = await asyncio.to_thread(
        requests.get, f"{house.url}/api/v1/calls", params={"alias": CALL_ID}, cookies=cookies
    )
    assert answer.json()["calls"][0]["sessions"]
    schemathesis.openapi.from_dict(document())["/api/v1/calls"]["GET"].validate_response(answer)
