"""SPF's record: `v=spf1 ip4:192.0.2.0/24 mx -all`, read and written; what it means for a message is checked elsewhere. Pure.

Standard: RFC 7208 12 (grammar), 4.6.4 (terms that cost a look-up), 5 and 6 (mechanisms and modifiers), 7.1 (macros).
Limits: LONGEST octets, MOST_TERMS terms. Fails by: `ForUser`, naming the term that is none.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from dnsops.base.errors import ForUser

LONGEST = 8192  # octets; RFC 7208 3.4 recommends to stay below 512
MOST_TERMS = 500
MOST_LOOKUPS = 10  # RFC 7208 4.6.4
LONGEST_DOMAIN_SPEC = 255

QUALIFIERS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
ASKING = frozenset(("include", "a", "mx", "ptr", "exists", "redirect"))  # terms that cost a look-up

_BEGINNING = re.compile(r"v=spf1(?= |$)", re.IGNORECASE)
_PRINTABLE = re.compile(r"[ -~]*+\Z")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*+)=(.*)\Z")
_MECHANISM = re.compile(r"([+?~-]?)([A-Za-z0-9]++)(.*)\Z")
_LENGTHS = re.compile(r"(?:/(0|[1-9][0-9]?))?(?://(0|[1-9][0-9]{0,2}))?\Z")
_EXPAND = r"%(?:\{[SLODIPHCRTV][0-9]{0,100}+r?[-.+,/_=]*+\}|[%_-])"
_MACRO_STRING = re.compile(rf"(?:{_EXPAND}|[!-$&-~])*+\Z", re.IGNORECASE)
_ENDS_IN_MACRO = re.compile(rf"{_EXPAND}\Z", re.IGNORECASE)
_TOP_LABEL = re.compile(r"\.(?=[A-Za-z0-9-]*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.?\Z")
_LETTERS = re.compile(r"%(?:[%_-]|\{([A-Za-z])([0-9]*+))")
_FOR_EXPLANATIONS = frozenset("crt")


@dataclass(frozen=True, slots=True)
class Mechanism:
    """`-ip4:192.0.2.0/24`. value: a domain-spec or an address, "" for none.  bits4, bits6: prefix lengths, None for all."""

    name: str
    value: str = ""
    bits4: int | None = None
    bits6: int | None = None
    qualifier: str = "+"

    def __str__(self) -> str:
        sign = "" if self.qualifier == "+" else self.qualifier
        value = f":{self.value}" if self.value else ""
        single = "/" if self.name == "ip6" else "//"
        bits = "" if self.bits4 is None else f"/{self.bits4}"
        return f"{sign}{self.name}{value}{bits}" + ("" if self.bits6 is None else f"{single}{self.bits6}")


@dataclass(frozen=True, slots=True)
class Modifier:
    """`redirect=_spf.example.org`."""

    name: str
    value: str

    def __str__(self) -> str:
        return f"{self.name}={self.value}"


Term: TypeAlias = Mechanism | Modifier


@dataclass(frozen=True, slots=True)
class Spf:
    """A whole record, its terms in their order."""

    terms: tuple[Term, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Spf:
        """`v=spf1 mx -all` -> its terms. Names in lower case, domains as they stand (macro letters mean two things)."""
        start = _BEGINNING.match(text[:8])
        if start is None:
            raise ForUser(f"not an SPF record: {text[:40]!r}", "", "it begins with v=spf1 and a blank")
        if len(text) > LONGEST or not _PRINTABLE.match(text):
            raise ForUser(f"an SPF record of more than {LONGEST} octets, or with others than printable ASCII")
        words = [word for word in text[6:].split(" ") if word]
        if len(words) > MOST_TERMS:
            raise ForUser(f"an SPF record of more than {MOST_TERMS} terms")
        terms = tuple(map(_term, words))
        for name in ("redirect", "exp"):
            if sum(isinstance(term, Modifier) and term.name == name for term in terms) > 1:
                raise ForUser(f"two {name}= in one SPF record", "", "keep one")
        return cls(terms)

    def __str__(self) -> str:
        return " ".join(["v=spf1", *map(str, self.terms)])

    @property
    def lookups(self) -> int:
        """How many of its own terms cost a look-up; those that it includes come on top (RFC 7208 4.6.4)."""
        return sum(term.name in ASKING for term in self.terms)

    @property
    def ending(self) -> Mechanism | None:
        """Its `all`, behind which nothing is looked at."""
        return next((term for term in self.terms if isinstance(term, Mechanism) and term.name == "all"), None)

    def joined(self, wanted: Iterable[Mechanism]) -> Spf:
        """With these too, before its `all`; itself when none is missing. A domain has one record, so records are merged."""
        missing = [one for one in wanted if one not in self.terms]
        if not missing:
            return self
        place = self.terms.index(self.ending) if self.ending else len(self.terms)
        return Spf((*self.terms[:place], *missing, *self.terms[place:]))


def is_spf(text: str) -> bool:
    """Whether a TXT record is meant as an SPF record (RFC 7208 4.5)."""
    return _BEGINNING.match(text[:8]) is not None


def _term(word: str) -> Term:
    modifier = _MODIFIER.match(word)
    if modifier:
        return _modifier(modifier[1].lower(), modifier[2], word)
    found = _MECHANISM.match(word)
    reader = _READERS.get(found[2].lower()) if found else None
    if found is None or reader is None:
        raise _none(word)
    return reader(found[1] or "+", found[2].lower(), found[3], word)


def _modifier(name: str, value: str, word: str) -> Modifier:
    if name in ("redirect", "exp"):
        return Modifier(name, _domain(value, word))
    if not _macros(value):
        raise _none(word)
    return Modifier(name, value)


def _all(qualifier: str, name: str, rest: str, word: str) -> Mechanism:
    if rest:
        raise _none(word)
    return Mechanism(name, qualifier=qualifier)


def _named(qualifier: str, name: str, rest: str, word: str) -> Mechanism:
    """include, exists, and ptr, which may stand alone."""
    if not rest and name == "ptr":
        return Mechanism(name, qualifier=qualifier)
    if rest[:1] != ":":
        raise _none(word)
    return Mechanism(name, _domain(rest[1:], word), qualifier=qualifier)


def _hosts(qualifier: str, name: str, rest: str, word: str) -> Mechanism:
    """a, mx: a domain, or none, and prefix lengths; only an end of digits is a length, for "/" may stand in a domain-spec."""
    lengths = _LENGTHS.search(rest)
    if lengths is None or (rest[:1] not in (":", "") and lengths.start()):
        raise _none(word)
    bits4, bits6 = _bits(lengths[1], 32, word), _bits(lengths[2], 128, word)
    value = rest[: lengths.start()]
    return Mechanism(name, _domain(value[1:], word) if value else "", bits4, bits6, qualifier)


def _network(qualifier: str, name: str, rest: str, word: str) -> Mechanism:
    """ip4, ip6."""
    value, slash, length = rest[1:].partition("/")
    most, kind = (32, ipaddress.IPv4Address) if name == "ip4" else (128, ipaddress.IPv6Address)
    bits = _bits(length, most, word) if slash else None
    try:
        if rest[:1] != ":" or "%" in value or (slash and bits is None):
            raise _none(word)
        kind(value)
    except ValueError:
        raise _none(word) from None
    return (
        Mechanism(name, value, bits, qualifier=qualifier)
        if name == "ip4"
        else Mechanism(name, value, None, bits, qualifier)
    )


_READERS = {
    "all": _all,
    "include": _named,
    "exists": _named,
    "ptr": _named,
    "a": _hosts,
    "mx": _hosts,
    "ip4": _network,
    "ip6": _network,
}


def _bits(digits: str | None, most: int, word: str) -> int | None:
    if not digits:
        return None
    if not digits.isdigit() or len(digits) > 3 or int(digits) > most or (digits[0] == "0" and digits != "0"):
        raise _none(word)
    return int(digits)


def _domain(text: str, word: str) -> str:
    """A domain-spec: macros, and at its end a macro or a top label (RFC 7208 7.1)."""
    if not text or len(text) > LONGEST_DOMAIN_SPEC or not _macros(text):
        raise _none(word)
    if "%" not in text and not all(0 < len(label) <= 63 for label in text.removesuffix(".").split(".")):
        raise _none(word)
    if not _ENDS_IN_MACRO.search(text) and not _TOP_LABEL.search(text):
        raise ForUser(f"{word[:80]}: not a full domain name", "", "write it with its top-level domain")
    return text


def _macros(text: str) -> bool:
    """Whether these are macros that a record may have; c, r and t belong into explanations."""
    found = _LETTERS.findall(text)
    return bool(_MACRO_STRING.match(text)) and not any(
        letter and (letter.lower() in _FOR_EXPLANATIONS or (digits and not int(digits))) for letter, digits in found
    )


def _none(word: str) -> ForUser:
    return ForUser(f"not a term of an SPF record: {word[:80]!r}")
