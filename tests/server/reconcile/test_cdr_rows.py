"""Call detail records come from outside: each line is judged by itself, and what is refused is never repeated."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.reconcile.domain.cdr import (
    ASTERISK,
    MAX_LINE,
    Bad,
    BadRowError,
    CdrRow,
    Form,
    grouped,
    read,
)
from telephony import AliasType

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FORM = Form(PARIS, frozenset({"1501", "1601"}), NOW)
MASTER = Form(PARIS, FORM.stations, NOW, asterisk=True)
HEAD = "uniqueid,caller,called,station,start,answer,end"
GOOD = "1772352000.5,0612345678,15,1501,2026-03-01 09:00:00,2026-03-01 09:00:05,2026-03-01 09:05:00"


def master(**cells: str) -> str:
    row = {
        "src": "0612345678",
        "dst": "15",
        "clid": '""Jean"" <0612345678>',
        "channel": "PJSIP/trunk-0000002a",
        "dstchannel": "PJSIP/1501-0000002b",
        "start": "2026-03-01 09:00:00",
        "answer": "2026-03-01 09:00:05",
        "end": "2026-03-01 09:05:00",
        "duration": "300",
        "billsec": "295",
        "disposition": "ANSWERED",
        "uniqueid": "1772352000.5",
        **cells,
    }
    last = "linkedid" if "linkedid" in row else "uniqueid"
    names = ASTERISK[: ASTERISK.index(last) + 1]
    return ",".join(f'"{row.get(name, "")}"' for name in names)


def one(text: str, form: Form = MASTER) -> CdrRow | Bad:
    (found,) = read(text.split("\n"), form)
    return found


def test_a_row_of_asterisk() -> None:
    row = one(master())
    assert isinstance(row, CdrRow)
    assert row.start == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    assert row.answer == datetime(2026, 3, 1, 8, 0, 5, tzinfo=UTC)
    assert (row.number, row.stations, row.outgoing) == ("+33612345678", ("1501",), False)
    assert row.names == ((AliasType.UNIQUEID, "1772352000.5"),)


def test_marks_that_nobody_sees_are_no_part_of_a_cell() -> None:
    """A spreadsheet, or an address book the file was made with, leaves them."""
    row = one(
        master(
            src="\u202a06\u202f12\u202f34\u202f56\u202f78\u202c", start="\u200e2026-03-01 09:00:00"
        )
    )
    assert isinstance(row, CdrRow)
    assert row.number == "+33612345678"
    back = one(
        master(
            src="\u200e1601", dst="\u202d0612345678\u202c", channel="", dstchannel="PJSIP/trunk-1"
        )
    )
    assert isinstance(back, CdrRow)
    assert (back.number, back.stations) == ("+33612345678", ("1601",))


def test_an_outgoing_row_is_of_whom_it_called() -> None:
    back = master(
        src="1601",
        dst="0612345678",
        channel="PJSIP/1601-0000002a",
        dstchannel="PJSIP/trunk-0000002b",
    )
    row = one(back)
    assert isinstance(row, CdrRow)
    assert (row.number, row.stations, row.outgoing) == ("+33612345678", ("1601",), True)
    inside = one(
        master(
            src="1501", dst="1601", channel="PJSIP/1501-0000002a", dstchannel="PJSIP/1601-0000002b"
        )
    )
    assert isinstance(inside, CdrRow)
    assert inside.number is None, "nobody outside"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_that_names_its_columns_in_any_order(delimiter: str) -> None:
    text = "\ufeff" + f"{HEAD}\r\n{GOOD}\r\n".replace(",", delimiter)
    row = one(text, FORM)
    assert isinstance(row, CdrRow)
    assert (row.line, row.number, row.stations) == (2, "+33612345678", ("1501",))
    iso = one("Ended,SIP-Call-ID,Started\n2026-03-01T09:00:00+01:00,a@b,2026-03-01T07:59:00Z", FORM)
    assert isinstance(iso, CdrRow)
    assert iso.names == ((AliasType.SIP_CALL_ID, "a@b"),)
    columns = Form(PARIS, FORM.stations, NOW, HEAD.split(","))
    assert isinstance(one(GOOD, columns), CdrRow)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"uniqueid": '=HYPERLINK(""http://x"")'}, "id is a formula"),
        ({"uniqueid": "@SUM(1)"}, "id is a formula"),
        ({"uniqueid": "-1+cmd|' /C calc'!A0"}, "id is a formula"),
        ({"uniqueid": "1,77E+09"}, "id was rounded by a spreadsheet"),
        ({"uniqueid": "note of the operator"}, "not an Asterisk id: other columns than expected"),
        ({"uniqueid": "1772352000.5\u202e"}, "id not readable"),
        ({"uniqueid": ""}, "no id"),
        ({"disposition": "0612345678"}, "unknown disposition"),
        ({"answer": ""}, "answered without a time"),
        ({"start": "01/03/2026 09:00"}, "start is no time"),
        ({"start": "0001-01-01 00:00:00"}, "start is no time"),
        ({"end": "2026-03-01 08:00:00"}, "times out of order"),
        ({"answer": "2026-03-01 10:00:00"}, "times out of order"),
        ({"end": "2026-03-03 08:00:00"}, "longer than a day"),
        ({"start": "2027-03-01 09:00:00", "answer": "2027-03-01 09:00:00", "end": "2027-03-01 09:01:00"},
         "in the future"),
        ({"start": "2026-03-29 02:30:00"}, "start does not exist: the clocks were put forward"),
        ({"clid": "x" * MAX_LINE}, "line too long"),
        ({"clid": "a\0b"}, "not text"),
        ({"clid": 'open" quote'}, "quotes not closed, or not CSV"),
    ],
)  # fmt: skip
def test_what_is_refused_is_named_by_its_line_only(change: dict[str, str], why: str) -> None:
    bad = [*read([master(), master(**change), master()], MASTER)]
    assert bad[1] == Bad(2, why)
    assert isinstance(bad[2], CdrRow), "one line costs one line"


def test_a_quote_left_open_does_not_swallow_what_follows() -> None:
    found = [*read([HEAD, '"17,06', GOOD], FORM)]
    assert [type(each) for each in found] == [Bad, CdrRow]


def test_a_file_that_says_nothing_is_refused() -> None:
    for head in ("a,b,c", "start,end", "uniqueid,uniqueid,start,end", '"'):
        with pytest.raises(BadRowError):
            list(read([head, GOOD], FORM))
    other = one(f"{HEAD}\n{GOOD}".replace("1501", "9999"), FORM)
    assert other == Bad(2, "no such station")
    assert one(f"{HEAD}\n{GOOD},more", FORM) == Bad(2, "more cells than columns")


def test_the_hour_that_came_twice_is_kept_but_proves_nothing() -> None:
    times = {
        "start": "2026-10-25 02:30:00",
        "answer": "2026-10-25 02:31:00",
        "end": "2026-10-25 02:40:00",
    }
    row = one(master(**times))
    assert isinstance(row, CdrRow)
    assert not row.exact
    (group,) = grouped([row])
    assert group.talks == []


def test_rows_of_one_call_are_one_and_a_linkedid_of_two_people_ties_nothing() -> None:
    first = master(linkedid="1772352000.5")
    moved = master(dstchannel="PJSIP/1601-0000002c", linkedid="1772352000.5",
                   start="2026-03-01 09:05:00", answer="2026-03-01 09:05:00", end="2026-03-01 09:09:00")  # fmt: skip
    consult = master(src="1501", dst="1601", channel="PJSIP/1501-00000030", uniqueid="1772352000.9",
                     dstchannel="PJSIP/1601-00000031", linkedid="1772352000.5")  # fmt: skip
    rows = [row for row in read([moved, consult, first], MASTER) if isinstance(row, CdrRow)]
    (call,) = grouped(rows)
    assert [talk[0] for talk in call.talks] == ["1501", "1601"], (
        "the consultation is no talk outside"
    )
    stranger = master(src="0698765432", uniqueid="1772352000.7", linkedid="1772352000.5")
    rows = [row for row in read([first, stranger], MASTER) if isinstance(row, CdrRow)]
    assert len(grouped(rows)) == 2


@given(st.lists(st.text(max_size=60), max_size=6), st.booleans())
def test_whatever_the_file_is_it_is_rows_or_reasons(lines: list[str], asterisk: bool) -> None:  # noqa: FBT001
    form = MASTER if asterisk else Form(PARIS, FORM.stations, NOW, HEAD.split(","))
    for each in read(lines, form):
        assert isinstance(each, CdrRow | Bad)
