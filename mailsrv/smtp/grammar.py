"""The addresses of MAIL FROM and RCPT TO: strict, read once, with one meaning. Pure.

    <@relay.test:"a.b"@Example.ORG>   ->  Address("a.b", "example.org"), and what stands behind the bracket

Standards: RFC 5321 4.1.2 (paths), 4.1.3 (address literals), 4.5.3.1 (lengths); RFC 6531 3.3 (UTF-8).
Source routes are read and dropped (RFC 5321 3.3). Nothing is guessed: no comments, no missing brackets, no full-width letters.
Limits: local part 64 octets, domain 255, path 256. Fails by: `Refused`.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from mailsrv.smtp.replies import BAD_PATH, BAD_RECIPIENT, BAD_SENDER, NULL_RECIPIENT, UTF8_UNASKED, Refused, Reply

LONGEST_LOCAL, LONGEST_DOMAIN, LONGEST_PATH = 64, 255, 256  # octets
LONGEST_LABEL = 63

_TEXT = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-"
_LABEL = r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9\x80-\U0010ffff-]*[A-Za-z0-9\x80-\U0010ffff])?"
_DOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_DOT_STRING = rf"[{_TEXT}]+(?:\.[{_TEXT}]+)*"
_QUOTED = r'"(?:[ !#-\[\]-~\x80-\U0010ffff]|\\[ -~])*"'
_PATH = re.compile(
    rf"<(?:@{_DOMAIN}(?:,@{_DOMAIN})*:)?(?P<local>{_DOT_STRING}|{_QUOTED})@(?P<domain>{_DOMAIN}|\[[^\]\\\[\s]+\])>"
)
_DOT_STRING_ONLY = re.compile(_DOT_STRING)
_ROUTED = re.compile(r"[%!@/|:]|\.\.|\\")
_BY_CONTEXT = "\u00b7\u0375\u05f3\u05f4\u30fb"  # RFC 5892 A.3-A.7
# a NUL, a control, a surrogate, an invisible mark, a blank of another alphabet: never part of an address
_NEVER = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox as the envelope names it. `local` is unquoted and keeps its case; `domain` is in lower case.

    A bare `postmaster` (RFC 5321 4.5.1) has no domain; an address literal keeps its brackets.
    """

    local: str
    domain: str

    def __str__(self) -> str:
        return _written(self.local, self.domain)

    @property
    def routed(self) -> bool:
        """Whether the local part could mean a way to someone else: % ! @ / | : and dots, as relays once read it."""
        return _ROUTED.search(self.local) is not None

    @property
    def literal(self) -> bool:
        return self.domain.startswith("[")

    @property
    def ascii(self) -> bool:
        return self.local.isascii() and self.domain.isascii()


def reverse_path(text: str, utf8: bool = True) -> tuple[Address | None, str]:
    """MAIL FROM's path (None: the null sender) and the parameters behind it."""
    text = text.lstrip(" ")
    if text[:2] == "<>" and text[2:3] in ("", " "):
        return None, text[3:]
    return _path(text, BAD_SENDER, utf8)


def forward_path(text: str, utf8: bool = True) -> tuple[Address, str]:
    """RCPT TO's path and the parameters behind it."""
    text = text.lstrip(" ")
    if text[:12].lower() == "<postmaster>" and text[12:13] in ("", " "):
        return Address(text[1:11], ""), text[13:]
    if text[:2] == "<>":
        raise Refused(NULL_RECIPIENT)
    return _path(text, BAD_RECIPIENT, utf8)


def address(text: str) -> Address | None:
    """`local@domain` without brackets, or None (AUTH=, ORCPT)."""
    try:
        return _parsed(f"<{text}>", BAD_PATH)
    except Refused:
        return None


def _path(text: str, malformed: Reply, utf8: bool) -> tuple[Address, str]:
    if text[:1] != "<":
        raise Refused(BAD_PATH)
    end = _closing(text)
    if end < 0 or text[end + 1 : end + 2] not in ("", " "):
        raise Refused(malformed)
    found = _parsed(text[: end + 1], malformed)
    if not utf8 and not found.ascii:
        raise Refused(UTF8_UNASKED)
    return found, text[end + 2 :]


def _closing(text: str) -> int:
    """Where the path ends: the first > that is not in a quoted string."""
    if '"' not in text:
        return text.find(">")
    quoted, at = False, 1
    while at < len(text):
        char = text[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == ">" and not quoted:
            return at
        at += 1
    return -1


@lru_cache(maxsize=4096)
def _parsed(path: str, malformed: Reply) -> Address:
    found = _PATH.fullmatch(path) if len(path) <= LONGEST_PATH * 2 else None
    if found is None or len(path.encode(errors="replace")) > LONGEST_PATH:
        raise Refused(malformed)
    local, domain = _unquoted(found["local"]), _domain(found["domain"])
    if domain is None or not local or not _visible(local) or len(local.encode()) > LONGEST_LOCAL:
        raise Refused(malformed)
    return Address(local, domain)


def _domain(text: str) -> str | None:
    """In lower case; None when it is none."""
    if text.startswith("["):
        return _literal(text[1:-1])
    text = text.lower()
    if not text.isascii() and not _plain_unicode(text):
        return None
    labels = text.split(".")
    too_long = len(text.encode()) > LONGEST_DOMAIN or any(len(label.encode()) > LONGEST_LABEL for label in labels)
    # an IPv4 address without its brackets is no domain: no top-level domain is a number
    return None if too_long or labels[-1].isdigit() else text


def _plain_unicode(domain: str) -> bool:
    """Whether a U-label means nothing but itself: composed, no full-width or other compatibility form, no second kind of dot.

    RFC 5892: letters, marks, digits, and a few by context; RFC 5894 4.2.
    """
    fit = all(unicodedata.category(char)[0] in "LMN" or char in _BY_CONTEXT for char in domain if char > "~")
    return fit and unicodedata.normalize("NFKC", domain) == domain


def _visible(text: str) -> bool:
    return text.isascii() or not any(unicodedata.category(char) in _NEVER for char in text if char > "~")


def _literal(text: str) -> str | None:
    """RFC 5321 4.1.3; no General-address-literal has ever been registered."""
    try:
        if text[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(text[5:])}]" if "%" not in text else None
        return f"[{ipaddress.IPv4Address(text)}]"
    except ValueError:
        return None


def _unquoted(local: str) -> str:
    return re.sub(r"\\(.)", r"\1", local[1:-1]) if local.startswith('"') else local


@lru_cache(4096)
def _written(local: str, domain: str) -> str:
    if not domain:
        return local
    return f"{local if _DOT_STRING_ONLY.fullmatch(local) else _quoted(local)}@{domain}"


def _quoted(local: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", local) + '"'


# a host name, or what clients write for one: underscores, an IPv6 address without its tag
_HELO = re.compile(r"[A-Za-z0-9_.:\[\]-]{1,255}")


def helo_name(text: str) -> str | None:
    """The name behind HELO or EHLO, or None. It proves nothing, so more is taken than RFC 5321 4.1.1.1 allows."""
    text = text.strip(" ")
    return text if _HELO.fullmatch(text) else None
