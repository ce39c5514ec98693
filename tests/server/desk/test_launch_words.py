"""What the desk says of the context that opened it: each notice has its words, a refusal has the catalogue's."""

from __future__ import annotations

import re

from server.core.words.for_doctor import SENTENCES
from server.desk.domain.launch_words import WORDS, launch_words
from server.line15.domain.launch_notice import Notice, NoticeKind


def test_each_notice_has_words_and_its_facts() -> None:
    assert set(WORDS) == set(NoticeKind)
    for kind in NoticeKind:
        said = launch_words(None, [Notice(kind, ("201", "202"))])
        assert said
        assert re.fullmatch(r"[A-Z][^{}]*[.]", said)
        where = kind in {NoticeKind.CALL_RINGS, NoticeKind.CALL_HELD}
        assert ("201, 202" in said) is where


def test_a_refused_context_is_said_as_everywhere() -> None:
    assert launch_words("launch_expired", []) == SENTENCES["launch_expired"]


def test_nothing_is_said_of_a_context_that_is_well() -> None:
    assert launch_words(None, []) is None
