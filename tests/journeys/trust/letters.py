"""500 messages, real ones under signatures of every kind, and what may befall them on the way. Deterministic.

A message is a real one, given a shape (empty, long lines, 8-bit), an author, a signature, and then an accident.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import dkim

from mailsrv.auth.arc import seal
from mailsrv.auth.signing import sign
from mailsrv.auth.verdicts import Arc, Result, Seal
from tests.journeys.trust.published import KEYED, ODD_POLICIES, ODD_SENDERS, POLICIES, SENDERS, signer
from tests.lab.dnstree import zone_of
from tests.mailsrv.auth.signers import pem, signed_by_hand

LARGEST = 40_000  # octets of a message that is taken
UNSHAPED, USUAL, ALIGNED, SENT_BY_SOMEBODY = 0.6, 0.8, 0.3, 0.95  # how often
CLIENTS = ("192.0.2.25", "198.51.100.25", "203.0.113.7", "2001:db8::25")
HELO = "mx1.example.org"
_FROM = re.compile(rb"(?im)^(?:from|sender|resent-from|dkim-signature)[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*")
_SUBJECT = rb"(?im)^Subject[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*"

Shape = Callable[[bytes], bytes]
Signing = Callable[[bytes, str], bytes]


@dataclass(frozen=True)
class Case:
    """One message as it comes in. about: its shape, signature, accident, author domain and sender's domain."""

    number: int
    about: tuple[str, str, str, str, str]
    content: bytes
    address: str
    sender: str
    helo: str = HELO


def cases(real: list[bytes], seed: int, many: int) -> Iterator[Case]:
    """The messages: each odd signature and each accident in turn, all else by chance."""
    rng = random.Random(seed)
    small = [letter for letter in real if len(letter) <= LARGEST]
    turns = [(signature, UNTOUCHED) for signature in (*GOOD, *ODD)]
    turns += [("", accident) for accident in (*ACCIDENTS, *ACCIDENTS)]
    turns += [("few fields", "second from above")]
    for number in range(many):
        signature, accident = turns[number % len(turns)]
        signature = signature or rng.choice(list(GOOD))
        shape = AS_IT_IS if rng.random() < UNSHAPED else rng.choice(list(SHAPES))
        author = rng.choice(list(POLICIES if rng.random() < USUAL else ODD_POLICIES))
        sender = rng.choice(list(SENDERS if rng.random() < USUAL else ODD_SENDERS))
        if rng.random() < ALIGNED and author in {*SENDERS, *ODD_SENDERS}:
            sender = author
        content = written(rng.choice(small), author, SHAPES[shape])
        content = ACCIDENTS[accident](signed(content, signature, author))
        address = "ann@" + sender if rng.random() < SENT_BY_SOMEBODY else ""
        yield Case(
            number, (shape, signature, accident, author, sender if address else "<>"), content,
            rng.choice(CLIENTS), address,
        )  # fmt: skip


def written(letter: bytes, author: str, shape: Shape) -> bytes:
    """A real letter, as if somebody of this domain had written it."""
    head, blank, body = letter.partition(b"\r\n\r\n")
    head = _FROM.sub(b"", head + b"\r\n")
    return shape(b"From: Ann Author <ann@%b>\r\n" % author.encode() + head + blank[2:] + body)


def signed(content: bytes, signature: str, author: str) -> bytes:
    """Under a signature of the author's domain, or of the zone's where that domain has no keys."""
    domain = author if author in KEYED else zone_of(author)
    return ({**GOOD, **ODD})[signature](content, domain)


# shapes


def _body(content: bytes, body: bytes) -> bytes:
    return content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body


AS_IT_IS = "as it is"
SHAPES: dict[str, Shape] = {
    AS_IT_IS: lambda content: content,
    "empty body": lambda content: _body(content, b""),
    "no body": lambda content: content.partition(b"\r\n\r\n")[0] + b"\r\n",
    "empty lines": lambda content: _body(content, b"\r\n" * 5),
    "blank lines": lambda content: _body(content, b" \t\r\n  \r\n\r\n"),
    "long lines": lambda content: _body(content, (b"x y  " * 5000 + b"\r\n") * 2),
    "8-bit": lambda content: _retitled(content.rstrip(), b" \xe4\xf6 caf\xc3\xa9 \xff") + b"\r\n\xe4\x80\xfe\xff\r\n",
    "no final CRLF": lambda content: content.rstrip() + b"\r\nlast",
    "final blanks": lambda content: content.rstrip() + b"\r\nlast \t ",
    "many final CRLF": lambda content: content + b"\r\n" * 20,
    "dots": lambda content: content + b".\r\n..\r\n.x\r\nFrom here\r\n",
    "long field": lambda content: b"X-Long: " + b"word \t\r\n " * 300 + b"\r\n" + content,
    "no blank after colon": lambda content: _retitled(content, b"tight \t "),
    "empty subject": lambda content: _retitled(content, b""),
    "line of blanks": lambda content: _retitled(content, b"\r\n\t \r\n  x"),
    "two subjects": lambda content: b"Subject: first\r\n" + content,
}  # fmt: skip


