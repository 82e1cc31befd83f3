"""The header's rules: who, to whom, when, what, and how one leaves a list. Pure.

Standards: RFC 5322 2.1.1, 2.2, 3.6, RFC 2047, 2369, 8058. Points: `checks.catalogue.letters`. Never fails.
Limits: those of `mailsrv.message`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from checks.deliverability.known import Known
from checks.deliverability.letter import Letter
from checks.deliverability.loss import judged, untold
from checks.deliverability.target import split
from checks.finding import Finding
from mailsrv.auth.verdicts import Result
from mailsrv.message import addresses, dates, words
from mailsrv.message.addresses import Address

ONCE = ("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "in-reply-to", "references")
CROWD = 25  # addresses that everybody sees
AHEAD, BEHIND = timedelta(hours=1), timedelta(days=3)  # of a Date, when the message comes
LONGEST_LINE = 998
LONG = 150  # characters of a subject
_ID = re.compile(rb"\s*<[^<>\s@]+@([^<>\s@]+)>\s*")
_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+", re.IGNORECASE)
_POSING = re.compile(r"[^\s@<>]{1,64}@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})", re.IGNORECASE)
_REPLY = re.compile(r"(re|aw|fwd?|wg)\s*:", re.IGNORECASE)
_LEAVING = re.compile(r"\b(unsubscribe|opt[ -]out|abbestellen|abmelden|désabonner|darse de baja)\b", re.IGNORECASE)
_WITHIN = re.compile(r"<([^<>]{1,2000})>")


def findings(letter: Letter, known: Known) -> Iterator[Finding]:
    """All of them, in the order of the catalogue."""
    yield judged("from", *_from(letter))
    yield judged("date", *_date(letter, known.arrived or known.now))
    yield judged("id", *_id(letter))
    yield judged("to", *_to(letter))
    yield judged("subject", *_subject(letter))
    yield judged("once", *_once(letter))
    yield judged("header", *_raw(letter))
    yield from leaving(letter, known)


Lost = Iterator[tuple[int, str]]


def _from(letter: Letter) -> Lost:
    values = letter.head.every(b"from")
    if len(values) != 1:
        yield 20, "there is no From" if not values else f"there are {len(values)} From fields"
        return
    people = addresses.people(addresses.addresses(values[0]))
    if len(people) != 1:
        yield 10, f"From names {len(people) or 'no'} addresses"
    for person in people[:1]:
        if not _full(person):
            yield 20, f"From has no full address: {person.spec or '(empty)'}"
        posing = _POSING.search(words.text(person.name or b""))
        if posing and posing[1].lower() != _domain(person):
            yield 10, f"the name in From is another address: {posing[0]}"


def _full(person: Address) -> bool:
    return bool(person.mailbox) and _DOMAIN.fullmatch(_domain(person)) is not None


def _domain(person: Address) -> str:
    """Lower case; other letters than ASCII count as letters."""
    return re.sub(r"[^\x00-\x7f]", "x", (person.host or b"").decode("utf-8", "replace")).lower()


def _date(letter: Letter, came: datetime) -> Lost:
    values = letter.head.every(b"date")
    if len(values) != 1:
        yield 10, "there is no Date" if not values else f"there are {len(values)} Date fields"
        return
    written = dates.parse(values[0])
    if written is None:
        yield 10, "Date cannot be read"
    elif written - came > AHEAD:
        yield 7, f"Date is {_span(written - came)} in the future"
    elif came - written > BEHIND:
        yield 4, f"Date is {_span(came - written)} old"


def _span(span: timedelta) -> str:
    return f"{span.days} days" if span.days else f"{span.seconds // 60} minutes"


def _id(letter: Letter) -> Lost:
    values = letter.head.every(b"message-id")
    found = _ID.fullmatch(values[0]) if len(values) == 1 else None
    if len(values) != 1:
        yield 5, "there is no Message-ID" if not values else f"there are {len(values)} Message-ID fields"
    elif found is None:
        yield 4, "Message-ID is not of the form <token@domain>"
    elif b"." not in found[1]:
        yield 2, f"Message-ID's right side is no full domain: {found[1].decode('ascii', 'replace')}"


def _to(letter: Letter) -> Lost:
    values = [*letter.head.every(b"to"), *letter.head.every(b"cc")]
    if not values:
        yield 4, "there is neither To nor Cc"
        return
    people = [person for value in values for person in addresses.people(addresses.addresses(value))]
    if wrong := [person for person in people if not _full(person)]:
        yield 3, f"no full address: {wrong[0].spec or '(empty)'}"
    if not people:
        yield 3, "To and Cc name nobody (undisclosed recipients)"
    if len(people) > CROWD:
        yield 3, f"{len(people)} recipients see each other's address"


def _subject(letter: Letter) -> Lost:
    subject = letter.value(b"subject").strip()
    letters = [c for c in subject if c.isalpha()]
    if not subject:
        yield 5, "there is no subject"
    if len(letters) >= 10 and all(c.isupper() for c in letters):
        yield 3, "the subject is all capitals"
    if "!!" in subject or "$$" in subject:
        yield 2, "the subject shouts (!!, $$)"
    if len(subject) > LONG:
        yield 1, f"the subject has {len(subject)} characters"
    answers = letter.head.first(b"in-reply-to") or letter.head.first(b"references")
    if _REPLY.match(subject) and not answers:
        yield 2, "the subject says that it answers or forwards something, and no In-Reply-To or References says what"


def _once(letter: Letter) -> Lost:
    for name in ONCE:
        count = len(letter.head.fields.get(name.encode(), ()))
        if count > 1:
            yield 10, f"{name.title()} stands {count} times"


def _raw(letter: Letter) -> Lost:
    block = letter.content[letter.head.start : letter.head.end]
    if not letter.head.complete:
        yield 3, "the header is too large to be read whole"
    if not block.isascii():
        yield 3, "raw 8-bit characters in the header: only servers with SMTPUTF8 take it"
    if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", block):
        yield 5, "control characters in the header"
    longest = max((len(line) for line in block.split(b"\n")), default=0) - 1
    if longest > LONGEST_LINE:
        yield 3, f"a header line of {longest} octets"


# leaving a list


def leaving(letter: Letter, known: Known) -> Iterator[Finding]:
    """What is no bulk mail needs none of it."""
    value = letter.head.first(b"list-unsubscribe")
    if value is None and not bulk(letter):
        yield untold("unsubscribe", "it does not look like bulk mail")
        yield untold("one_click", "it does not look like bulk mail")
        return
    ways = _WITHIN.findall((value or b"").decode("utf-8", "replace"))
    yield judged("unsubscribe", *_ways(ways, value is not None))
    yield judged("one_click", *_one_click(letter, known, any(way.lower().startswith("https://") for way in ways)))


def bulk(letter: Letter) -> bool:
    """Whether a receiver would take it for mail to many."""
    head = letter.head
    if any(name in head.fields for name in (b"list-id", b"list-post", b"feedback-id", b"x-campaign-id")):
        return True
    if (head.first(b"precedence") or b"").lower() in (b"bulk", b"list"):
        return True
    return bool(_LEAVING.search(letter.words[-4000:]) or any(_LEAVING.search(page.text) for page in letter.pages))


def _ways(ways: list[str], there: bool) -> Lost:
    if not there:
        yield 10, "it looks like bulk mail, and has no List-Unsubscribe"
    elif not ways:
        yield 10, "List-Unsubscribe has no address in angle brackets"
    elif not any(_web(way) for way in ways):
        yield 4, "List-Unsubscribe has no https address: one-click needs one"


def _web(way: str) -> bool:
    target = split(way)
    return target is not None and target.scheme == "https" and bool(target.host)


def _one_click(letter: Letter, known: Known, web: bool) -> Lost:
    post = (letter.head.first(b"list-unsubscribe-post") or b"").replace(b" ", b"").lower()
    if not post:
        yield 5, "there is no List-Unsubscribe-Post"
    elif post != b"list-unsubscribe=one-click":
        yield 5, "List-Unsubscribe-Post is not List-Unsubscribe=One-Click"
    elif not web:
        yield 5, "List-Unsubscribe-Post without an https address in List-Unsubscribe"
    elif known.authentication is not None and not _covered(known):
        yield 3, "no signature that holds covers List-Unsubscribe and List-Unsubscribe-Post (RFC 8058 4)"


def _covered(known: Known) -> bool:
    signatures = known.authentication.dkim if known.authentication else ()
    wanted = {"list-unsubscribe", "list-unsubscribe-post"}
    return any(one.result is Result.PASS and wanted <= set(one.fields) for one in signatures)
