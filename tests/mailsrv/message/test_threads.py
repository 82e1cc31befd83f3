"""THREAD: RFC 5256's notation, its six steps, and chains that would break a stack."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from mailsrv.message.threads import ALGORITHMS, Letter, Node, references, text

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def letter(uid: int, references: str = "", base: str = "", answers: bool = False, minute: int | None = None) -> Letter:
    """Its Message-ID is its number; it was sent at the minute of its number unless told."""
    return Letter(
        uid,
        str(uid),
        tuple(references.split()),
        base,
        NOON + timedelta(minutes=uid if minute is None else minute),
        answers,
    )


def tree(uid: int, *children: Node) -> Node:
    node = Node(Letter(uid))
    for child in children:
        node.adopt(child)
    return node


def test_threads_are_written_as_the_rfc_does() -> None:
    """RFC 5256 4: 2 alone; 3 answered by 6, which 4 (answered by 23) and 44 (by 7, by 96) answer."""
    found = [tree(2), tree(3, tree(6, tree(4, tree(23)), tree(44, tree(7, tree(96)))))]
    assert text(found) == b"(2)(3 6 (4 23)(44 7 96))"
    lost = Node()
    lost.adopt(tree(3))
    lost.adopt(tree(5))
    assert text([lost]) == b"((3)(5))"
    assert text([]) == b""


ORDERED = [
    ([letter(1, base="a"), letter(2, base="b"), letter(3, base="a"), letter(4, base="a")], b"(1 (3)(4))(2)"),
    ([letter(1, base="a", minute=9), letter(2, base="b"), letter(3, base="a")], b"(2)(3 1)"),
    ([letter(1, base="a", minute=5), letter(2, base="a", minute=5)], b"(1 2)"),
]
BY_REFERENCES = [
    ("answers stand below what they answer", [letter(1), letter(2, "1"), letter(3, "1 2"), letter(4)], b"(1 2 3)(4)"),
    ("in any order of arrival", [letter(3, "1 2"), letter(2, "1"), letter(1)], b"(1 2 3)"),
    ("siblings by date", [letter(1), letter(2, "1", minute=9), letter(3, "1", minute=8)], b"(1 (3)(2))"),
    ("a missing parent of one is left out", [letter(2, "x"), letter(3, "2")], b"(2 3)"),
    ("a missing parent of two holds them together", [letter(2, "x"), letter(3, "x")], b"((2)(3))"),
    (
        "a missing one in the middle gives its children away",
        [letter(1), letter(3, "1 x"), letter(4, "1 x")],
        b"(1 (3)(4))",
    ),
    ("a missing one at the top, and below it another", [letter(3, "x y"), letter(4, "x")], b"((3)(4))"),
    (
        "what a message says of itself counts more",
        [letter(1), letter(2), letter(3, "1 2"), letter(2 + 2, "3")],
        b"(1 2 3 4)",
    ),
    ("... also against what others said", [letter(3, "1 2"), letter(1), letter(2)], b"(1)(2 3)"),
    ("a circle is not closed", [letter(1, "2"), letter(2, "1")], b"(2 1)"),
    ("nor one with itself", [letter(1, "1")], b"(1)"),
    ("nor a long one", [letter(1, "3"), letter(2, "1"), letter(3, "2")], b"(3 1 2)"),
    ("a Message-ID used twice is the first's", [letter(1), Letter(5, "1", (), "", NOON), letter(2, "1")], b"(5)(1 2)"),
    ("no Message-ID at all", [Letter(1), Letter(2)], b"(1)(2)"),
    # step 5
    ("same subject, a reply goes below", [letter(1, base="s"), letter(2, base="s", answers=True)], b"(1 2)"),
    ("also when it came first", [letter(1, base="s", answers=True), letter(2, base="s")], b"(2 1)"),
    ("same subject, no reply: side by side", [letter(1, base="s"), letter(2, base="s")], b"((1)(2))"),
    ("three of them", [letter(1, base="s"), letter(2, base="s"), letter(3, base="s")], b"((1)(2)(3))"),
    (
        "a reply joins the pair",
        [letter(1, base="s"), letter(2, base="s"), letter(3, base="s", answers=True)],
        b"((1)(2)(3))",
    ),
    (
        "two replies to nothing here",
        [letter(1, base="s", answers=True), letter(2, base="s", answers=True)],
        b"((1)(2))",
    ),
    ("an empty subject joins nothing", [letter(1, base=""), letter(2, base="")], b"(1)(2)"),
    (
        "threads of missing parents join",
        [letter(1, "x", "s"), letter(2, "x", "s"), letter(3, "y", "s"), letter(4, "y", "s")],
        b"((1)(2)(3)(4))",
    ),
    (
        "one joins the children of a missing parent",
        [letter(1, "x", "s"), letter(2, "x", "s"), letter(3, base="s")],
        b"((1)(2)(3))",
    ),
    (
        "threads by the date of their first",
        [letter(1, minute=9), letter(2, minute=3), letter(3, "2", minute=20)],
        b"(2 3)(1)",
    ),
]


@pytest.mark.parametrize("letters, wanted", ORDERED)
def test_ordered_subject(letters: list[Letter], wanted: bytes) -> None:
    assert text(ALGORITHMS["ORDEREDSUBJECT"](letters)) == wanted


@pytest.mark.parametrize("why, letters, wanted", BY_REFERENCES)
def test_references(why: str, letters: list[Letter], wanted: bytes) -> None:
    assert text(references(letters)) == wanted, why


def uids(threads: list[Node]) -> list[int]:
    found, todo = [], list(threads)
    while todo:
        node = todo.pop()
        if node.letter:
            found.append(node.letter.uid)
        assert node.letter or len(node.children) > 1 or node.parent is None
        todo += node.children
    return sorted(found)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_message_is_in_one_place_whatever_they_refer_to(seed: int, algorithm: str) -> None:
    rng = random.Random(seed)
    count = rng.randint(1, 40)
    letters = [
        letter(
            uid,
            " ".join(str(rng.randint(1, count + 5)) for _ in range(rng.randint(0, 4))),
            rng.choice(["", "a", "b", "c"]),
            rng.random() < 0.5,
            rng.randint(0, 30),
        )
        for uid in range(1, count + 1)
    ]
    rng.shuffle(letters)
    threads = ALGORITHMS[algorithm](letters)
    assert uids(threads) == list(range(1, count + 1))
    assert sorted(map(int, text(threads).replace(b"(", b" ").replace(b")", b" ").split())) == list(range(1, count + 1))


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_of_twenty_thousand_is_no_stack(order: int) -> None:
    letters = [letter(uid, str(uid - 1) if uid > 1 else "") for uid in range(1, 20_001)]
    assert text(references(letters[::order])) == b"(" + b" ".join(b"%d" % uid for uid in range(1, 20_001)) + b")"
