"""What those who forwarded a message saw: the ARC chain, examined, verified, and lengthened by our own set.

    examine(content)              collects the sets, looks at their structure, hashes; no DNS
    verify(chain, now)            a flow: the newest message signature, then every seal
    seal(content, arc, ...)       our three fields, to be put above the message as it leaves

Standard: RFC 8617 4 (fields), 5.1 (sealing), 5.2 (the chain's status).
Limits: headers that are `canonical.readable`; INSTANCES sets; with more, with a gap or a double the chain has failed before anything is computed or asked.
Never fails: a broken chain is the verdict `fail`; a key that cannot be known now is `temperror`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar

from dnsops.base.flow import Flow
from dnsops.base.printable import printable
from dnsops.records.txt.tags import Malformed
from dnsops.resolve.answer import Answer, Question
from mailsrv.auth import dkim, signature
from mailsrv.auth.canonical import Fields, mentions, readable, relaxed_field
from mailsrv.auth.dkim import Trouble
from mailsrv.auth.keys import Signer
from mailsrv.auth.signature import INSTANCES, Signature
from mailsrv.auth.signing import completed, sign_for_chain, tag_lines
from mailsrv.auth.verdicts import Arc, Result, Seal
from mailsrv.message import compose
from mailsrv.message.header import unfold

RESULTS, MESSAGE, SEAL = b"arc-authentication-results", b"arc-message-signature", b"arc-seal"
NAMES, PREFIX = (RESULTS, MESSAGE, SEAL), b"arc-"
MOST_RESULTS = 8192  # characters of what a sealer says that it saw
# AAR begins with its instance, and nothing else may (RFC 8617 4.1.1)
_INSTANCE = re.compile(rb"[ \t\r\n]*+i[ \t\r\n]*+=[ \t\r\n]*+([0-9]{1,2})[ \t\r\n]*+;")


@dataclass(frozen=True, slots=True)
class Set:
    """The three fields of one instance. places: where they stand, in the order of NAMES.  digest: what its seal covers."""

    message: Signature
    seal: Signature
    results: str
    places: tuple[int, int, int]
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class Chain:
    """All sets, the oldest first. why: the chain has failed, and nothing need be asked.  digest: of the newest message."""

    sets: tuple[Set, ...] = ()
    why: str = ""
    digest: bytes = b""

    @property
    def seals(self) -> tuple[Seal, ...]:
        return tuple(Seal(one.seal.instance, one.seal.domain, one.seal.selector, one.results) for one in self.sets)

    def failed(self, why: str) -> Arc:
        return Arc(Result.FAIL, self.seals, why)


NO_CHAIN, NO_ARC = Chain(), Arc(Result.NONE)


class _Numbered(Protocol):
    @property
    def instance(self) -> int: ...


T = TypeVar("T", bound=_Numbered)


class _Broken(Exception):
    """Why it is no chain."""


def examine(content: bytes, fields: Fields | None = None) -> Chain:
    """The chain of a message, hashed where it may hold. Processor only; linear in `content`.

    fields: its header, where that has been read.
    """
    if fields is None:
        if not mentions(content, PREFIX):
            return NO_CHAIN
        if not readable(content):
            return Chain(why=dkim.TOO_LARGE)
        fields = Fields(content)
    if not any([name in fields.places for name in NAMES]):  # noqa: C419 - a list costs less than a generator
        return NO_CHAIN
    try:
        sets = _sets(fields)
    except (_Broken, Malformed) as broken:
        return Chain(why=broken.what if isinstance(broken, Malformed) else str(broken))
    if not sets:
        return Chain()
    if why := _disorder(sets):
        return Chain(sets, why)
    newest = sets[-1].message
    if newest.partial or dkim.body(content, fields, newest.relaxed_body, {}) != newest.body_hash:
        return Chain(sets, "the body is not the one that the newest set signed")
    digest = dkim.header_digest(fields, newest, sets[-1].places[1])
    return Chain(_covered(fields, sets), digest=digest)


def verify(chain: Chain, now: datetime) -> Flow[Question, Answer, Arc]:
    """RFC 8617 5.2. Older message signatures are not looked at: each later sealer has vouched for what it saw."""
    if chain.why:
        return chain.failed(chain.why)
    if not chain.sets:
        return NO_ARC
    answers: dict[str, Answer] = {}
    checks = [("message signature", chain.sets[-1].message, chain.digest)]
    checks += [("seal", one.seal, one.digest) for one in reversed(chain.sets)]
    for what, signed, digest in checks:
        if signed.key_name not in answers:
            answers[signed.key_name] = yield Question(signed.key_name, "TXT")
        trouble = _trouble(signed, digest, answers[signed.key_name], now)
        if trouble is not None:
            why = f"{what} {signed.instance}: {trouble.why}"
            return Arc(Result.TEMPERROR if trouble.result is Result.TEMPERROR else Result.FAIL, chain.seals, why)
    return Arc(Result.PASS, chain.seals)


def seal(content: bytes, arc: Arc, results: str, signer: Signer, now: datetime) -> bytes:
    """Three fields with their line ends, to be put above `content` as it is sent. `results`: as `results.Results` writes them.

    `arc` is the verdict on the chain as it came; b"" where no set may follow: it failed, or is unknown, or full.
    """
    instance = len(arc.seals) + 1
    if arc.result not in (Result.NONE, Result.PASS) or instance > INSTANCES or not readable(content):
        return b""
    fields = Fields(content)
    try:
        sets = _sets(fields)
    except (_Broken, Malformed):
        return b""
    if len(sets) != len(arc.seals):
        return b""
    said = compose.field("ARC-Authentication-Results", f"i={instance}; {results}")
    message = sign_for_chain(content, fields, instance, signer, now)
    covered = [fields.form(place, relaxed=True) for one in sets for place in one.places]
    covered += [relaxed_field(RESULTS, said.partition(b":")[2]), relaxed_field(MESSAGE, message)]
    unsigned = tag_lines(SEAL, _seal_tags(instance, signer, now))
    sealed = completed(SEAL, unsigned, b"".join(covered), signer)
    return b"ARC-Seal:%b\r\nARC-Message-Signature:%b\r\n%b" % (sealed, message, said)


def _seal_tags(instance: int, signer: Signer, now: datetime) -> list[tuple[str, str]]:
    return [
        ("i", str(instance)),
        ("a", signer.algorithm),
        ("t", str(int(now.timestamp()))),
        ("cv", "pass" if instance > 1 else "none"),
        ("d", signer.domain),
        ("s", signer.selector),
    ]


def _sets(fields: Fields) -> tuple[Set, ...]:
    """The sets in order, each whole. Raises `_Broken` or `Malformed`."""
    places = {name: fields.named(name) for name in NAMES}
    count = len(places[SEAL])
    if any(len(found) > INSTANCES for found in places.values()):
        raise _Broken(f"more than {INSTANCES} sets")
    if any(len(found) != count for found in places.values()):
        raise _Broken("a set is not whole")
    results = _by_instance([(_told(fields.value(place)), place) for place in places[RESULTS]])
    messages = _by_instance([(signature.arc_message(_tags(fields, place)), place) for place in places[MESSAGE]])
    seals = _by_instance([(signature.arc_seal(_tags(fields, place)), place) for place in places[SEAL]])
    return tuple(
        Set(message, one, said.text, (at_results, at_message, at_seal))
        for (said, at_results), (message, at_message), (one, at_seal) in zip(results, messages, seals, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """An ARC-Authentication-Results."""

    instance: int
    text: str


def _told(value: bytes) -> _Told:
    found = _INSTANCE.match(value)
    if not found or not 1 <= int(found[1]) <= INSTANCES:
        raise _Broken("an ARC-Authentication-Results without its instance")
    text = unfold(value[found.end() : found.end() + MOST_RESULTS]).decode("utf-8", "replace")
    return _Told(int(found[1]), printable(text.replace("\t", " ")))


def _by_instance(found: list[tuple[T, int]]) -> list[tuple[T, int]]:
    """From 1 on, without a gap and without a double."""
    ordered = sorted(found, key=lambda pair: pair[0].instance)
    if [one.instance for one, _ in ordered] != list(range(1, len(ordered) + 1)):
        raise _Broken("the instances are not 1 and those that follow it")
    return ordered


def _tags(fields: Fields, place: int) -> dict[str, str]:
    return signature.tag_list(fields.value(place))


def _disorder(sets: tuple[Set, ...]) -> str:
    """RFC 8617 5.2: what the seals must say, and which hash they may use."""
    for one in sets:
        instance, chain = one.seal.instance, one.seal.chain
        if chain == "fail":
            return f"seal {instance} says that the chain has failed"
        if chain != ("none" if instance == 1 else "pass"):
            return f"seal {instance} says cv={chain}"
    if any(not signed.kind for one in sets for signed in (one.seal, one.message)):
        return "an algorithm of history"
    return ""


def _covered(fields: Fields, sets: tuple[Set, ...]) -> tuple[Set, ...]:
    """RFC 8617 5.1.1: a seal covers all fields of all sets up to its own, in order, and itself without b=."""
    so_far, sealed = hashlib.sha256(), []
    for one in sets:
        for place in one.places[:2]:
            so_far.update(fields.form(place, relaxed=True))
        digest = so_far.copy()
        digest.update(fields.unsigned(one.places[2], relaxed=True))
        so_far.update(fields.form(one.places[2], relaxed=True))
        sealed.append(replace(one, digest=digest.digest()))
    return tuple(sealed)


def _trouble(signed: Signature, digest: bytes, answer: Answer, now: datetime) -> Trouble | None:
    """Why a signature of the chain does not hold; None when it does."""
    if dkim.of_another_time(signed, now):
        return Trouble(Result.FAIL, "it is of another time")
    known = dkim.public_keys(answer)
    if isinstance(known, Trouble):
        return known
    troubles = [dkim.doubt(key, signed, digest) for key in known]
    return None if None in troubles else troubles[0]
