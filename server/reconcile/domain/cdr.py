"""Call detail records as late statements about calls: lines of text in, rows or reasons out (docs/operations.md).

The file comes from outside: every line is judged by itself, so that a quote left open or a broken line costs one
line; what is refused is named by its number and a reason, never by its content, which holds telephone numbers.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from telephony import AliasType, parse_number, without_marks

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_LINE: Final = 8_192
MAX_ROWS: Final = 200_000
LONGEST_ID: Final = 255
LONGEST: Final = timedelta(hours=24)
AHEAD: Final = timedelta(minutes=5)

#: Master.csv of Asterisk's cdr_csv, with loguniqueid, loguserfield and newcdrcolumns; shorter rows lack the last ones.
ASTERISK: Final = (
    *("accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp"),
    *("lastdata", "start", "answer", "end", "duration", "billsec", "disposition", "amaflags"),
    *("uniqueid", "userfield", "peeraccount", "linkedid", "sequence"),
)
_KNOWN: Final = frozenset(
    {*("src", "dst", "station", "channel", "dstchannel", "start", "answer", "end", "disposition")}
    | {"uniqueid", "linkedid", "sip_call_id"}
)
_SYNONYMS: Final = {
    "caller": "src",
    "called": "dst",
    "started": "start",
    "answered": "answer",
    "ended": "end",
    "call_id": "sip_call_id",
    "callid": "sip_call_id",
    "extension": "station",
}
_IDS: Final = {
    "uniqueid": AliasType.UNIQUEID,
    "linkedid": AliasType.LINKEDID,
    "sip_call_id": AliasType.SIP_CALL_ID,
}
_ANSWERED: Final = "ANSWERED"
_DISPOSITIONS: Final = frozenset({_ANSWERED, "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})
_CHANNEL: Final = re.compile(r"[^/]+/(?P<name>[^/]+?)(-[0-9a-f]{6,10})?(;[12])?")
_ASTERISK_ID: Final = re.compile(r"([\w.-]+-)?[0-9]{9,11}\.[0-9]{1,12}")
_SPREADSHEET: Final = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
_FORMULA: Final = re.compile(r"[=@].*|[+-].*[(|!].*")


class BadRowError(ValueError):
    """A row that cannot be taken; the message is a reason without any of its content."""


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One record: who was connected when, under which names; `exact` False when its hour came twice that night."""

    line: int
    start: datetime
    answer: datetime | None
    end: datetime
    names: tuple[tuple[AliasType, str], ...]
    number: str | None = None
    stations: tuple[str, ...] = ()
    outgoing: bool = False
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that was skipped, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Form:
    """How to read a file: its columns (empty: named by its first line), its zone, and the stations of its site."""

    zone: tzinfo
    stations: frozenset[str]
    now: datetime
    columns: Sequence[str] = ()
    asterisk: bool = False


@dataclass(slots=True)
class CdrCall:
    """The rows of one call, the earliest first."""

    rows: list[CdrRow] = field(default_factory=list)

    @property
    def start(self) -> datetime:
        """When its first record begins."""
        return min(row.start for row in self.rows)

    @property
    def end(self) -> datetime:
        """When its last record ends."""
        return max(row.end for row in self.rows)

    @property
    def numbers(self) -> set[str]:
        """The people outside that it names."""
        return {row.number for row in self.rows if row.number}

    @property
    def names(self) -> dict[tuple[AliasType, str], tuple[datetime, datetime]]:
        """Its names, each with the time its records give it."""
        found: dict[tuple[AliasType, str], tuple[datetime, datetime]] = {}
        for row in self.rows:
            for name in row.names:
                start, end = found.get(name, (row.start, row.end))
                found[name] = (min(start, row.start), max(end, row.end))
        return found

    @property
    def talks(self) -> list[tuple[str, datetime, datetime]]:
        """Who of the stations talked with somebody outside, from when to when; only where the hour is exact."""
        spoken = [row for row in self.rows if row.answer and row.number and row.exact]
        return sorted(
            {(s, row.answer or row.start, row.end) for row in spoken for s in row.stations}
        )


def read(lines: Iterable[str], form: Form) -> Iterator[CdrRow | Bad]:
    """Read a file line by line. Raises BadRowError when nothing names columns of ours."""
    columns = ASTERISK if form.asterisk else _checked(form.columns) if form.columns else ()
    delimiter = "," if form.asterisk or form.columns else ""
    for number, text in enumerate(lines, 1):
        line = text.rstrip("\r\n")
        if number == 1:
            line = line.removeprefix("\ufeff")
        if not line.strip():
            continue
        if not columns:
            delimiter = max(",;\t", key=line.count)
            columns = _checked(_split(line, delimiter))
            continue
        if number > MAX_ROWS:
            yield Bad(number, f"more than {MAX_ROWS} lines: split the file")
            return
        try:
            yield _row(number, _cells(line, delimiter, columns), form)
        except BadRowError as bad:
            yield Bad(number, str(bad))


def grouped(rows: Iterable[CdrRow]) -> list[CdrCall]:
    """Put together the rows of one call: those that share a name; a Linkedid that names two people ties nothing."""
    ordered = sorted(rows, key=lambda row: (row.start, row.line))
    groups = _tied([CdrCall([row]) for row in ordered], {AliasType.UNIQUEID, AliasType.SIP_CALL_ID})
    return _tied(groups, {AliasType.LINKEDID})


