"""The TLS report as values and as JSON: written by RFC 8460, read with a limit on everything. Pure.

    report = parse(data)          written(report) -> bytes

Standards: RFC 8460 4.4 (the members), RFC 7493 (I-JSON: no member twice, no NaN), RFC 3339 (moments).
Limits: `limits.JSON` bytes, `DEPTH`, `BRACKETS`, `POLICIES`, `DETAILS`, `STRINGS`, numbers of 15 digits; texts are cut, unknown members ignored.
Fails by: `Unreadable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

from mailsrv.reports import limits
from mailsrv.reports.limits import Unreadable, shortened

_DIGITS = re.compile(r"[0-9]{1,15}")
_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d{1,9})?([Zz]|[+-]\d\d:?\d\d)?")

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Failure:
    """So many sessions that failed in one way (RFC 8460 4.3, 4.4); "" for what was not said."""

    type: str
    count: int
    sending_ip: str = ""
    mx: str = ""
    helo: str = ""
    receiving_ip: str = ""
    information: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """One policy and what came of it. type: tlsa, sts, no-policy-found.  strings: its records or lines.  mx_hosts: patterns of STS."""

    type: str
    domain: str
    successes: int
    failures: int
    strings: tuple[str, ...] = ()
    mx_hosts: tuple[str, ...] = ()
    details: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class TlsReport:
    """One report: who made it, for which span of time (UTC, whole seconds), policy by policy."""

    organization: str
    contact: str
    id: str
    begin: datetime
    end: datetime
    policies: tuple[Applied, ...]

    @property
    def sessions(self) -> int:
        return sum(policy.successes + policy.failures for policy in self.policies)

    @property
    def failed(self) -> int:
        return sum(policy.failures for policy in self.policies)


# reading


def parse(data: bytes) -> TlsReport:
    """A report from bytes that anyone may have made."""
    whole = _object(_loaded(data))
    span = _object(whole.get("date-range"))
    policies = [_policy(_object(one)) for one in _list(whole.get("policies"), limits.POLICIES)]
    if sum(len(policy.details) for policy in policies) > limits.DETAILS:
        raise Unreadable(f"the report has more than {limits.DETAILS} failures")
    identifier = _text(whole.get("report-id"))
    if not identifier or not policies:
        raise Unreadable("the report lacks its id or its policies")
    return TlsReport(
        organization=_text(whole.get("organization-name")),
        contact=_text(whole.get("contact-info")),
        id=identifier,
        begin=_moment(span.get("start-datetime")),
        end=_moment(span.get("end-datetime")),
        policies=tuple(policies),
    )


def _loaded(data: bytes) -> object:
    if len(data) > limits.JSON:
        raise Unreadable("the report is too large")
    _check_brackets(data)
    try:
        text = data.decode("utf-8-sig")
        return json.loads(
            text, object_pairs_hook=_members, parse_int=_number, parse_float=_fraction, parse_constant=_no_number
        )
    except UnicodeDecodeError:
        raise Unreadable("the report is not in UTF-8") from None
    except (ValueError, RecursionError):
        raise Unreadable("the report is not JSON") from None


def _check_brackets(data: bytes) -> None:
    """How many there are, and how deeply they stand in one another; those in strings aside. Before anything is built."""
    depth = count = 0
    for found in _BRACKET.finditer(data):
        match data[found.start()]:
            case 0x5B | 0x7B:  # [ {
                depth, count = depth + 1, count + 1
            case 0x5D | 0x7D:
                depth -= 1
        if depth > limits.DEPTH or count > limits.BRACKETS:
            raise Unreadable("the report nests too deeply, or has too many parts")


def _members(pairs: list[tuple[str, object]]) -> Json:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("the report has a member twice")
    return made


def _number(text: str) -> int:
    if len(text) > 16:
        raise Unreadable("the report has a number that is too large")
    return int(text)


def _fraction(text: str) -> float:
    if len(text) > 40:
        raise Unreadable("the report has a number that is too long")
    return float(text)


def _no_number(text: str) -> NoReturn:
    raise Unreadable(f"the report has {text} for a number")


def _policy(one: Json) -> Applied:
    policy, summary = _object(one.get("policy")), _object(one.get("summary", {}))
    return Applied(
        type=_text(policy.get("policy-type")).lower(),
        domain=_text(policy.get("policy-domain")).lower().removesuffix("."),
        successes=_count(summary.get("total-successful-session-count", 0)),
        failures=_count(summary.get("total-failure-session-count", 0)),
        strings=_texts(policy.get("policy-string")),
        mx_hosts=_texts(policy.get("mx-host")),
        details=tuple(_failure(_object(each)) for each in _list(one.get("failure-details", []), limits.DETAILS)),
    )


def _failure(one: Json) -> Failure:
    return Failure(
        type=_text(one.get("result-type")).lower(),
        count=_count(one.get("failed-session-count", 0)),
        sending_ip=_text(one.get("sending-mta-ip")),
        mx=_text(one.get("receiving-mx-hostname")).lower(),
        helo=_text(one.get("receiving-mx-helo")),
        receiving_ip=_text(one.get("receiving-ip")),
        information=_text(one.get("additional-information")),
        code=_text(one.get("failure-reason-code")),
    )


def _object(value: object) -> Json:
    if not isinstance(value, dict):
        raise Unreadable("the report lacks a part that every report has")
    return value


def _list(value: object, most: int) -> Sequence[object]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > most:
        raise Unreadable("a list of the report is none, or too long")
    return value


def _text(value: object) -> str:
    return shortened(value) if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    """An array of strings; one string alone is what RFC 8460 4.4 shows for mx-host, and some write."""
    several = [value] if isinstance(value, str) else _list(value, limits.STRINGS)
    return tuple(text for each in several if (text := _text(each)))


def _count(value: object) -> int:
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limits.COUNT:
        raise Unreadable("the report has a count that is none")
    return value


def _moment(value: object) -> datetime:
    """RFC 3339, and what comes close; without an offset it is UTC."""
    found = _MOMENT.fullmatch(_text(value))
    try:
        if found is None:
            raise ValueError
        zone = found[3] if found[3] and found[3] not in "Zz" else "+00:00"
        return datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable("the report does not say which time it is about") from None


# writing


def written(report: TlsReport) -> bytes:
    """The report as RFC 8460 4.4 has it; what was not said is left out."""
    document = {
        "organization-name": report.organization,
        "date-range": {"start-datetime": _said(report.begin), "end-datetime": _said(report.end)},
        "contact-info": report.contact,
        "report-id": report.id,
        "policies": [_written_policy(policy) for policy in report.policies],
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _said(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _written_policy(policy: Applied) -> Json:
    said = {
        "policy-type": policy.type,
        "policy-string": list(policy.strings),
        "policy-domain": policy.domain,
        "mx-host": list(policy.mx_hosts),
    }
    summary = {"total-successful-session-count": policy.successes, "total-failure-session-count": policy.failures}
    document: Json = {"policy": {key: value for key, value in said.items() if value}, "summary": summary}
    if policy.details:
        document["failure-details"] = [_written_failure(failure) for failure in policy.details]
    return document


def _written_failure(failure: Failure) -> Json:
    said = {
        "result-type": failure.type,
        "sending-mta-ip": failure.sending_ip,
        "receiving-mx-hostname": failure.mx,
        "receiving-mx-helo": failure.helo,
        "receiving-ip": failure.receiving_ip,
        "failed-session-count": failure.count,
        "additional-information": failure.information,
        "failure-reason-code": failure.code,
    }
    return {key: value for key, value in said.items() if value != ""}
