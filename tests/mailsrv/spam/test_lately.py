"""Rows that are remembered say what the file says, whatever is noted while it is read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailsrv.spam.lately import LASTING, Change, Lately, Reading, Row

KEYS = (("user1", "+a@b.c"), ("user1", "@b.c"), ("user2", "@b.c"))
CHANGES = [Change("received", 1), Change("sent", 1), Change("mark", 1), Change("mark", 2)]
STEPS = st.one_of(
    st.tuples(st.just("begin"), st.sampled_from(KEYS)),
    st.tuples(st.just("end"), st.integers(0, 5)),
    st.tuples(st.just("note"), st.tuples(st.sampled_from(KEYS), st.sampled_from(CHANGES))),
)


@given(st.lists(STEPS, max_size=40))
def test_what_is_found_is_what_the_file_has(steps: list[tuple[str, object]]) -> None:
    """Readings begin and end in any order; each sees the file as it was when it began."""
    lately, file = Lately(), dict.fromkeys(KEYS, Row())
    under_way: list[tuple[Reading, Row]] = []
    for what, given_ in steps:
        match what, given_:
            case "begin", (account, who):
                under_way.append((lately.begin(((account, who),)), file[account, who]))
            case "end", int(place) if place < len(under_way):
                reading, row = under_way.pop(place)
                lately.end(reading, [row], 0.0)
            case "note", (key, change):
                file[key] = file[key].changed(change)
                lately.noted(key, change)
    for key in KEYS:
        assert lately.find((key,), 0.0) in (None, [file[key]])


def test_a_row_is_found_for_so_long_and_all_are_or_none() -> None:
    lately = Lately()
    lately.end(lately.begin(KEYS[:2]), [Row(1), Row(2)], 100.0)
    assert lately.find(KEYS[:2], 100.0 + LASTING - 1) == [Row(1), Row(2)]
    assert lately.find(KEYS[:2], 100.0 + LASTING) is None
    assert lately.find(KEYS, 100.0) is None


def test_what_could_not_be_read_is_not_there() -> None:
    lately = Lately()
    lately.end(lately.begin(KEYS), [], 0.0)
    assert [lately.find((key,), 0.0) for key in KEYS] == [None, None, None]
    lately.noted(KEYS[0], CHANGES[0])
    assert lately.find(KEYS[:1], 0.0) is None


def test_so_many_and_no_more() -> None:
    lately = Lately(2)
    for key in KEYS:
        lately.end(lately.begin((key,)), [Row()], 0.0)
    assert [lately.find((key,), 0.0) for key in KEYS] == [None, [Row()], [Row()]]
