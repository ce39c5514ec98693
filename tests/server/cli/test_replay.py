"""`visio15 replay`: the call graph of captured traffic, from every format it understands."""

from __future__ import annotations

import base64
import json
import os
import shutil
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dpkt
import pytest
from click.testing import CliRunner

from server.cli import main as cli
from telephony.sources.hep import codec as hep
from telephony.sources.replay.feed import packaged_trace

if TYPE_CHECKING:
    from click.testing import Result

TRACES = Path(__file__).resolve().parents[2] / "telephony" / "traces"
SIMPLE = TRACES / "asterisk-22-simple" / "ami.txt"
CALLER = "+33612345678"
TAKEN = [("1501", "ringing"), ("1501", "talking")]


def replay(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli.main, ["replay", *map(str, arguments)])


def graph(*arguments: str | Path) -> list[dict[str, Any]]:
    result = replay("--json", *arguments)
    assert result.exit_code == 0, result.output
    calls: list[dict[str, Any]] = json.loads(result.stdout)["calls"]
    return calls


def test_the_graph_is_written_as_other_programs_read_it() -> None:
    (call,) = graph(SIMPLE)
    assert (call["caller"], call["state"], call["end_certain"]) == (CALLER, "ended", True)
    assert call["started"] == "2026-11-22T18:45:36.520055Z"
    assert call["answered"].startswith("2026-11-22T18:45:37.330")
    rang, talked = call["stations"]
    assert (rang["station"], rang["state"], rang["to"]) == ("1501", "ringing", call["answered"])
    assert (talked["station"], talked["state"], talked["to"]) == ("1501", "talking", call["ended"])
    assert talked["from"] == rang["to"]
    assert (call["holds"], call["related"]) == ([], [])
    (recording,) = call["recordings"]
    assert recording["ref"].endswith("samu37-1795373136.0.wav")
    names = {(a["type"], a["value"], a["source"]) for a in call["aliases"]}
    assert ("sip_call_id", "1-19539-simple@127.0.0.2", "ami") in names
    assert all({"type", "value", "source", "from", "to"} <= set(a) for a in call["aliases"])


def test_a_call_that_waits_at_a_station_only_rings_there() -> None:
    first, second = graph(TRACES / "asterisk-23-second_call_waiting")
    assert [s["state"] for s in first["stations"]] == ["ringing", "talking"]
    assert [(s["station"], s["state"], s["to"]) for s in second["stations"]] == [
        ("1501", "ringing", None)
    ]


@pytest.mark.parametrize("streams", ["ami.txt", ""])
def test_a_conference_is_over_when_the_caller_has_left_it(streams: str) -> None:
    (call,) = graph(TRACES / "asterisk-23-three_way_conference" / streams)
    assert (call["state"], call["end_certain"]) == ("ended", True)
    assert "2026-11-29T19:02:33" < call["ended"] < "2026-11-29T19:02:35", "18.8 s, not never"
    assert call["stations"][-1]["station"] == "1601"
    assert call["stations"][-1]["to"] <= call["ended"]


def test_a_conference_and_a_call_back_are_related() -> None:
    first, second = graph(TRACES / "asterisk-22-conference_two_calls" / "ami.txt")
    assert [(r["call"], r["why"]) for r in first["related"]] == [(second["id"], "in conference")]
    assert first["related"][0]["from"] < first["related"][0]["to"] <= first["ended"]
    first, second = graph(TRACES / "asterisk-22-callback" / "ami.txt")
    assert [r["call"] for r in second["related"]] == [first["id"]]
    assert second["direction"] == "outgoing"


def test_the_streams_of_a_folder_tell_of_the_same_calls() -> None:
    (call,) = graph(TRACES / "asterisk-22-attended_transfer")
    assert {a["source"] for a in call["aliases"]} == {"ami", "hep"}
    assert [(s["station"], s["state"]) for s in call["stations"]] == [
        ("1501", "ringing"),
        ("1501", "talking"),
        ("1601", "ringing"),
        ("1601", "talking"),
    ]


def test_a_freeswitch_told_by_its_event_socket_and_by_capture() -> None:
    folder = TRACES / "freeswitch-1.10-attended_transfer"
    (call,) = graph(folder)
    assert {a["source"] for a in call["aliases"]} >= {"esl", "hep"}
    assert graph(folder / "esl.txt")[0]["stations"] == call["stations"]


@pytest.mark.parametrize("inside", ["sip", "hep"])
def test_pcap(tmp_path: Path, inside: str) -> None:
    file = tmp_path / "capture.bin"
    with file.open("wb") as opened:
        writer = dpkt.pcap.Writer(opened)
        for packet in packaged_trace("asterisk-22-hold").packets:
            data = packet.payload if inside == "sip" else hep.encode(packet)
            udp = dpkt.udp.UDP(sport=packet.src[1], dport=packet.dst[1], data=data)
            udp.ulen = len(udp)
            ip = dpkt.ip.IP(src=_raw(packet.src[0]), dst=_raw(packet.dst[0]), p=17, data=udp)
            frame = dpkt.ethernet.Ethernet(data=ip)
            writer.writepkt(bytes(frame), packet.time.timestamp())
        writer.writepkt(bytes(dpkt.ethernet.Ethernet(type=0x0806, data=b"arp")), 0)
    (call,) = graph(file)
    assert (call["caller"], len(call["holds"])) == (CALLER, 1)
    assert [(s["station"], s["state"]) for s in call["stations"]] == TAKEN


