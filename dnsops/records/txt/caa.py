"""CAA: who may issue certificates for a name, and by which account and method; read and written. Pure.

    Caa.parse('0 issue "letsencrypt.org; accounturi=https://..."')    str(caa)    Issuer.parse(caa.value)    str(issuer)

Standards: RFC 8659 4 (the record, issue, issuewild, iodef), RFC 8657 3 and 4 (accounturi, validationmethods). draft-ietf-acme-dns-persist
(`_validation-persist` records have the value of an issue property, so they are read and written here too).
Limits: LONGEST characters, MOST_PARAMETERS parameters. Fails by: `ForUser`, with what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dnsops.base.errors import ForUser
from dnsops.records.rdata import Generic

LONGEST = 4096
MOST_PARAMETERS = 32
CRITICAL = 128  # RFC 8659 4.1: the only flag there is
ISSUE, ISSUE_WILD, IODEF = "issue", "issuewild", "iodef"
KNOWN = (ISSUE, ISSUE_WILD, IODEF)
PERSIST = "_validation-persist"  # the label below which a TXT record validates for good

_RDATA = re.compile(r'\s*([0-9]{1,3})\s+([A-Za-z0-9]{1,255})\s+(?:"((?:[^"\\]|\\.)*)"|([^\s"\\]+))\s*\Z', re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9]{3}|.)", re.DOTALL)
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_TAG = re.compile(rf"{_LABEL}\Z")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e]*\Z")
_PRINTABLE = re.compile(r"[\x20-\x7e]*\Z")


@dataclass(frozen=True, slots=True)
class Caa:
    """One record. flags: 0, or CRITICAL.  tag: in lower case.  value: as it is, without quotes."""

    flags: int
    tag: str
    value: str

    @classmethod
    def parse(cls, text: str) -> Caa:
        """`0 issue "letsencrypt.org"`: the presentation form (RFC 8659 4.1.1)."""
        found = _RDATA.match(text) if len(text) <= LONGEST else None
        if found is None or int(found[1]) > 255:
            raise ForUser(f"not a CAA record: {text[:80]!r}", "", 'write 0 issue "letsencrypt.org"')
        value = found[4] if found[3] is None else _ESCAPE.sub(_unescaped, found[3])
        return cls(int(found[1]), found[2].lower(), value)

    def __str__(self) -> str:
        if not _PRINTABLE.match(self.value):
            raise ForUser(f"not to be written as a CAA record: {self.value[:80]!r}")
        value = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'{self.flags} {self.tag} "{value}"'

    @property
    def data(self) -> Generic:
        """As rdata."""
        return Generic("CAA", str(self))

    @property
    def issuer(self) -> Issuer | None:
        """What an issue or issuewild property says; None for others, and for one that cannot be read: nobody then."""
        try:
            return Issuer.parse(self.value) if self.tag in (ISSUE, ISSUE_WILD) else None
        except ForUser:
            return None


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issue-value. domain: the authority's name, "" for nobody.  parameters: in their order, tags in lower case."""

    domain: str
    parameters: tuple[tuple[str, str], ...] = ()

    @classmethod
    def bound(cls, domain: str, account: str, methods: Iterable[str] = ()) -> Issuer:
        """For one account, "" for any, and some methods, none for any (RFC 8657 3 and 4)."""
        allowed = ",".join(methods)
        found = (("accounturi", account), ("validationmethods", allowed))
        return cls(domain, tuple((tag, value) for tag, value in found if value))

    @classmethod
    def persistent(cls, domain: str, account: str, below: bool = False) -> Issuer:
        """What validates a name for good. below: its wildcard and all names below it, too."""
        return cls(domain, (("accounturi", account), *((("policy", "wildcard"),) if below else ())))

    @classmethod
    def parse(cls, text: str) -> Issuer:
        """`letsencrypt.org; accounturi=https://...; validationmethods=dns-01`; `;` for nobody (RFC 8659 4.2)."""
        if len(text) > LONGEST:
            raise ForUser(f"an issue-value longer than {LONGEST} characters")
        domain, *parts = (part.strip(" \t") for part in text.split(";", MOST_PARAMETERS))
        if parts and not parts[-1]:
            parts.pop()
        if domain and not _DOMAIN.match(domain):
            raise ForUser(f"not the name of an authority: {domain[:80]!r}", "", "write it like letsencrypt.org")
        return cls(domain.lower(), tuple(map(_parameter, parts)))

    def __str__(self) -> str:
        written = "; ".join([self.domain, *(f"{tag}={value}" for tag, value in self.parameters)]) or ";"
        if Issuer.parse(written) != self:
            raise ForUser(f"not to be written as an issue-value: {written[:80]!r}")
        return written

    def values(self, tag: str) -> tuple[str, ...]:
        return tuple(value for name, value in self.parameters if name == tag)

    def allows(self, domain: str, account: str, method: str) -> bool:
        """Whether this authority may issue for this account by this method (RFC 8657 3 and 4).

        account, method: "" for one that nobody knows yet, which a bound record does not allow.
        """
        accounts = self.values("accounturi")
        methods = [words for value in self.values("validationmethods") for words in value.split(",")]
        # two accounturi allow nobody (RFC 8657 3)
        bound = not accounts or (len(accounts) == 1 and account == accounts[0])
        return self.domain == domain.lower() and bool(domain) and bound and (not methods or method in methods)


def permits(present: Iterable[Caa], domain: str, account: str, method: str, wildcard: bool = False) -> bool:
    """Whether a CAA RRset lets an authority issue. Without any issue property it does, unless a critical one is unknown."""
    records = list(present)
    if any(record.flags & CRITICAL and record.tag not in KNOWN for record in records):
        return False
    tags = {record.tag for record in records}
    tag = ISSUE_WILD if wildcard and ISSUE_WILD in tags else ISSUE
    deciding = [record.issuer for record in records if record.tag == tag]
    return not deciding or any(one is not None and one.allows(domain, account, method) for one in deciding)


def _parameter(text: str) -> tuple[str, str]:
    tag, equals, value = text.partition("=")
    tag, value = tag.rstrip(" \t"), value.lstrip(" \t")
    if not equals or not _TAG.match(tag) or not _VALUE.match(value):
        raise ForUser(f"not a parameter of a CAA record: {text[:80]!r}", "", "write tag=value")
    return tag.lower(), value


def _unescaped(found: re.Match[str]) -> str:
    """RFC 1035 5.1: a decimal octet, or the character itself."""
    code = found[1]
    if len(code) == 3:
        if int(code) > 255:
            raise ForUser(f"not an octet: \\{code}")
        return chr(int(code))
    return code
