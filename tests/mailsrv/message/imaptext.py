"""The client's side of FETCH: reads IMAP text strictly and says what is wrong with an envelope or a body structure."""

from __future__ import annotations

import re

Item = bytes | int | None | list["Item"]
_TOKEN = re.compile(
    rb'(NIL)(?=[ )(]|\Z)|(\d+)(?=[ )(]|\Z)|"((?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x5b\x5d-\x7f]|\\["\\])*)"|\{(\d+)\}\r\n'
)


def read(text: bytes) -> Item:
    """One item, a space between two of them unless lists stand side by side."""
    item, end = _item(text, 0)
    assert end == len(text), f"left over: {text[end : end + 40]!r}"
    return item


def _item(text: bytes, at: int) -> tuple[Item, int]:
    stack: list[list[Item]] = [[]]
    while True:
        if text[at : at + 1] == b"(":
            stack.append([])
            at += 1
            continue
        if text[at : at + 1] == b")":
            done = stack.pop()
            assert done, "an empty list"
            stack[-1].append(done)
            at += 1
        else:
            value, at = _atom(text, at)
            stack[-1].append(value)
        if len(stack) == 1:
            return stack[0][0], at
        if text[at : at + 1] == b" ":
            at += 1
            assert text[at : at + 1] not in (b")", b" "), "a space too many"
        else:
            assert text[at : at + 1] in (b")", b"("), f"no space: {text[at - 20 : at + 20]!r}"


def _atom(text: bytes, at: int) -> tuple[Item, int]:
    found = _TOKEN.match(text, at)
    assert found, f"no item: {text[at : at + 40]!r}"
    if found[1]:
        return None, found.end()
    if found[2]:
        return int(found[2]), found.end()
    if found[3] is not None:
        return re.sub(rb"\\(.)", rb"\1", found[3]), found.end()
    end = found.end() + int(found[4])
    literal = text[found.end() : end]
    assert len(literal) == int(found[4])
    assert b"\0" not in literal
    return literal, end


def is_nstring(item: Item) -> bool:
    return item is None or isinstance(item, bytes)


def check_envelope(item: Item) -> None:
    """RFC 9051: env-date to env-message-id."""
    assert isinstance(item, list)
    assert len(item) == 10
    assert all(is_nstring(item[place]) for place in (0, 1, 8, 9))
    for people in item[2:8]:
        assert people is None or isinstance(people, list)
        for person in people or []:
            assert isinstance(person, list)
            assert len(person) == 4
            assert all(map(is_nstring, person))


def check_body(item: Item, extended: bool) -> None:
    """RFC 9051: body = body-type-1part / body-type-mpart, with all extension data or none."""
    assert isinstance(item, list)
    if isinstance(item[0], list):
        _check_multipart(item, extended)
        return
    assert all(isinstance(item[place], bytes) for place in (0, 1, 5))
    _check_parameters(item[2])
    assert is_nstring(item[3])
    assert is_nstring(item[4])
    assert isinstance(item[6], int)
    rest = item[7:]
    if item[0] == b"TEXT":
        assert isinstance(rest.pop(0), int)
    elif item[0] == b"MESSAGE" and item[1] in (b"RFC822", b"GLOBAL"):
        check_envelope(rest.pop(0))
        check_body(rest.pop(0), extended)
        assert isinstance(rest.pop(0), int)
    if extended:
        assert is_nstring(rest.pop(0))
        _check_extension(rest)
    else:
        assert rest == []


def _check_multipart(item: list[Item], extended: bool) -> None:
    bodies = [one for one in item if isinstance(one, list)] if not extended else []
    if extended:
        while isinstance(item[len(bodies)], list):
            bodies.append(item[len(bodies)])  # type: ignore[arg-type]
    for body in bodies:
        check_body(body, extended)
    rest = item[len(bodies) :]
    assert isinstance(rest.pop(0), bytes)
    if extended:
        _check_parameters(rest.pop(0))
        _check_extension(rest)
    else:
        assert rest == []


def _check_parameters(item: Item) -> None:
    if item is not None:
        assert isinstance(item, list)
        assert len(item) % 2 == 0
        assert all(isinstance(one, bytes) for one in item)


def _check_extension(rest: list[Item]) -> None:
    disposition, language, location = rest
    if disposition is not None:
        assert isinstance(disposition, list)
        word, parameters = disposition
        assert isinstance(word, bytes)
        _check_parameters(parameters)
    assert is_nstring(language) or (isinstance(language, list) and all(isinstance(one, bytes) for one in language))
    assert is_nstring(location)
