"""Tag lists: `v=DKIM1; k=rsa; p=...`, the form of DKIM's keys and signatures, of DMARC, TLSRPT and others. Pure.

Standard: RFC 6376 3.2; values may hold UTF-8 (RFC 8616 4). Names are case-sensitive, and none may stand twice.
Limits: `limit` octets and MOST_TAGS tags. Fails by: `Malformed`, for whatever is no such list, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dnsops.base.errors import ForUser

LONGEST = 65535  # octets of TXT rdata (RFC 1035 3.2.1)
MOST_TAGS = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*+\Z")
_TAG = re.compile(r"(?:\A|;)[ \t\r\n]*+([A-Za-z][A-Za-z0-9_]*+)[ \t\r\n]*+=([^;]*+)")
_BLANKS = " \t\r\n"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\n(?![ \t])|\r(?!\n)")


class Malformed(ForUser):
    """The text is no tag list, or not one of the kind that is wanted; `what` says why."""


def parse(text: bytes | str, limit: int = LONGEST) -> dict[str, str]:
    """`a=1; b = x y ;` -> {"a": "1", "b": "x y"}, in order; values without the blanks around them, folding inside them kept.

    Bytes are UTF-8. Raises `Malformed` for a tag that stands twice, no name, no `=`, control characters, too much.
    """
    if len(text) > limit:
        raise Malformed(f"a tag list of more than {limit} octets")
    plain = text if isinstance(text, str) else _decoded(text)
    plain = plain.strip(_BLANKS).removesuffix(";")  # RFC 6376 3.2: the last tag may be followed by a semicolon
    if not _unfolded(plain).isprintable() and _CONTROL.search(plain):
        raise Malformed("a control character in a tag list")
    if plain.count(";") >= MOST_TAGS:
        raise Malformed(f"more than {MOST_TAGS} tags")
    return _tags(plain)


def _tags(plain: str) -> dict[str, str]:
    """One look at all of them; what is wrong with one is found by the slower way."""
    pairs = _TAG.findall(plain)
    found = {name: value.strip(_BLANKS) for name, value in pairs}
    return found if len(found) == plain.count(";") + 1 == len(pairs) else _one_by_one(plain.split(";"))


def _one_by_one(specs: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for spec in specs:
        name, equals, value = spec.partition("=")
        name = name.strip(_BLANKS)
        if not equals or not _NAME.match(name):
            raise Malformed(f"not a tag: {spec.strip(_BLANKS)[:40]!r}")
        if name in found:
            raise Malformed(f"the tag {name}= stands twice")
        found[name] = value.strip(_BLANKS)
    return found


def write(pairs: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """{"a": "1", "b": "x"} -> `a=1; b=x`. Raises `Malformed` for what `parse` would not give back."""
    items = list(pairs.items() if isinstance(pairs, Mapping) else pairs)
    text = "; ".join(f"{name}={value}" for name, value in items)
    if list(parse(text).items()) != items:
        raise Malformed(f"not to be written as a tag list: {text[:80]!r}")
    return text


def compact(value: str) -> str:
    """A value without any blank in it, as base64 and numbers are to be read (RFC 6376 3.2)."""
    if value.isprintable() and " " not in value:
        return value
    return value.replace(" ", "").replace("\t", "").replace("\r", "").replace("\n", "")


def words(value: str) -> tuple[str, ...]:
    """`a : b:c` -> ("a", "b", "c"): a list with colons, without blanks."""
    return tuple(compact(value).split(":")) if value else ()


def _unfolded(text: str) -> str:
    return text.replace("\r\n ", " ").replace("\r\n\t", " ").replace("\t", " ")


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise Malformed("a tag list that is not UTF-8") from None