def _tied(groups: Sequence[CdrCall], kinds: set[AliasType]) -> list[CdrCall]:
    bearers: dict[tuple[AliasType, str], CdrCall] = {}
    done: list[CdrCall] = []
    people: dict[tuple[AliasType, str], set[str]] = {}
    for group in groups:
        for name in group.names:
            people.setdefault(name, set()).update(group.numbers)
    for group in groups:
        names = [name for name in group.names if name[0] in kinds and len(people[name]) <= 1]
        into = next((bearers[name] for name in names if name in bearers), None)
        if into is None:
            done.append(into := group)
        else:
            into.rows += group.rows
        bearers.update(dict.fromkeys(names, into))
    return done


def _named(name: str) -> str:
    name = name.strip().lower().replace(" ", "_").replace("-", "_")
    return _SYNONYMS.get(name, name)


def _checked(names: Sequence[str]) -> Sequence[str]:
    columns = [_named(name) for name in names]
    known = [name for name in columns if name in _KNOWN]
    if not {"start", "end"} <= set(known) or not set(_IDS) & set(known):
        raise BadRowError("the columns must be named: start, end and an id at least")
    if len(set(known)) < len(known):
        raise BadRowError("a column is named twice")
    return columns


def _split(line: str, delimiter: str) -> list[str]:
    if len(line) > MAX_LINE:
        raise BadRowError("line too long")
    if "\0" in line:
        raise BadRowError("not text")
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise BadRowError("quotes not closed, or not CSV") from None


def _cells(line: str, delimiter: str, columns: Sequence[str]) -> dict[str, str]:
    cells = _split(line, delimiter)
    if len(cells) > len(columns):
        raise BadRowError("more cells than columns")
    return {
        name: cell.strip() if name in _IDS else without_marks(cell)
        for name, cell in zip(columns, cells, strict=False)
    }


def _row(line: int, cells: Mapping[str, str], form: Form) -> CdrRow:
    start, exact = _time(cells.get("start", ""), form, "start")
    end, exact_end = _time(cells.get("end", ""), form, "end")
    answer, exact_answer = None, True
    disposition = cells.get("disposition", "").upper()
    if disposition and disposition not in _DISPOSITIONS:
        raise BadRowError("unknown disposition")
    if cells.get("answer") and disposition in {"", _ANSWERED}:
        answer, exact_answer = _time(cells["answer"], form, "answer")
    if disposition == _ANSWERED and answer is None:
        raise BadRowError("answered without a time")
    if not start <= (answer or start) <= end:
        raise BadRowError("times out of order")
    if end - start > LONGEST or end > form.now + AHEAD:
        raise BadRowError("longer than a day" if end - start > LONGEST else "in the future")
    ours, theirs = _ends(cells, form)
    outgoing = bool(ours)
    number = parse_number(cells.get("dst" if outgoing else "src", ""))
    inside = bool(ours and theirs)
    return CdrRow(
        line=line,
        start=start,
        answer=answer,
        end=end,
        names=_names(cells, form),
        number=None if inside or number is None else number.e164,
        stations=tuple(dict.fromkeys((*ours, *theirs))),
        outgoing=outgoing,
        exact=exact and exact_end and exact_answer,
    )


def _ends(cells: Mapping[str, str], form: Form) -> tuple[list[str], list[str]]:
    """Return the station that called, and the station that was called, where they are of this site."""

    def known(*values: str) -> list[str]:
        return next(([value] for value in values if value in form.stations), [])

    ours = known(_endpoint(cells.get("channel", "")), cells.get("src", ""))
    given = cells.get("station", "")
    if given and given not in form.stations:
        raise BadRowError("no such station")
    if given and ours:
        return [given], []
    theirs = known(given, _endpoint(cells.get("dstchannel", "")))
    if not theirs and not cells.get("dstchannel"):
        theirs = known(cells.get("dst", ""))
    return ours, theirs


def _endpoint(channel: str) -> str:
    found = None if channel.startswith("Local/") else _CHANNEL.fullmatch(channel)
    return found["name"] if found else ""


def _names(cells: Mapping[str, str], form: Form) -> tuple[tuple[AliasType, str], ...]:
    names = []
    for column, kind in _IDS.items():
        value = cells.get(column, "")
        if not value:
            continue
        if _FORMULA.fullmatch(value):
            raise BadRowError("id is a formula")
        if _SPREADSHEET.fullmatch(value):
            raise BadRowError("id was rounded by a spreadsheet")
        if len(value) > LONGEST_ID or not value.isprintable() or "\ufffd" in value:
            raise BadRowError("id not readable")
        if form.asterisk and not _ASTERISK_ID.fullmatch(value):
            raise BadRowError("not an Asterisk id: other columns than expected")
        names.append((kind, value))
    if not names:
        raise BadRowError("no id")
    return tuple(names)


def _time(text: str, form: Form, name: str) -> tuple[datetime, bool]:
    """Return the time in UTC, and whether the local hour came only once."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRowError(f"{name} is no time") from None
    if at.tzinfo is not None:
        return _utc(at, name), True
    first, second = (at.replace(tzinfo=form.zone, fold=fold) for fold in (0, 1))
    same = first.utcoffset() == second.utcoffset()
    if not same and _utc(first, name).astimezone(form.zone).replace(tzinfo=None) != at:
        raise BadRowError(f"{name} does not exist: the clocks were put forward")
    return _utc(first, name), same


def _utc(at: datetime, name: str) -> datetime:
    try:
        return at.astimezone(UTC)
    except (OverflowError, ValueError):
        raise BadRowError(f"{name} is no time") from None