def _retitled(content: bytes, subject: bytes) -> bytes:
    return re.sub(_SUBJECT, b"", content, count=1).replace(b"\r\n", b"\r\nSubject:%b\r\n" % subject, 1)


# signatures


def _ours(*selectors: str) -> Signing:
    def put(content: bytes, domain: str) -> bytes:
        return sign(content, [signer(one, domain) for one in selectors], datetime.now(UTC)) + content

    return put


def _theirs(header: bytes, body: bytes, **more: object) -> Signing:
    def put(content: bytes, domain: str) -> bytes:
        field: bytes = dkim.sign(
            content, b"weak", domain.encode(), pem("rsa", 1024), canonicalize=(header, body), **more
        )
        return field + content

    return put


def _hand(changes: dict[str, str | None] | None = None, selector: str = "rsa", d: str = "") -> Signing:
    """{domain} in a change is the domain that signs."""

    def put(content: bytes, domain: str) -> bytes:
        domain = d.format(domain=domain) or domain
        made = {
            tag: text.format(domain=domain, now=int(time.time())) if text else text
            for tag, text in {"s": selector, **(changes or {})}.items()
        }
        return signed_by_hand(content, signer(selector, domain), made)

    return put


def _edited(signing: Signing, old: bytes, new: bytes) -> Signing:
    """The signature's field changed after it was made."""

    def put(content: bytes, domain: str) -> bytes:
        whole = signing(content, domain)
        field, rest = whole[: len(whole) - len(content)], content
        return re.sub(old, new, field, count=1, flags=re.DOTALL) + rest

    return put


def _sealed(content: bytes, domain: str, before: int = 0, selector: str = "rsa") -> bytes:
    """With a set of ARC's fields by our hand, above those of `before` others."""
    chain = Arc(Result.PASS if before else Result.NONE, tuple(Seal(n + 1, domain, "rsa") for n in range(before)))
    return seal(content, chain, "mx.lists.example; dmarc=none", signer(selector, domain), datetime.now(UTC)) + content


