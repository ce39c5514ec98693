"""The alerts and the dashboard ask for what the server really shows, and each alert answers to what it is for."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from server.core.errors import walk
from tests.lab.ports import free_port
from tests.lab.process import own_folder
from tests.lab.server import server

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.lab
ROOT = Path(__file__).resolve().parents[3]
RULES = ROOT / "contrib" / "prometheus-rules.yml"
BOARD = ROOT / "contrib" / "grafana-dashboard.json"
UNITS = Path(__file__).with_name("prometheus-rules.test.yml")
#: What Prometheus and Grafana add by themselves.
GIVEN = {"job", "instance", "le"}
NAME = re.compile(r"\bvisio15_\w+")
MATCHED = re.compile(r"\b(visio15_\w+)\{([^}]*)\}")
LABEL = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


def alerts() -> list[dict[str, Any]]:
    [group] = yaml.safe_load(RULES.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(BOARD.read_text())["panels"]
    return found


def expressions() -> Iterator[str]:
    """Every question that is asked, in PromQL."""
    for rule in alerts():
        yield str(rule["expr"])
    for panel in panels():
        for target in panel["targets"]:
            asked = str(target["expr"]).replace("$__rate_interval", "5m")
            yield asked.replace("$site", ".*")


def promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def exposed() -> dict[str, set[str]]:
    """Ask a running server for /metrics: every sample it can have, with the labels of those it has."""
    port = free_port()
    async with own_folder("data") as data:
        hep = {"kind": "hep", "site": "samu37", "port": free_port()}
        carrier = {"name": "k", "preset": "kannel", "url": "http://127.0.0.1:9/", "username": "x"}
        env = {
            "VISIO15_DATA_DIR": str(data),
            "VISIO15_SECRET_KEY": "0123456789abcdef" * 4,
            "VISIO15_PORT": str(port),
            "VISIO15_FEEDS": json.dumps([hep]),
            "VISIO15_RECORDINGS": json.dumps([{"site": "samu37", "root": str(data)}]),
            "VISIO15_CARRIERS": json.dumps([{**carrier, "password": "x"}]),
        }
        site = ("site", "add", "samu37", "SAMU 37", "--referent", "r@s.example")
        url = f"http://127.0.0.1:{port}"
        async with server(url, env, prepare=(("migrate",), (*site, "--sms-sender", "SAMU37"))):
            with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310, ASYNC210 - our own server
                text = answer.read().decode()
    found: dict[str, set[str]] = {}
    for name, kind in re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE):
        ends = ("_bucket", "_count", "_sum") if kind == "histogram" else ("",)
        found.update({name + end: set() for end in ends})
    for name, labels in re.findall(r"^(\w+)\{([^}]*)\}", text, re.MULTILINE):
        found.setdefault(name, set()).update(label for label, _, _ in LABEL.findall(labels))
    return found


async def test_every_metric_asked_for_is_one_the_server_shows() -> None:
    known = await exposed()
    asked = {name for one in expressions() for name in NAME.findall(one)}
    assert len(asked) >= 10
    assert asked <= set(known)
    for one in expressions():
        for name, matchers in MATCHED.findall(one):
            labels = {label for label, _, _ in LABEL.findall(matchers)}
            assert not known[name] or labels <= known[name] | GIVEN, (name, labels)


def test_every_code_asked_for_is_one_the_server_has() -> None:
    codes = {error.code for error in walk()}
    asked = {
        code
        for one in expressions()
        for name, matchers in MATCHED.findall(one)
        for label, _, value in LABEL.findall(matchers)
        if name == "visio15_refused_total" and label == "code"
        for code in value.split("|")
    }
    assert "sdp_audio" in asked
    assert asked <= codes


def test_prometheus_takes_the_rules() -> None:
    promtool("check", "rules", "--lint=all", "--lint-fatal", str(RULES))
    for rule in alerts():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]


def test_each_alert_answers_to_what_it_is_for() -> None:
    promtool("test", "rules", str(UNITS))
    tried = UNITS.read_text()
    for rule in alerts():
        assert rule["alert"].removeprefix("Visio15") in tried, rule["alert"]


def test_prometheus_understands_what_the_dashboard_asks(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(expressions())]
    file = tmp_path / "board.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    promtool("check", "rules", "--lint=none", str(file))


def test_the_dashboard_is_whole() -> None:
    board = json.loads(BOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids) >= 10
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        assert panel["description"], panel["title"]
        at = panel["gridPos"]
        cells = {(at["x"] + dx, at["y"] + dy) for dx in range(at["w"]) for dy in range(at["h"])}
        assert not cells & taken, f"{panel['title']} lies over another"
        assert at["x"] + at["w"] <= 24
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
    named = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(board["panels"])))
    assert used <= named
