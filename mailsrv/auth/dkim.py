"""Whose signatures a message carries, and which of them hold: examine, ask for the keys, check.

    examine(content)    reads and hashes; no DNS; for a large message in a thread
    verify(signed, now) a flow: asks for each key once, and says what every signature is worth
    check(...)          one signature against one answer

Standards: RFC 6376 6.1, RFC 8463, RFC 8301, RFC 8601 2.7.1 (the words). DKIM2, should it come, is a room beside this one.
Policy: l= never passes, whatever it covers; rsa-sha1 and RSA below 1024 bits neither; 1024 bits pass and `bits` tells.
Limits: headers that are `canonical.readable`; MOST_SIGNATURES are tried, the author's domain and distinct ones first; MOST_KEYS records of one name.
Never fails: what is wrong with a signature is a verdict. What the DNS cannot tell now is temperror.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from dnsops.base.flow import Flow
from dnsops.records import names
from dnsops.records.txt.tags import Malformed
from dnsops.resolve.answer import Answer, Question, Security
from mailsrv.auth import keys, signature
from mailsrv.auth.canonical import Fields, body_hash, mentions, readable
from mailsrv.auth.keys import PublicKey
from mailsrv.auth.signature import HISTORIC, Signature
from mailsrv.auth.verdicts import Dkim, Result
from mailsrv.message.addresses import addresses
from mailsrv.message.header import unfold

NAME = b"dkim-signature"
MOST_SIGNATURES = 10  # S-AUTHN-02
MOST_READ = 100  # of a message that has more
MOST_KEYS = 4
TOO_LARGE = "the header is too large to be looked at"
AHEAD = timedelta(hours=14)  # clocks that show local time as UTC are this much ahead, and no more


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature as far as the message alone tells. signature: None when the verdict is final already."""

    verdict: Dkim
    signature: Signature | None = None
    digest: bytes = b""


def top_level(domain: str) -> bool:
    """A domain under which others register. Who has the public suffix list hands its answer in instead."""
    return "." not in domain


def examine(
    content: bytes, public: Callable[[str], bool] = top_level, fields: Fields | None = None
) -> tuple[Signed, ...]:
    """The signatures of a message, from the top, hashed and compared with the body. Processor only; linear in `content`.

    fields: its header, where that has been read.
    """
    if fields is None:
        if not mentions(content, NAME):
            return ()
        if not readable(content):
            return (Signed(Dkim(Result.POLICY, why=TOO_LARGE)),)
        fields = Fields(content)
    hashed: dict[bool, bytes] = {}
    return tuple(_examined(content, fields, place, hashed, public) for place in _tried(fields))


def verify(signatures: Sequence[Signed], now: datetime) -> Flow[Question, Answer, tuple[Dkim, ...]]:
    """What each signature is worth; each key is asked for once."""
    answers: dict[str, Answer] = {}
    found = []
    for one in signatures:
        verdict = one.verdict
        if one.signature is None:
            pass
        elif trouble := of_another_time(one.signature, now):
            verdict = replace(verdict, result=trouble.result, why=trouble.why)
        else:
            name = one.signature.key_name
            if name not in answers:
                answers[name] = yield Question(name, "TXT")
            verdict = check(one, answers[name])
        found.append(verdict)
    return tuple(found)