def _raw(host: str) -> bytes:
    return ip_address(host).packed


def dialog_info(version: int, state: str) -> bytes:
    return f"""<?xml version="1.0"?>
<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="{version}" state="full" entity="sip:1501@pbx">
 <dialog id="d1" call-id="c1@pbx" local-tag="a" remote-tag="b" direction="recipient">
  <state>{state}</state>
  <remote><identity>sip:+33612345678@pbx</identity></remote><local><identity>sip:1501@pbx</identity></local>
 </dialog>
</dialog-info>
""".encode()


STATES = ("early", "confirmed", "terminated")


@pytest.mark.parametrize("captured", [False, True])
def test_dialog_info(tmp_path: Path, captured: bool) -> None:  # noqa: FBT001
    documents = [dialog_info(number, state) for number, state in enumerate(STATES)]
    file = tmp_path / "presence"
    if captured:
        file.write_text("\n".join(map(_notified, range(len(STATES)), documents)))
    else:
        file.write_bytes(b"\n".join(documents))
    (call,) = graph(file)
    assert (call["caller"], call["state"]) == (CALLER, "ended")
    assert [(s["station"], s["state"]) for s in call["stations"]] == TAKEN
    assert {(a["type"], a["value"]) for a in call["aliases"]} >= {("sip_call_id", "c1@pbx")}
    assert call["started"] < call["answered"] < call["ended"]


def _notified(second: int, document: bytes) -> str:
    head = (
        "NOTIFY sip:visio15@192.0.2.15 SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=1\r\nCall-ID: sub\r\n"
        "CSeq: 1 NOTIFY\r\nFrom: <sip:1501@pbx>;tag=1\r\nTo: <sip:visio15@x>;tag=2\r\n"
        f"Event: dialog\r\nContent-Type: application/dialog-info+xml\r\nContent-Length: {len(document)}\r\n\r\n"
    )
    when = datetime(2026, 11, 22, 18, 0, second, tzinfo=UTC)
    packet = hep.HepPacket(
        ("192.0.2.1", 5060), ("192.0.2.15", 5060), when, head.encode() + document
    )
    return json.dumps({"hep3_b64": base64.b64encode(hep.encode(packet)).decode()})


def test_what_a_person_reads() -> None:
    told = replay(TRACES / "asterisk-22-attended_transfer" / "ami.txt").output
    places = ("poste       1501  sonne", "poste       1501  parle", "poste       1601  sonne")
    for words in (CALLER, "terminé", *places, "attente", "audio"):
        assert words in told


def test_a_file_that_is_no_trace_is_refused_in_a_sentence(tmp_path: Path) -> None:
    junk = tmp_path / "notes.txt"
    junk.write_text("nothing")
    result = replay(junk)
    assert result.exit_code == 1
    assert "notes.txt" in result.stderr
    assert replay(tmp_path / "absent").exit_code == 2


def test_a_pipe_is_no_trace(tmp_path: Path) -> None:
    """It would be waited for without an end, and could be read only once."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    result = replay(pipe)
    assert result.exit_code == 1
    assert "pipe : ce n'est ni un flux" in result.stderr


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in a folder"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, inside: bool) -> None:  # noqa: FBT001
    """Whoever runs this may read that one by its rights, and nobody its first byte."""
    file = tmp_path / "capture.pcap"
    file.symlink_to("/proc/self/mem")
    result = replay(tmp_path if inside else file)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "capture.pcap : lecture impossible" in result.stderr


def test_a_line_of_nothing_but_brackets_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "hep.jsonl"
    shutil.copy(TRACES / "freeswitch-1.10-simple" / "hep.jsonl", file)
    with file.open("a") as opened:
        opened.write("[" * 200_000 + "\n")
    result = replay(file)
    assert result.exit_code == 0
    assert "line 1" in result.stderr


def test_what_cannot_be_read_is_counted_and_the_rest_is_told(tmp_path: Path) -> None:
    file = tmp_path / "hep.jsonl"
    shutil.copy(TRACES / "freeswitch-1.10-simple" / "hep.jsonl", file)
    with file.open("a") as opened:
        opened.write("{broken\n")
        opened.write(json.dumps({"hep3_b64": base64.b64encode(b"HEP3\xff").decode()}) + "\n")
    result = replay("--json", file)
    assert len(json.loads(result.stdout)["calls"]) == 1
    assert "line 1" in result.stderr
    assert "hep_" in result.stderr


def test_what_an_asterisk_that_is_not_followed_told_is_refused_in_a_sentence(
    tmp_path: Path,
) -> None:
    old = tmp_path / "old.txt"
    old.write_bytes(b"Asterisk Call Manager/1.3\r\nEvent: Dial\r\nSubEvent: Begin\r\n\r\n")
    result = replay(old)
    assert "il faut Asterisk 12 ou plus récent" in result.stderr
    assert "ami_version : Asterisk trop ancien (AMI 1)." in result.stderr