GOOD: dict[str, Signing] = {
    "rsa": _ours("rsa"),
    "ed25519": _ours("ed25519"),
    "rsa and ed25519": _ours("rsa", "ed25519"),
    "dkimpy relaxed/relaxed": _theirs(b"relaxed", b"relaxed"),
    "dkimpy simple/simple": _theirs(b"simple", b"simple"),
    "dkimpy relaxed/simple": _theirs(b"relaxed", b"simple"),
    "dkimpy simple/relaxed": _theirs(b"simple", b"relaxed"),
    "few fields": _hand(),
}
ODD: dict[str, Signing] = {
    "unsigned": lambda content, domain: content,
    "l= of all": _theirs(b"relaxed", b"relaxed", length=True),
    "l=0": _hand({"l": "0", "bh": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}),
    "expired": _hand({"t": "1600000000", "x": "1700000000"}),
    "x= to come": _hand({"t": "1700000000", "x": "2900000000"}),
    "x= before t=": _hand({"t": "2700000000", "x": "2600000000"}),
    "t= in the future": _hand({"t": "2900000000"}),
    "stranger": _ours("stranger"),
    "weak": _ours("weak"),
    "revoked": _ours("revoked"),
    "no key": _hand(selector="missing"),
    "kind": _ours("kind"),
    "sha1 key": _hand(selector="sha1"),
    "service": _hand(selector="service"),
    "testing": _hand(selector="testing"),
    "exact, i= below": _hand({"i": "ann@mail.{domain}"}, selector="exact"),
    "i= below": _hand({"i": "ann@mail.{domain}"}),
    "i= elsewhere": _hand({"i": "ann@elsewhere.example"}),
    "bare key": _hand(selector="bare"),
    "key with blanks": _hand(selector="blanks"),
    "key of another version": _hand(selector="version"),
    "key with a late v=": _hand(selector="late"),
    "broken key": _hand(selector="broken"),
    "pair of keys": _hand(selector="pair"),
    "rsa-sha1": _theirs(b"relaxed", b"relaxed", signature_algorithm=b"rsa-sha1"),
    "d= of another": _hand(d="unsigned.org"),
    "d= of the zone": lambda content, domain: _ours("rsa")(content, zone_of(domain)),
    "d= in capitals": _hand({"d": "{domain}", "i": "@{domain}"}),
    "d= of a top level": _hand(d="org"),
    "d= bogus": _hand(d="expired.org"),
    "v=2": _hand({"v": "2"}),
    "no v=": _hand({"v": None}),
    "no bh=": _hand({"bh": None}),
    "no d=": _hand({"d": None}),
    "no s=": _hand({"s": None}),
    "no h=": _hand({"h": None}),
    "h= without From": _hand({"h": "to:subject:date"}),
    "h= with blanks": _hand({"h": "From :\r\n\tTo: Subject : Date :x-none"}),
    "h= twice From": _hand({"h": "from:from:to:subject:from"}),
    "tag twice": _hand({"q": "dns/txt; q=dns/txt"}),
    "no c=": _hand({"c": None}),
    "c= one word": _hand({"c": "relaxed"}),
    "c= unknown": _hand({"c": "strict/relaxed"}),
    "q= unknown": _hand({"q": "http/txt"}),
    "a= unknown": _hand({"a": "rsa-sha512"}),
    "tag unknown": _hand({"zz": "anything at all", "r": "y"}),
    "z=": _hand({"z": "From:ann@example.org|To:b=20c"}),
    "blanks in tags": _edited(_hand({"v": "1 ", "q": " dns/txt", "c": " relaxed/relaxed "}), b"b=(.{40})", rb"b=\1\r\n\t "),
    "b= empty": _edited(_hand(), rb"; b=[^;]*\Z", b"; b=\r\n"),
    "b= not base64": _edited(_hand(), rb"; b=.{9}", b"; b=*********"),
    "b= cut": _edited(_hand(), rb"; b=.{12}", b"; b="),
    "b= other": _edited(_hand(), rb"; b=.{4}", b"; b=AAAA"),
    "t= changed": _edited(_ours("rsa"), rb" t=\d", b" t=0"),
    "d= changed": _edited(_ours("rsa"), rb" d=[^;]*", b" d=unsigned.org"),
    "s= changed": _edited(_ours("rsa"), rb" s=rsa", b" s=testing"),
    "field's name in capitals": _edited(_ours("rsa"), b"DKIM-Signature", b"DKIM-SIGNATURE"),
    "field refolded": _edited(_ours("rsa"), rb"; c=", b";\r\n   c="),
    "field refolded, simple": _edited(_theirs(b"simple", b"simple"), rb"; c=", b";\r\n   c="),
    "two, one holds": lambda content, domain: _hand({"h": "from", "s": "missing"})(_hand()(content, domain), domain),
    "sealed": lambda content, domain: _sealed(_ours("rsa")(content, domain), domain),
    "sealed, unsigned": lambda content, domain: _sealed(content, domain),
    "sealed twice": lambda content, domain: _sealed(_sealed(content, domain), domain, 1),
    "sealed by a stranger": lambda content, domain: _sealed(content, domain, selector="stranger"),
    "sealed without key": lambda content, domain: _sealed(content, domain, selector="missing"),
    "sealed by ed25519": lambda content, domain: _sealed(content, domain, selector="ed25519"),
    "sealed, then changed": lambda content, domain: _sealed(content, domain) + b"-- \r\nlist footer\r\n",
    "sealed, results changed": _edited(lambda content, domain: _sealed(content, domain), rb"dmarc=none", b"dmarc=pass"),
    "sealed, cv= changed": _edited(lambda content, domain: _sealed(content, domain), rb"cv=none", b"cv=pass"),
    "sealed, a gap": lambda content, domain: _sealed(content, domain, 1),
    "sealed, a field gone": _edited(lambda content, domain: _sealed(content, domain), rb"ARC-Authentication", b"X"),
    "six": _ours("rsa", "ed25519", "weak", "testing", "bare", "blanks"),
}  # fmt: skip

