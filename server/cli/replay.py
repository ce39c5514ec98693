"""`visio15 replay`: captured traffic of a switchboard, told as calls. Needs no configuration and no database."""

import itertools
import json
import sys
from pathlib import Path

import click

from server.line15.domain.feed_words import advice, why_refused
from telephony import Call, CallState, Span, StationState
from telephony.correlate.correlation import Correlator
from telephony.correlate.graph import graph
from telephony.sources.replay.clocks import ClockGap
from telephony.sources.replay.recorded import UnreadableError, read

_STATES = {
    CallState.RINGING: "sonne",
    CallState.TALKING: "en conversation",
    CallState.HELD: "en attente",
    CallState.ENDED: "terminé",
}
_STAYS = {StationState.RINGING: "sonne", StationState.TALKING: "parle"}
#: What to do about what was left out of a capture.
_REMEDIES = {
    "cut": "messages coupés à la capture : refaites-la entière (tcpdump -s 0)",
    "fragment": "datagrammes dont il manque un fragment : la capture a perdu des paquets",
    "tcp_gap": "trous dans des connexions TCP : la capture a perdu des paquets",
    "truncated": "fichier coupé avant sa fin : le reste n'a pas été lu",
    "undated": "paquets sans heure (Simple Packet Block) : capturez au format pcap",
    "frame": "paquets illisibles",
    "clock": "messages datés par une horloge qui n'est pas celle des autres",
}
#: What an Asterisk that is not followed has told; the sentences name the versions that are.
_TOO_OLD = {"ami_version", "old_event"}


@click.command()
@click.argument("trace", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the call graph as JSON.")
@click.option("--station", "stations", multiple=True, help="A monitored extension (default: any).")
def replay(trace: tuple[Path, ...], stations: tuple[str, ...], *, as_json: bool) -> None:
    """Print the calls in captured traffic: AMI, ESL, HEP (JSON lines), pcap, dialog-info, or folders of them.

    All that is given is one switchboard: several streams of the same calls are told together.
    Numbers are printed in full.
    """
    try:
        told = read(trace, stations)
    except UnreadableError as error:
        click.echo(f"{error} : {_refusal(error)}", err=True)
        sys.exit(1)
    numbers = itertools.count(1)
    correlator = Correlator(stations, lambda: f"call-{next(numbers)}")
    for fact in told.facts:
        correlator.receive(fact)
    calls = correlator.calls()
    if told.rejected:
        parts = ", ".join(f"{reason} {count}" for reason, count in sorted(told.rejected.items()))
        click.echo(f"Parties illisibles, laissées de côté : {parts}", err=True)
    for reason in sorted(told.rejected):
        click.echo(f"  {reason} : {_REMEDIES.get(reason) or why_refused(reason)}.", err=True)
    old = {each: count for each, count in told.rejected.items() if each in _TOO_OLD}
    for sentence in advice("ami", "connected", None, old):
        click.echo(sentence, err=True)
    for gap in told.clocks:
        click.echo(_apart(gap), err=True)
    if as_json:
        click.echo(json.dumps(graph(calls), ensure_ascii=False, indent=1))
        return
    click.echo(f"{len(calls)} appel(s) dans {', '.join(told.files)}")
    for call in calls:
        click.echo("\n" + "\n".join(_lines(call)))


def _refusal(error: UnreadableError) -> str:
    """Say why nothing was told, and what to do."""
    if error.why:
        return f"lecture impossible ({error.why})."
    if error.links:
        kinds = ", ".join(map(str, error.links))
        return (
            f"type de liaison {kinds} non pris en charge, rien n'en a été lu. "
            "Refaites la capture avec « tcpdump -i any », ou sur une interface Ethernet."
        )
    return (
        "ce n'est ni un flux AMI ou ESL, ni des paquets HEP (hep3_b64), "
        "ni un pcap, ni des documents dialog-info."
    )


def _apart(gap: ClockGap) -> str:
    """Say who is wrong by how much, and how the file is put right."""
    seconds = round(gap.ahead.total_seconds())
    way = "avance" if seconds > 0 else "retarde"
    days, rest = divmod(abs(seconds), 86_400)
    span = (
        f"{days} j " if days else ""
    ) + f"{rest // 3600} h {rest // 60 % 60:02} min {rest % 60:02} s"
    return (
        f"Horloges : {gap.source} {way} de {span} sur {gap.other} pour les mêmes appels ; ce qu'il en dit est laissé "
        f"de côté. Mettez les machines à l'heure (NTP), ou décalez le fichier : editcap -t {-seconds}."
    )


def _lines(call: Call) -> list[str]:
    origin = call.started

    def clock(span: Span) -> str:
        end = "…" if span.end is None else f"{(span.end - origin).total_seconds():.1f} s"
        return f"{(span.start - origin).total_seconds():.1f} → {end}"

    over = "" if call.end_certain else " (fin non entendue)"
    doubt = "" if call.certain else " · incertain"
    who = call.number.e164 if call.number else "numéro inconnu"
    lines = [
        f"{call.id}  {who}  {_STATES[call.state]}{over}{doubt}",
        f"  début       {origin:%Y-%m-%d %H:%M:%S.%f} UTC",
    ]
    if call.answered:
        lines.append(f"  décroché    {(call.answered - origin).total_seconds():.1f} s")
    if call.ended:
        lines.append(f"  fin         {(call.ended - origin).total_seconds():.1f} s")
    lines += [
        f"  poste       {s.station}  {_STAYS[s.state]}  {clock(Span(s.start, s.end))}"
        for s in call.stations
    ]
    lines += [f"  attente     {clock(hold)}" for hold in call.holds]
    lines += [f"  audio       {r.ref}  {clock(Span(r.start, r.end))}" for r in call.recordings]
    for each in call.related:
        when = clock(Span(each.start, each.end)) if each.start else ""
        lines.append(f"  lié à       {each.call}  {each.why}  {when}".rstrip())
    lines += [
        f"  nom         {r.alias.type.value} {r.alias.value}  [{r.source}]"
        for r in dict.fromkeys(call.aliases)
    ]
    lines += [f"  parce que   {why}" for why in call.evidence]
    return lines
