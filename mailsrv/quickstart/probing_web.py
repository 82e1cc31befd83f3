"""What others' services say: the zone's holder, the certificate authority (and its clock), the registry. Touches the network.

Standards: RFC 8555 7.1.1 (directory), RFC 9110 6.6.1 (Date), RFC 9083 (RDAP).
Limits: LARGEST octets of an answer, WAIT seconds for it. Fails by: facts that say why; `OSError` for what cannot be reached.
"""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dnsops.base import clock
from dnsops.base.errors import Deliberate, ForUser, Later
from dnsops.base.printable import printable
from dnsops.base.secrets import Secret
from dnsops.providers import choose
from dnsops.providers.door import Access, Checked, Grade
from mailsrv.quickstart import facts
from mailsrv.quickstart.answers import Answers
from mailsrv.quickstart.aside import aside
from mailsrv.quickstart.probing_machine import synchronised

LARGEST = 1 << 18
WAIT = 10.0
RDAP = "https://rdap.org/domain/"  # passes us on to the registry's own server (RFC 9224)


async def holder(answers: Answers, secret: Secret | None) -> facts.Holder:
    """Whether the credential opens the zone."""
    return await aside(lambda: _opened(answers, secret))


def _opened(answers: Answers, secret: Secret | None) -> facts.Holder:
    key_file = Path(answers.credential.name) if answers.kind == "rfc2136" and answers.credential.name else None
    try:
        provider = choose.parse(answers.provider, token=secret, key_file=key_file)
        if isinstance(provider, Checked):
            return facts.Holder(answers.kind, answers.domain, remarks=_remarks(provider.check([answers.domain])))
        provider.read(answers.domain)
    except Later as error:
        return facts.Holder(answers.kind, answers.domain, str(error), later=True)
    except ForUser as error:
        return facts.Holder(answers.kind, answers.domain, error.what, error.advice)
    return facts.Holder(answers.kind, answers.domain)


def _remarks(found: Sequence[Access]) -> tuple[tuple[bool, str, str], ...]:
    """What is not as it should be."""
    odd = [one for one in found if one.grade in (Grade.LACKING, Grade.WIDE)]
    return tuple(
        (one.grade is Grade.LACKING, f"{one.zone}: {one.what}" if one.zone else one.what, one.advice) for one in odd
    )


async def authority(url: str, roots: str) -> tuple[facts.Fact, ...]:
    """Whether its directory is one, and what its clock says beside ours."""
    try:
        said, date = await aside(lambda: _fetched(url, roots))
    except (OSError, ValueError, HTTPException) as error:
        return facts.Authority(url, printable(str(error)[:200])), facts.Clock(synchronised())
    why = "" if isinstance(said, dict) and "newOrder" in said else "what is there is no ACME directory"
    offset = (clock.now().wall - date).total_seconds() if date else None
    return facts.Authority(url, why), facts.Clock(synchronised(), offset, urlsplit(url).hostname or "")


async def age(domain: str) -> facts.Age:
    """When the domain was registered, if the registry tells."""
    try:
        said, _ = await aside(lambda: _fetched(RDAP + ".".join(domain.split(".")[-2:]), ""))
    except (OSError, ValueError, HTTPException, Deliberate):
        return facts.Age(domain, None)
    registered = registration(said)
    return facts.Age(domain, (clock.now().wall - registered).days if registered else None)


def registration(said: Any) -> datetime | None:
    """The date of the event `registration` (RFC 9083 4.5)."""
    events = said.get("events") if isinstance(said, dict) else None
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict) and event.get("eventAction") == "registration":
            with suppress(ValueError, TypeError):
                found = datetime.fromisoformat(str(event.get("eventDate")))
                return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def _fetched(url: str, roots: str) -> tuple[Any, datetime | None]:
    """The JSON at an https address, and the server's date."""
    if urlsplit(url).scheme != "https":
        raise ValueError("not https")
    context = ssl.create_default_context(cafile=roots or None)
    headers = {"User-Agent": "mailsrv", "Accept": "application/json, application/rdap+json"}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - https
    with urllib.request.urlopen(request, timeout=WAIT, context=context) as answer:  # noqa: S310 - https
        body = answer.read(LARGEST + 1)
        date = answer.headers.get("Date", "")
    if len(body) > LARGEST:
        raise ValueError(f"more than {LARGEST} octets")
    try:
        said = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return said, _date(date)


def _date(text: str) -> datetime | None:
    with suppress(ValueError, TypeError):
        found = parsedate_to_datetime(text)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None