# accidents


def _sub(pattern: bytes, by: bytes) -> Shape:
    return partial(re.compile(pattern).sub, by, count=1)  # type: ignore[return-value]


def _above(field: bytes) -> Shape:
    return lambda content: field + b"\r\n" + content


UNTOUCHED = "untouched"
ACCIDENTS: dict[str, Shape] = {
    UNTOUCHED: lambda content: content,
    "body changed": lambda content: content[:-5] + b"!" + content[-4:],
    "line added": lambda content: content.rstrip() + b"\r\n-- \r\nlist footer\r\n",
    "final lines added": lambda content: content + b"\r\n\r\n",
    "final lines gone": lambda content: content.rstrip(b"\r\n") + b"\r\n",
    "final CRLF gone": _sub(rb"(?s)(\r\n\r\n.+)\r\n\Z", rb"\1"),
    "blank at line end": _sub(rb"\r\n\r\n(.+)\r\n", rb"\r\n\r\n\1 \r\n"),
    "blank doubled": _sub(rb"(?s)(\r\n\r\n.*?\w) (\w)", rb"\1  \2"),
    "blank put": _sub(rb"(?s)(\r\n\r\n.*?\w)(\w)", rb"\1 \2"),
    "body gone": lambda content: content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n",
    "8-bit to ?": lambda content: bytes(octet if octet < 128 else 63 for octet in content),
    "subject changed": _sub(rb"(?im)^Subject:", b"Subject: [list]"),
    "subject folded": _sub(rb"(?im)^Subject: *(\S+) ", rb"Subject: \1\r\n "),
    "subject in capitals": _sub(rb"(?im)^Subject:", b"SUBJECT:"),
    "subject gone": _sub(_SUBJECT, b""),
    "subject added": _above(b"Subject: another"),
    "blank after colon": _sub(rb"(?im)^Date: *", b"Date:   "),
    "blank before colon": _sub(rb"(?im)^Date:", b"Date :"),
    "field added": _above(b"X-Seen: yes"),
    "received added": _above(b"Received: from a.example (a.example [203.0.113.9])\r\n\tby b.example; Mon, 2 Mar 2026 12:00:00 +0100"),
    "reply-to added": _above(b"Reply-To: evil@elsewhere.example"),
    "from changed": _sub(rb"(?im)^From: Ann", b"From: Bob"),
    "from's domain changed": _sub(rb"(?im)^From: Ann Author <ann@[^>]*>", b"From: <ann@nsec.org>"),
    "from gone": _sub(rb"(?im)^From:[^\n]*\n", b""),
    "second from above": _above(b"From: eve@nods.org"),
    "second from below": _sub(rb"\r\n\r\n", b"\r\nFrom: eve@nods.org\r\n\r\n"),
    "from with two": _sub(rb"(?im)^From: Ann Author <([^>]*)>", rb"From: <\1>, eve@nods.org"),
    "from's name an address": _sub(rb"(?im)^From: Ann Author", b'From: "eve@nods.org"'),
    "from encoded": _sub(rb"(?im)^From: Ann Author", b"From: =?utf-8?q?eve=40nods=2Eorg?="),
    "from folded": _sub(rb"(?im)^From: Ann ", b"From: Ann\r\n\t"),
    "from in capitals": lambda content: re.sub(rb"(?m)^From: Ann Author <.*?>", lambda found: found[0].upper(), content),
    "from a comment": _sub(rb"(?im)^From: Ann Author", b"From: (eve@nods.org) Ann"),
    "from without domain": _sub(rb"(?im)^From: Ann Author <[^>]*>", b"From: Ann"),
    "signature gone": _sub(rb"(?im)^DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*", b""),
    "signature last": lambda content: _moved(content),
    "order changed": _sub(rb"(?im)^(Subject:[^\n]*\n)((?:.|\n)*?)\r\n\r\n", rb"\2\r\n\1\r\n"),
}  # fmt: skip


def _moved(content: bytes) -> bytes:
    """The signatures below all other fields."""
    found = re.match(rb"(?:DKIM-Signature:[^\n]*\n(?:[ \t][^\n]*\n)*)+", content)
    if not found:
        return content
    head, blank, body = content[found.end() :].partition(b"\r\n\r\n")
    return head + b"\r\n" + found[0] + blank[2:] + body
