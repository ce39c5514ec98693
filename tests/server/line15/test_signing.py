"""What is signed, and what no signature is taken for."""

from __future__ import annotations

import hashlib
import hmac
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from server.line15.domain.signing import (
    SiteSecret,
    check_launch,
    fresh,
    launch_text,
    made_by,
    signature,
    webhook_text,
)
from server.line15.errors import LaunchExpired, LaunchSignatureWrong

TELEPHONY = (Path(__file__).resolve().parents[3] / "docs" / "telephony.md").read_text()
NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
TS = str(int(NOW.timestamp()))
NEW = SiteSecret("new", "s", "a" * 64, NOW)
OLD = SiteSecret("old", "s", "b" * 64, NOW)
RETIRED = SiteSecret("gone", "s", None, NOW, NOW)
CONTEXT = {"call": "a@b", "caller": "+33612345678", "station": "201"}


def signed(secret: str = "a" * 64, **changes: str) -> dict[str, str]:
    fields = {"ts": TS, "nonce": "nonce-0001", **CONTEXT}
    fields["sig"] = signature(secret, launch_text(fields))
    return {**fields, **changes}


def test_the_text_is_what_the_page_says() -> None:
    text = f"{TS}\nnonce-0001\na@b\n+33612345678\n201".encode()
    assert launch_text(signed()) == text
    assert signed()["sig"] == hmac.new(b"a" * 64, text, hashlib.sha256).hexdigest()
    assert webhook_text("12", b"{}") == b"12.{}"


@pytest.mark.parametrize("secret", [NEW, OLD])
@pytest.mark.parametrize("kid", [True, False])
def test_two_secrets_may_sign(secret: SiteSecret, kid: bool) -> None:  # noqa: FBT001
    fields = signed(secret.value or "", **({"kid": secret.id} if kid else {}))
    assert check_launch(fields, NOW, [NEW, OLD]) is secret


def test_capitals_are_hexadecimal_too() -> None:
    assert check_launch(signed(sig=signed()["sig"].upper()), NOW, [NEW]) is NEW


@pytest.mark.parametrize(
    "changes",
    [
        {"call": "a@c"},
        {"call": ""},
        {"caller": "+33612345679"},
        {"station": "202"},
        {"station": "201 "},
        {"ts": str(int(TS) + 1)},
        {"ts": "now"},
        {"ts": ""},
        {"ts": "-1"},
        {"ts": "١٢٣"},
        {"nonce": "nonce-0002"},
        {"nonce": "short"},
        {"nonce": ""},
        {"sig": "0" * 64},
        {"sig": "é" * 64},
        {"sig": "0"},
        {"kid": "other"},
        {"kid": "gone"},
        {"caller": "a@b", "call": "+33612345678"},
    ],
)
def test_anything_else_is_wrong(changes: dict[str, str]) -> None:
    with pytest.raises(LaunchSignatureWrong):
        check_launch(signed(**changes), NOW, [NEW, OLD])


def test_values_cannot_be_shifted_over_a_line_feed() -> None:
    fields = {"ts": TS, "nonce": "nonce-0001", "call": "a\nb", "caller": "c", "station": ""}
    shifted = {**fields, "call": "a", "caller": "b\nc"}
    assert launch_text(fields) == launch_text(shifted)
    for each in (fields, shifted):
        with pytest.raises(LaunchSignatureWrong):
            check_launch({**each, "sig": signature("a" * 64, launch_text(each))}, NOW, [NEW])


def test_no_secret_signs_nothing() -> None:
    for secrets in ([], [RETIRED]):
        with pytest.raises(LaunchSignatureWrong):
            check_launch(signed(""), NOW, secrets)
    assert made_by([RETIRED], b"x", [signature("", b"x")]) is None


@pytest.mark.parametrize(
    ("seconds", "good"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_the_window(seconds: int, good: bool) -> None:  # noqa: FBT001
    now = NOW + timedelta(seconds=seconds)
    assert fresh(TS, now) is good
    if good:
        assert check_launch(signed(), now, [NEW]) is NEW
    else:
        with pytest.raises(LaunchExpired):
            check_launch(signed(), now, [NEW])


@pytest.mark.parametrize("text", ["", "x", "1e9", "9" * 12, "1.5", " 1", "99999999999"])
def test_no_other_time_is_fresh(text: str) -> None:
    assert not fresh(text, NOW)


def test_a_secret_is_not_shown_by_accident() -> None:
    assert "a" * 64 not in repr(NEW)


# --- the examples of docs/telephony.md ---------------------------------------------------------------
def test_the_python_example_is_rightly_signed() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TELEPHONY, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    url = names["launch"]("https://visio15.example", "new", "a" * 64, "a@b", "+33612345678", "201")
    fields = dict(parse_qsl(urlsplit(url).query))
    assert check_launch(fields, datetime.now(UTC), [NEW, OLD]) is NEW


@pytest.mark.parametrize("which", ["body", "nonce"])
def test_the_openssl_examples_are_rightly_signed(which: str) -> None:
    (line,) = [one for one in TELEPHONY.splitlines() if one.startswith("sig=") and which in one]
    known = {"now": TS, "ts": TS, "body": '{"events":[]}', "nonce": "nonce-0001", **CONTEXT}
    script = "".join(f"{name}='{value}'; " for name, value in {**known, "secret": "a" * 64}.items())
    said = subprocess.run(
        ["bash", "-c", f'{script}{line}\nprintf %s "$sig"'], capture_output=True, check=True
    )
    text = launch_text(known) if which == "nonce" else webhook_text(TS, known["body"].encode())
    assert said.stdout.decode() == signature("a" * 64, text)
