"""The DMARC aggregate report as XML: written by the schema of RFC 9990, read in any form that is sent. Pure.

    report = parse(data)        any namespace of RFC 9990 or 7489, or none; elements of other namespaces are passed over
    written(report) -> bytes    version 1.0 in urn:ietf:params:xml:ns:dmarc-2.0, elements in the order of the schema

Standards: RFC 9990 3.1 and appendix A; RFC 7489 appendix C for what is read (pct, several SPF results, HELO's too).
A DOCTYPE is refused before the parser sees a byte of it, so there are no entities to expand or to fetch; so is UTF-16.
Limits: `limits.INFLATED` bytes, `ROWS`, `ELEMENTS`, `RESULTS` a row, `DEPTH`; texts are cut. One pass, no tree.
Fails by: `Unreadable`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.parsers import expat
from xml.sax.saxutils import escape

from mailsrv.reports import limits
from mailsrv.reports.aggregate import Aggregate, Checked, Policy, Reason, Row, Signature
from mailsrv.reports.limits import Unreadable, shortened

NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"
_KNOWN = ("", NAMESPACE, "http://dmarc.org/dmarc-xml/")  # what a root's namespace may begin with
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY", b"<!ELEMENT", b"<!ATTLIST", b"<!NOTATION")  # in this case only (XML 2.8)
_ENCODING = re.compile(rb"\s*+<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})", re.IGNORECASE)
_ONE_BYTE = {b"iso-8859-1", b"latin1", b"windows-1252", b"iso-8859-15"}
_DIGITS = re.compile(r"\+?[0-9]{1,15}")
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
PIECE = 256 << 10  # bytes
LONGEST_TOKEN = 4 * PIECE
LATEST = 253_402_300_799  # seconds: the last of the year 9999


# reading


def parse(data: bytes) -> Aggregate:
    """A report from bytes that anyone may have made."""
    if len(data) > limits.INFLATED:
        raise Unreadable("the report is too large")
    if b"\0" in data:
        raise Unreadable("the report is not in UTF-8")
    if any(declaration in data for declaration in _DECLARATIONS):
        raise Unreadable("the report declares a document type or entities: no report needs them")
    reading = _Reading()
    parser = expat.ParserCreate(_encoding(data), " ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    parser.StartDoctypeDeclHandler = reading.doctype
    try:
        _feed(parser, data)
    except expat.ExpatError as error:
        raise Unreadable(f"the report is not well-formed XML: line {error.lineno}") from None
    return reading.report()


def _feed(parser: expat.XMLParserType, data: bytes) -> None:
    """In pieces, because the parser holds the interpreter for a piece; a token of many pieces it would read again and again."""
    for start in range(0, len(data), PIECE):
        parser.Parse(data[start : start + PIECE], False)
        if start + PIECE - parser.CurrentByteIndex > LONGEST_TOKEN:
            raise Unreadable("an element of the report is too long")
    parser.Parse(b"", True)


def _encoding(data: bytes) -> str:
    """Only two, whatever is declared: a declaration must not choose how we look for a DOCTYPE."""
    declared = _ENCODING.match(data)
    return "iso-8859-1" if declared and declared[1].lower() in _ONE_BYTE else "utf-8"


# the leaves of each group; a group is closed into a value
_METADATA = ("org_name", "email", "extra_contact_info", "report_id", "generator")
_POLICY = ("domain", "p", "sp", "np", "adkim", "aspf", "discovery_method", "fo", "testing", "pct")
_LEAVES = {
    **{f"/feedback/report_metadata/{leaf}": leaf for leaf in _METADATA},
    **{f"/feedback/report_metadata/date_range/{leaf}": leaf for leaf in ("begin", "end")},
    **{f"/feedback/policy_published/{leaf}": f"policy {leaf}" for leaf in _POLICY},
    **{f"/feedback/record/row/{leaf}": leaf for leaf in ("source_ip", "count")},
    **{f"/feedback/record/row/policy_evaluated/{leaf}": leaf for leaf in ("disposition", "dkim", "spf")},
    **{f"/feedback/record/row/policy_evaluated/reason/{leaf}": f"reason {leaf}" for leaf in ("type", "comment")},
    **{f"/feedback/record/identifiers/{leaf}": leaf for leaf in ("header_from", "envelope_from", "envelope_to")},
    **{
        f"/feedback/record/auth_results/dkim/{leaf}": f"dkim {leaf}"
        for leaf in ("domain", "selector", "result", "human_result")
    },
    **{
        f"/feedback/record/auth_results/spf/{leaf}": f"spf {leaf}"
        for leaf in ("domain", "result", "scope", "human_result")
    },
}
_OF_RECORD = ("source_ip", "count", "disposition", "dkim", "spf", "header_from", "envelope_from", "envelope_to")


class _Reading:
    """What has been read so far. `found`: leaves by their name in `_LEAVES`, taken out when their group closes."""

    def __init__(self) -> None:
        self.paths = [""]
        self.namespace: str | None = None
        self.elements = 0
        self.foreign = 0  # elements of another namespace that are open, with all in them
        self.found: dict[str, str] = {}
        self.pieces: list[str] | None = None
        self.length = 0
        self.errors: list[str] = []
        self.rows: list[Row] = []
        self.results: dict[str, list[dict[str, str]]] = {"dkim": [], "spf": [], "reason": []}
        self.closers: dict[str, Callable[[], None]] = {
            "/feedback/report_metadata/error": self._error,
            "/feedback/record": self._record,
            "/feedback/record/auth_results/dkim": lambda: self._group("dkim"),
            "/feedback/record/auth_results/spf": lambda: self._group("spf"),
            "/feedback/record/row/policy_evaluated/reason": lambda: self._group("reason"),
        }

    def doctype(self, *_: object) -> None:
        raise Unreadable("the report declares a document type: no report needs one")

    def start(self, name: str, _: object) -> None:
        namespace, _, local = name.rpartition(" ")
        if self.namespace is None:
            self._root(namespace, local)
        self.elements += 1
        if self.elements > limits.ELEMENTS:
            raise Unreadable("the report has too many elements")
        self.pieces, self.length = None, 0
        if self.foreign or namespace not in (self.namespace, ""):
            self.foreign += 1
            return
        if len(self.paths) > limits.DEPTH:
            raise Unreadable("the report nests too deeply")
        path = f"{self.paths[-1]}/{local}" if len(local) < 40 else self.paths[-1] + "/?"
        self.paths.append(path)
        if path in _LEAVES or path in self.closers:
            self.pieces = []

    def text(self, data: str) -> None:
        if self.pieces is not None and not self.foreign:
            self.length += len(data)
            if self.length > limits.LONGEST_TEXT:
                raise Unreadable("an element of the report is too long")
            self.pieces.append(data)

    def end(self, _: str) -> None:
        if self.foreign:
            self.foreign -= 1
            return
        path = self.paths.pop()
        leaf = _LEAVES.get(path)
        if leaf is not None and self.pieces is not None:
            self.found.setdefault(leaf, shortened("".join(self.pieces)))
        if path in self.closers:
            self.closers[path]()
        self.pieces = None

    def report(self) -> Aggregate:
        found = self.found
        policy = Policy(*(self._word(f"policy {leaf}") for leaf in _POLICY))
        if not found.get("report_id") or not policy.domain:
            raise Unreadable("the report lacks its id or its domain")
        if not self.rows:
            raise Unreadable("the report has no rows")
        return Aggregate(
            organization=found.get("org_name", ""),
            email=found.get("email", ""),
            id=found["report_id"],
            begin=_moment(found.get("begin", "")),
            end=_moment(found.get("end", "")),
            policy=policy,
            rows=tuple(self.rows),
            contact=found.get("extra_contact_info", ""),
            errors=tuple(self.errors),
            generator=found.get("generator", ""),
        )

    def _root(self, namespace: str, local: str) -> None:
        known = namespace in _KNOWN or namespace.startswith(_KNOWN[2])
        if local != "feedback" or not known:
            raise Unreadable("this XML is no DMARC report")
        self.namespace = namespace

    def _word(self, leaf: str) -> str:
        return self.found.pop(leaf, "").lower()

    def _error(self) -> None:
        text = shortened("".join(self.pieces or ()))
        if text and len(self.errors) < limits.RESULTS:
            self.errors.append(text)

    def _group(self, name: str) -> None:
        """A signature, a check or a reason is complete."""
        prefix = name + " "
        values = {key[len(prefix) :]: self.found.pop(key) for key in list(self.found) if key.startswith(prefix)}
        if len(self.results[name]) >= limits.RESULTS:
            raise Unreadable("a row of the report has too many results")
        self.results[name].append(values)

    def _record(self) -> None:
        if len(self.rows) >= limits.ROWS:
            raise Unreadable(f"the report has more than {limits.ROWS} rows")
        values = {leaf: self.found.pop(leaf) for leaf in _OF_RECORD if leaf in self.found}
        dkim, spf, reasons = (self.results[name] for name in ("dkim", "spf", "reason"))
        self.results = {"dkim": [], "spf": [], "reason": []}
        self.rows.append(_row(values, dkim, spf, reasons))


Values = dict[str, str]


def _row(values: Values, dkim: list[Values], spf: list[Values], reasons: list[Values]) -> Row:
    envelope = values.get("envelope_from")
    return Row(
        source=_address(values.get("source_ip", "")),
        count=_count(values.get("count", "")),
        disposition=values.get("disposition", "").lower(),
        dkim=values.get("dkim", "").lower(),
        spf=values.get("spf", "").lower(),
        header_from=values.get("header_from", "").lower(),
        envelope_from=None if envelope is None else envelope.lower(),
        envelope_to=values.get("envelope_to", "").lower(),
        reasons=tuple(Reason(one.get("type", "").lower(), one.get("comment", "")) for one in reasons),
        signatures=tuple(
            Signature(
                one.get("domain", "").lower(),
                one.get("selector", ""),
                one.get("result", "").lower(),
                one.get("human_result", ""),
            )
            for one in dkim
        ),
        checks=tuple(
            Checked(
                one.get("domain", "").lower(),
                one.get("result", "").lower(),
                one.get("scope", "").lower(),
                one.get("human_result", ""),
            )
            for one in spf
        ),
    )


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Unreadable("a row of the report has no IP address") from None


def _count(text: str) -> int:
    number = int(text) if _DIGITS.fullmatch(text) else -1
    if not 0 <= number <= limits.COUNT:
        raise Unreadable("a row of the report counts nothing")
    return number


def _moment(text: str) -> datetime:
    whole = text.partition(".")[0]  # some write fractions
    seconds = int(whole) if _DIGITS.fullmatch(whole) else -1
    if not 0 <= seconds <= LATEST:
        raise Unreadable("the report does not say which time it is about")
    return datetime.fromtimestamp(seconds, UTC)


# writing


@dataclass(slots=True)
class _Page:
    """Lines of XML, indented."""

    lines: list[str] = field(default_factory=list)

    def leaf(self, depth: int, name: str, value: object, optional: bool = True) -> None:
        text = _NOT_IN_XML.sub(" ", str(value))
        if text or not optional:
            self.lines.append(f"{'  ' * depth}<{name}>{escape(text)}</{name}>")

    def open(self, depth: int, name: str) -> None:
        self.lines.append(f"{'  ' * depth}<{name}>")

    def close(self, depth: int, name: str) -> None:
        self.lines.append(f"{'  ' * depth}</{name}>")


def written(report: Aggregate) -> bytes:
    """The report as RFC 9990 has it; what that schema has no place for (pct, a second SPF result) is left out."""
    page = _Page(['<?xml version="1.0" encoding="UTF-8"?>', f'<feedback xmlns="{NAMESPACE}">'])
    page.leaf(1, "version", "1.0")
    _write_metadata(page, report)
    _write_policy(page, report.policy)
    for row in report.rows:
        _write_row(page, row)
    page.close(0, "feedback")
    return ("\n".join(page.lines) + "\n").encode()


def _write_metadata(page: _Page, report: Aggregate) -> None:
    page.open(1, "report_metadata")
    page.leaf(2, "org_name", report.organization, optional=False)
    page.leaf(2, "email", report.email, optional=False)
    page.leaf(2, "extra_contact_info", report.contact)
    page.leaf(2, "report_id", report.id, optional=False)
    page.open(2, "date_range")
    page.leaf(3, "begin", int(report.begin.timestamp()))
    page.leaf(3, "end", int(report.end.timestamp()))
    page.close(2, "date_range")
    page.leaf(2, "error", "; ".join(report.errors))
    page.leaf(2, "generator", report.generator)
    page.close(1, "report_metadata")


def _write_policy(page: _Page, policy: Policy) -> None:
    page.open(1, "policy_published")
    for leaf, value in zip(_POLICY[:-1], _values(policy), strict=True):
        page.leaf(2, leaf, value, optional=leaf not in ("domain", "p"))
    page.close(1, "policy_published")


def _values(policy: Policy) -> tuple[str, ...]:
    return (
        policy.domain, policy.p or "none", policy.sp, policy.np, policy.adkim, policy.aspf,
        policy.discovery, policy.fo, policy.testing,
    )  # fmt: skip


def _write_row(page: _Page, row: Row) -> None:
    page.open(1, "record")
    page.open(2, "row")
    page.leaf(3, "source_ip", row.source)
    page.leaf(3, "count", row.count)
    page.open(3, "policy_evaluated")
    for leaf in ("disposition", "dkim", "spf"):
        page.leaf(4, leaf, getattr(row, leaf), optional=False)
    for reason in row.reasons:
        page.open(4, "reason")
        page.leaf(5, "type", reason.type, optional=False)
        page.leaf(5, "comment", reason.comment)
        page.close(4, "reason")
    page.close(3, "policy_evaluated")
    page.close(2, "row")
    _write_identifiers(page, row)
    _write_results(page, row)
    page.close(1, "record")


def _write_identifiers(page: _Page, row: Row) -> None:
    page.open(2, "identifiers")
    page.leaf(3, "header_from", row.header_from, optional=False)
    if row.envelope_from is not None:  # empty: the null sender
        page.leaf(3, "envelope_from", row.envelope_from, optional=False)
    page.leaf(3, "envelope_to", row.envelope_to)
    page.close(2, "identifiers")


def _write_results(page: _Page, row: Row) -> None:
    page.open(2, "auth_results")
    for signature in row.signatures[: limits.RESULTS]:
        page.open(3, "dkim")
        page.leaf(4, "domain", signature.domain, optional=False)
        page.leaf(4, "selector", signature.selector, optional=False)
        page.leaf(4, "result", signature.result, optional=False)
        page.leaf(4, "human_result", signature.human)
        page.close(3, "dkim")
    for check in [one for one in row.checks if one.scope != "helo"][:1]:
        page.open(3, "spf")
        page.leaf(4, "domain", check.domain, optional=False)
        page.leaf(4, "scope", check.scope)
        page.leaf(4, "result", check.result, optional=False)
        page.leaf(4, "human_result", check.human)
        page.close(3, "spf")
    page.close(2, "auth_results")
