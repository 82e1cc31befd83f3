"""What we wrote comes back; whatever else is in the file is a ValueError that says so."""

from __future__ import annotations

import pytest

from dnsops.base import versioned
from dnsops.base.errors import Misconfigured


def number(document: dict[str, object]) -> float:
    return float(document["number"])  # type: ignore[arg-type]


def test_what_was_written_comes_back() -> None:
    data = versioned.write(3, number=7)
    assert data == b'{\n "version": 3,\n "number": 7\n}\n'
    assert versioned.read(data, 3, "a number", number) == 7


@pytest.mark.parametrize(
    "data, why",
    [
        (b"", "Expecting value"),
        (b"\xff\xfe{", "decode"),
        (b"[3, 7]", "not a number .TypeError"),
        (b"{}", "not a number .KeyError"),
        (b'{"version": 4, "number": 7}', "version 4, this program knows 3"),
        (b'{"version": 3}', "not a number .KeyError: 'number'"),
        (b'{"version": 3, "number": "x"}', "could not convert"),
        (b'{"version": 3, "number": 1' + b"0" * 400 + b"}", "not a number .OverflowError"),
        (b"[" * 200_000, "not a number .RecursionError"),
        (b" " * (versioned.LARGEST + 1), "larger than 1048576 bytes"),
    ],
)
def test_what_is_none_is_said(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        versioned.read(data, 3, "a number", number)


def test_a_grammar_that_refuses_what_is_in_it_is_the_same() -> None:
    def refuse(document: dict[str, object]) -> None:
        raise Misconfigured("no such record")

    with pytest.raises(ValueError, match=r"not a number .Misconfigured: no such record"):
        versioned.read(versioned.write(3), 3, "a number", refuse)