def check(one: Signed, answer: Answer) -> Dkim:
    """A signature of which the message tells nothing bad, against its key."""
    if one.signature is None:
        return one.verdict
    known = public_keys(answer)
    if isinstance(known, Trouble):
        return replace(one.verdict, result=known.result, why=known.why)
    verdicts = [_by_key(one.verdict, one.signature, one.digest, key) for key in known]
    return next((verdict for verdict in verdicts if verdict.result is Result.PASS), verdicts[0])


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no key."""

    result: Result
    why: str


def public_keys(answer: Answer) -> list[PublicKey] | Trouble:
    """The keys at a name; there should be one (RFC 6376 3.6.2.2)."""
    if answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN"):
        return Trouble(Result.TEMPERROR, f"the key cannot be known now: {answer.why or answer.rcode}")
    if len(answer.items) == 1:
        known = keys.public_key(str(next(iter(answer.items))))
        return [known] if isinstance(known, PublicKey) else Trouble(Result.PERMERROR, known)
    found = [keys.public_key(text) for text in sorted(map(str, answer.items))[:MOST_KEYS]]
    usable = [key for key in found if isinstance(key, PublicKey)]
    if usable:
        return usable
    return Trouble(Result.PERMERROR, next((why for why in found if isinstance(why, str)), "there is no key"))


def doubt(key: PublicKey, signed: Signature, digest: bytes) -> Trouble | None:
    """Why this signature does not hold by this key; None when it does."""
    if why := _misfit(key, signed):
        return Trouble(Result.PERMERROR, why)
    if key.flaw:
        weak = key.bits < keys.RSA_BITS.start
        return Trouble(Result.POLICY if weak else Result.PERMERROR, key.flaw)
    if not key.verifies(signed.octets, digest):
        return Trouble(Result.FAIL, "the signature is not that of this header")
    return None


def of_another_time(signed: Signature, now: datetime) -> Trouble | None:
    """Why a signature does not count now, or not yet."""
    seconds = now.timestamp()
    if signed.expires is not None and signed.expires < seconds:
        return Trouble(Result.FAIL, "the signature has expired")
    if signed.signed is not None and signed.signed > seconds + AHEAD.total_seconds():
        return Trouble(Result.PERMERROR, "the signature is of the future")
    return None


def _misfit(key: PublicKey, signed: Signature) -> str:
    """Why this key is not for that signature, or ""."""
    record = key.record
    if record.kind != signed.kind:
        return "the key is of another kind than the signature"
    if not record.allows("sha256"):
        return "the key is not for sha256"
    if not record.for_mail:
        return "the key is not for mail"
    if record.exact and signed.identity and signed.identity.rpartition("@")[2] != signed.domain:
        return "the key says t=s, and i= is of a domain below d="
    return ""


def _by_key(verdict: Dkim, signed: Signature, digest: bytes, key: PublicKey) -> Dkim:
    trouble = doubt(key, signed, digest)
    result, why = (trouble.result, trouble.why) if trouble else (Result.PASS, "")
    # as `replace` would have it, which looks through all fields for each message
    return Dkim(
        result, verdict.domain, verdict.selector, verdict.identity, verdict.algorithm, key.bits, verdict.b,
        key.record.testing, verdict.fields, why,
    )  # fmt: skip


def _tried(fields: Fields) -> list[int]:
    """Which signatures: all, and of too many those of the author's domain and of distinct signers first."""
    places = fields.named(NAME)
    if len(places) <= MOST_SIGNATURES:
        return places
    authors = _authors(fields)
    seen: set[tuple[str, str, str]] = set()
    ranked = []
    for place in places[:MOST_READ]:
        told = _said(fields.value(place))
        signer = (told.domain.lower(), told.selector.lower(), told.algorithm)
        aligned = any(names.under(author, signer[0]) or names.under(signer[0], author) for author in authors)
        ranked.append((signer in seen, not (aligned and signer[0]), place))
        seen.add(signer)
    return sorted(place for _, _, place in sorted(ranked)[:MOST_SIGNATURES])


def _said(value: bytes) -> signature.Said:
    try:
        return signature.said(signature.tag_list(value))
    except Malformed:
        return signature.Said()


def _authors(fields: Fields) -> set[str]:
    """The domains of From."""
    found: Iterable[bytes] = (unfold(fields.value(place)) for place in fields.named(b"from")[:1])
    return {
        address.host.decode("ascii", "replace").lower()
        for value in found
        for address in addresses(value, most=MOST_SIGNATURES)
        if address.host
    }


def _examined(
    content: bytes, fields: Fields, place: int, hashed: dict[bool, bytes], public: Callable[[str], bool]
) -> Signed:
    try:
        found = signature.tag_list(fields.value(place))
    except Malformed as malformed:
        return Signed(Dkim(Result.PERMERROR, why=malformed.what))
    try:
        read = signature.dkim(found)
    except Malformed as malformed:
        told = signature.said(found)
        return Signed(
            Dkim(
                Result.PERMERROR,
                told.domain,
                told.selector,
                told.identity,
                told.algorithm,
                b=told.b,
                why=malformed.what,
            )
        )
    b, names_ = signature.first_of_b(found), _shown(read.fields)
    verdict = Dkim(Result.NONE, read.domain, read.selector, read.identity, read.algorithm, b=b, fields=names_)
    if (refused := _refused(read, public)) is not None:
        return Signed(replace(verdict, result=refused.result, why=refused.why))
    if body(content, fields, read.relaxed_body, hashed) != read.body_hash:
        return Signed(replace(verdict, result=Result.FAIL, why="the body is not the one that was signed"))
    return Signed(verdict, read, header_digest(fields, read, place))


@lru_cache(256)
def _shown(fields: tuple[bytes, ...]) -> tuple[str, ...]:
    """As text. A few mailers' lists are in most mail."""
    return tuple(name.decode() for name in fields)


def _refused(read: Signature, public: Callable[[str], bool]) -> Trouble | None:
    if read.algorithm == HISTORIC:
        return Trouble(Result.POLICY, "rsa-sha1 proves nothing (RFC 8301)")
    if read.partial:
        return Trouble(Result.POLICY, "l= lets anyone add to the body")
    if public(read.domain):
        return Trouble(Result.PERMERROR, "d= is a public suffix")
    return None


def body(content: bytes, fields: Fields, relaxed: bool, hashed: dict[bool, bytes]) -> bytes:
    """The body's hash, made once for each form."""
    if relaxed not in hashed:
        hashed[relaxed] = body_hash(content, fields.body, relaxed)
    return hashed[relaxed]


def header_digest(fields: Fields, read: Signature, place: int) -> bytes:
    """SHA-256 of the fields that are signed, and of the signature's own without its b= (RFC 6376 3.7)."""
    digest = hashlib.sha256()
    relaxed = read.relaxed_header
    digest.update(fields.chosen(read.fields, relaxed))
    digest.update(fields.unsigned(place, relaxed))
    return digest.digest()
