"""Every parser of foreign octets: whatever comes, a value or the error that it declares, and nothing else.

Input grows from examples that are nearly right, cut, doubled and spoilt; MAILSRV_FUZZ=100 tries a hundred times as many.
A parser that one of the reading rooms gains must stand in the table: the last test looks.
"""

from __future__ import annotations

import ast
import asyncio
import hashlib
import io
import ipaddress
import os
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.deliverability import target
from checks.deliverability.judging import score_message
from checks.deliverability.known import Known
from checks.echo import marked
from checks.facts import Tls, Version
from checks.health import looking
from checks.judge import setup_documents, setup_pacc
from checks.probe import announced, further, redirects
from checks.probe import answers as escaped
from checks.probe.tls import exchange, flight
from checks.probe.tls.octets import Unreadable
from checks.relay.talking import Talk
from dnsops.acme import answers, ari, lasting
from dnsops.acme import words as acme
from dnsops.base.errors import Deliberate, ForUser
from dnsops.base.flow import run
from dnsops.base.settings import patterns, tree, words
from dnsops.plan import ownership, purpose
from dnsops.plan import saved as plan_saved
from dnsops.records import dnssec, names, rdata, zonefile
from dnsops.records.rdata import Record, txt
from dnsops.records.tlsa import Tlsa
from dnsops.records.txt import bimi, caa, mtasts, tags, tlsrpt, uaac
from dnsops.records.txt import dkim as dkim_record
from dnsops.records.txt import dmarc as dmarc_record
from dnsops.records.txt import spf as spf_record
from dnsops.resolve.answer import Answer, Question, Security
from dnsops.wanted import merge
from dnsops.wanted.door import Family
from mailsrv.archive import kept, maildir, mbox
from mailsrv.auth import arc, author, dkim, keys, results, sealers
from mailsrv.auth.verdicts import Arc, Result, Seal
from mailsrv.backup import needs, snapshot
from mailsrv.directory import address, hashes, prep
from mailsrv.directory.keys import BadHash
from mailsrv.directory.sasl import gs2, oauthbearer, scram
from mailsrv.http import autodiscover, behind
from mailsrv.imap.grammar import names as imap_names
from mailsrv.imap.verbs import parse as imap_command
from mailsrv.message import (
    addresses,
    charsets,
    dates,
    digest,
    dsn,
    header,
    identifiers,
    parameters,
    reading,
    received,
    retold,
    scan,
    structure,
    subjects,
    transfer,
)
from mailsrv.message import words as encoded_words
from mailsrv.moving import answers as answered
from mailsrv.moving import journal, maps, stalwart
from mailsrv.moving import listed as listed_there
from mailsrv.moving.foreign import draft
from mailsrv.receive import srs
from mailsrv.reports import dmarc_xml, tls_json, unpack
from mailsrv.reports import tags as report_tags
from mailsrv.send import nexthop
from mailsrv.send.reply import Replies
from mailsrv.smtp import grammar, octets, proxy
from mailsrv.smtp import parameters as options
from mailsrv.spam import clamd, dnsbl, greylist, hints, place, reputation, rspamd, spamd
from mailsrv.transport.caching import Kept
from mailsrv.transport.dane import unusable
from mailsrv.transport.matching import mismatch
from tests.dnsops.wanted import houses
from tests.mailsrv.reports import samples

TIMES = int(os.environ.get("MAILSRV_FUZZ", "1"))
ROOT = Path(__file__).parents[2]
MAIL = (
    b"Received: from a (b [192.0.2.1]) by c with ESMTPS id 1;\r\n\tMon, 2 Mar 2026 12:00:00 +0100 (CET)\r\n"
    b'From: =?utf-8?q?J=C3=BCrgen?= <a@b.example>, g: c@d, "x\\"y" <z@[IPv6:::1]>;\r\nSubject: Re: [a] Fwd: hi\r\n'
    b"References: <1@a> <2@b>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"b\"; x*0*=utf-8''%41; x*1=b\r\n\r\n"
    b"--b\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n"
    b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--b--\r\n"
)


@dataclass(frozen=True)
class Parser:
    """`read` takes octets, or text when `text`; `raises`: what it may."""

    read: Callable[[Any], object]
    examples: Collection[bytes]
    raises: tuple[type[Exception], ...] = ()
    text: bool = False
    of: Collection[str] = field(default=())  # functions of the reading rooms that it goes through


def _dnssec(data: bytes) -> object:
    """Each form of DNSSEC's records over the same octets."""
    for kind, of in (("DNSKEY", dnssec.Key.of), ("DS", dnssec.Ds.of), ("NSEC3PARAM", dnssec.Nsec3.of)):
        with suppress(Deliberate):
            of(rdata.from_wire(kind, data))
    with suppress(Deliberate):
        key = dnssec.Key.of(rdata.from_wire("DNSKEY", data))
        assert 0 <= key.tag < 65536
        assert key.bits is None or key.bits >= 0
        assert key.digest("example.org", dnssec.SHA256)
    signature = dnssec.Signature.of(rdata.from_wire("RRSIG", data))
    now = datetime(2026, 11, 26, tzinfo=UTC)
    return signature.until(now) - signature.since(now)


def _scored(data: bytes) -> object:
    """As a message, and as the page in one."""
    now = datetime(2026, 11, 26, tzinfo=UTC)
    whole = b"Content-Type: text/html\r\n\r\n" + data
    scores = [score_message(each, Known(now)).score for each in (data, whole)]
    assert all(0 <= score <= 100 for score in scores)
    return scores


def _stalwart(text: str) -> object:
    plan = stalwart.planned(stalwart.settings(text), lambda kind, name: kind, lambda line: "{PLAIN}x", lambda line: "")
    return draft(plan, {}, True)


def _maps(text: str) -> object:
    pairs = [*maps.virtual(text), *maps.aliases(text, "b.example")]
    return draft(maps.planned(maps.passwd_file(text), pairs, "b.example", lambda line: "x", lambda line: ""), {}, True)


def _foreign(data: bytes) -> object:
    """Lines and literals as a session cuts them, and every form that they may have."""
    parts, rest = list[bytes](), data
    while True:
        line, _, rest = rest.partition(b"\n")
        parts.append(line.rstrip(b"\r"))
        if (size := answered.literal(parts[-1])) is None:
            break
        parts, rest = [*parts, rest[:size]], rest[size:]
    answer = answered.read(parts)
    for value in answer.values:
        answered.moment(value) if isinstance(value, str | bytes) else None
        with suppress(Deliberate):
            answered.number(answered.pairs(value).get("UID"))
    listed_there.personal(answer)
    found = listed_there.listed(answer)
    return listed_there.planned([found, found], "INBOX.", {"\\Sent": "Sent"})


def _answered(data: bytes) -> object:
    """As the answer of an echo address."""
    return marked.saw(data), marked.bounced(data), marked.is_answer(data, marked.mark("t", "a@b.example"))


class _Nowhere:
    """What a conversation writes to when nobody listens."""

    def write(self, data: bytes) -> None:
        """Lost."""

    async def drain(self) -> None:
        """At once."""


def _talked(data: bytes) -> object:
    """As everything that a server ever says: a greeting, an answer, and what comes before the goodbye."""

    async def story() -> object:
        reader, lines = asyncio.StreamReader(limit=4096), list[str]()
        reader.feed_data(data)
        reader.feed_eof()
        talk = Talk(reader, _Nowhere(), lines)  # type: ignore[arg-type]
        answers = [await talk.answer(), await talk.say(b"EHLO a.test")]
        codes = await talk.rest()
        assert all(one.code == 0 or 200 <= one.code < 600 for one in answers)
        assert all(line.isprintable() for line in lines)
        return codes

    return asyncio.run(story())


def _opened(text: str) -> object:
    host, port = looking._door(text)
    assert 0 < port < 65536
    return host


def _replies(data: bytes) -> object:
    return list(Replies().feed(data))


def _parts(data: bytes) -> object:
    """What a client's section numbers may be asked of any message."""
    found = structure.parts(scan.scan(data))
    return [
        (structure.section(found, spec), structure.encoding(found, spec)) for spec in ("", "1", "1.1", "2.MIME", "9")
    ]


def _mbox(data: bytes) -> object:
    return [mbox._unflagged(content or b"") for _, _, content in mbox._messages(io.BytesIO(data))]


def _vouched(text: str) -> str:
    return sealers.vouched(Arc(Result.PASS, (Seal(1, "a.example", "s", text),)), "b.example", {"a.example"})


def _proxy(data: bytes) -> object:
    """As the listener reads it: so many octets each time."""
    if proxy.version(data[: proxy.START]) == 1:
        return proxy.line(data)
    head, rest = data[proxy.START :][: proxy.HEAD], data[proxy.START + proxy.HEAD :]
    return proxy.block(head, rest[: proxy.block_length(head)]) if len(head) == proxy.HEAD else None


def _certificates(data: bytes) -> object:
    """Against a record that it cannot be, and one that it may be the authority of."""
    records = [Tlsa(3, 1, 1, bytes(32)), Tlsa(2, 0, 0, data), Tlsa(2, 1, 0, data), Tlsa(3, 0, 0, data)]
    return mismatch([data, data[1:]], records[:3], ("a.b",), datetime(2026, 1, 1, tzinfo=UTC)), unusable(records[1])


def _octets(data: bytes) -> object:
    seen = octets.Octets(998)
    seen.look(data)
    return seen.problem


def _authenticated(data: bytes) -> object:
    """A message with signatures and seals that may be anything, each with a key that is none."""
    return run(dkim.verify(dkim.examine(data), NOW), _no_key), run(arc.verify(arc.examine(data), NOW), _no_key)


def _no_key(question: Question) -> Answer:
    return Answer(question.name, question.type, Security.INSECURE)


NOW = datetime(2026, 3, 2, tzinfo=UTC)
SIGNATURE = b"a=rsa-sha256; c=relaxed/simple; d=a.example; s=s; h=from:to; bh=" + b"A" * 43 + b"=; b=eHh4; t=1; x=2\r\n"
SIGNED = (
    b"DKIM-Signature: v=1; i=x@a.example; l=1; q=dns/txt; "
    + SIGNATURE
    + b"ARC-Seal: i=1; cv=none; a=rsa-sha256; d=a.example; s=s;"
    b" b=eHh4\r\nARC-Message-Signature: i=1; " + SIGNATURE + b"ARC-Authentication-Results: i=1; a.example; none\r\n"
)
RESULTS = b'mx.a.example 1; dkim/1 = pass (x (y)) reason="a\\"b" header.d=a; spf=fail smtp.mailfrom="a b"@c'


def _srs(text: str) -> object:
    """Both ways; what is an address of ours leads to an address."""
    written = srs.forward(text, b"secret", "ours.example", NOON)
    return srs.is_rewritten(text), srs.reverse(written, [b"secret"], NOON), srs.reverse(text, [b"secret"], NOON)


def _listed(text: str) -> object:
    """A client's word, or a list's: as a subject, as an answer's reason."""
    for flow in (dnsbl.address(text, dnsbl.List("l.example")), dnsbl.domain(text, dnsbl.List("l.example"))):
        with suppress(StopIteration):
            question = next(flow)
            flow.send(Answer(question.name, "A", Security.INSECURE, items=frozenset({rdata.parse("A", "127.0.0.2")})))
            flow.send(
                Answer(
                    question.name,
                    "TXT",
                    Security.INSECURE,
                    items=frozenset({rdata.txt(text.encode("utf-8", "surrogateescape"))}),
                )
            )
    return greylist.triplet(text, text, text), greylist.network(text), reputation.names(text)


def _acme(data: bytes) -> object:
    """One document as everything that it may be."""
    found, read = acme.document(data), []
    for reader in (acme.directory, lambda one: acme.order(one, "https://a/"), acme.authorisation):
        with suppress(acme.Malformed):
            read.append(reader(found))
    return read, acme.problem(found)


def _window(data: bytes) -> object:
    from dnsops.certs.selfsigned import selfsigned

    return ari.window(acme.document(data), selfsigned("a.example", NOON).der, None)


def _strangers_txt(data: bytes) -> object:
    family = purpose.family_of(Record("a.example", "TXT", 300, txt(data)))
    served = [purpose.served(one, data.decode("ascii", "backslashreplace"), f"{one.value}; p=reject") for one in Family]
    with suppress(ForUser):
        purpose.joined(data.decode("ascii", "backslashreplace"), "v=spf1 mx -all", "a.example")
    return family, served


SAVED_PLAN = (
    b'{"version":1,"kind":"plan","made":"2026-01-01T12:00:00+00:00","zones":[{"zone":"example.org","fingerprint":"ab","refused":"",'
    b'"items":[{"step":"replace","before":{"name":"a.example.org","type":"A","ttl":300,"data":"192.0.2.1"},"after":{"name":'
    b'"a.example.org","type":"A","ttl":60,"data":"192.0.2.1"},"why":"w","advice":"","merged":""},{"step":"add","before":null,'
    b'"after":{"name":"example.org","type":"TXT","ttl":1,"data":""x""},"why":"w","advice":"a","merged":""}]}]}'
)


def _thirteen(data: bytes) -> object:
    from checks.probe.tls import thirteen
    from checks.probe.tls.hello import Offer

    machine = thirteen.Thirteen(Offer(Version.TLS13, thirteen.SUITES, thirteen.GROUPS), bytes(32), b"")
    return machine.feed(data)


HELLO_13 = (
    b"\x16\x03\x03\x00\x5a\x02\x00\x00\x56\x03\x03" + b"\x11" * 32 + b"\x00\x13\x01\x00\x00\x2e\x00\x2b\x00\x02\x03\x04"
    b"\x00\x33\x00\x24\x00\x1d\x00\x20" + b"\x09" * 32 + b"\x17\x03\x03\x00\x20" + bytes(32)
)
FLIGHT = (
    b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + b"\x11" * 32 + b"\x00\xc0\x2f\x00"
    b"\x16\x03\x03\x00\x11\x0b\x00\x00\x09\x00\x00\x06\x00\x00\x03abc\x0e\x00\x00\x00"
)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADDRESSES = (b"a@b.example", b'"a b"@[192.0.2.1]', "ä@bücher.example".encode(), b"a%b@c", b"@a,@b:c@d")
PATHS = tuple(b"<" + one + b"> SIZE=5 BODY=8BITMIME" for one in ADDRESSES)
PARSERS: dict[str, Parser] = {
    "RISwhois": Parser(
        announced.announcements,
        (
            b"route: 192.0.2.0/24\norigin: AS64496\nnum-rispeers: 300\n\nroute6: 2001:db8::/32\norigin: AS1\nnum-rispeers: 10\n",
        ),
        text=True,
    ),
    "Routinator": Parser(
        announced.validity,
        (
            b'{"validated_route":{"validity":{"state":"invalid","reason":"as","VRPs":{"matched":[],"unmatched_as":[{}]}}}}',
        ),
        (ValueError,),
    ),
    "a backup's list of files": Parser(
        lambda data: snapshot.Snapshot.read(data + hashlib.sha256(data).hexdigest().encode() + b"\n"),
        (
            b'["mailsrv-backup 1", "20261127T041500Z", 2]\n["state/a", 384, 1, ["' + b"0" * 64 + b'"], ""]\n'
            b'["state/l", 511, 0, [], "x/1"]\n',
        ),
        (snapshot.Unreadable,),
    ),
    "a backup's needs": Parser(
        lambda data: needs.Needs.read(data + hashlib.sha256(data).hexdigest().encode() + b"\n"),
        (
            b'["mailsrv-backup-needs 1", "20261127T041500Z", 1, 1, "' + b"0" * 64 + b'", 1]\n'
            b'["' + b"0" * 64 + b"-" + b"1" * 64 + b'.age", 500]\n',
        ),
        (snapshot.Unreadable,),
    ),
    "TXT, unescaped": Parser(escaped.octets, (b'v=spf1 \\000\\"-all\\',), text=True),
    "greetings": Parser(
        lambda text: further.helo(Tls("mx.a", banner=text)), (b"220 mx.example.org ESMTP\r\n",), text=True
    ),
    "ACME documents": Parser(
        _acme,
        (
            (
                b'{"newNonce":"https://a/n","newAccount":"https://a/a","newOrder":"https://a/o","renewalInfo":"https://a/r",'
                b'"meta":{"termsOfService":"https://a/t","caaIdentities":["a"],"profiles":{"b":"c"}}}'
            ),
            b'{"status":"valid","authorizations":["https://a/z"],"finalize":"https://a/f","certificate":"https://a/c"}',
            (
                b'{"identifier":{"type":"dns","value":"*.a"},"wildcard":true,"status":"pending","challenges":[{"type":'
                b'"dns-01","url":"https://a/c","token":"t","error":{"type":"urn:ietf:params:acme:error:dns","detail":"d"}}]}'
            ),
        ),
        (acme.Malformed,),
        of=["document", "directory", "order", "authorisation", "problem"],
    ),
    "ACME renewal information": Parser(
        _window,
        (
            b'{"suggestedWindow":{"start":"2026-02-01T00:00:00Z","end":"2026-02-02T00:00:00+01:00"},"explanationURL":"x"}',
        ),
        (ari.Odd, acme.Malformed),
    ),
    "Retry-After": Parser(
        lambda text: acme.retry_after(text, NOON), (b"120", b"Thu, 26 Nov 2026 00:01:00 GMT"), (), True, ["retry_after"]
    ),
    "_validation-persist": Parser(
        lambda text: lasting.lasts([text], ["a.example"], "https://a/1", True, 0),
        (b"a.example; accounturi=https://a/1; policy=wildcard; persistUntil=9",),
        text=True,
    ),
    "ACME answers asked for": Parser(
        lambda text: (answers.http_answer(Path("/nowhere"), text), answers.alpn_pair(Path("/nowhere"), text)),
        (b"token-_9", b"mx1.a.example", b"../etc"),
        text=True,
    ),
    "a TLS server's flight": Parser(
        lambda data: flight.Flight().feed(data),
        (FLIGHT, HELLO_13, b"\x15\x03\x03\x00\x02\x02\x28"),
        (Unreadable,),
    ),
    "a TLS 1.3 server's flight": Parser(_thirteen, (HELLO_13, FLIGHT), (Unreadable,)),
    "an SSL 2 hello": Parser(
        flight.read_hello_2,
        (b"\x80\x16\x04\x00\x01\x00\x02\x00\x03\x00\x06\x00\x02abc\x01\x00\x80\x07\x00\xc0id",),
        (Unreadable,),
    ),
    "a ServerKeyExchange": Parser(
        lambda data: [exchange.read_exchange(data, suite, 0x0303) for suite in (0xC02F, 0x0033)],
        (
            b"\x03\x00\x1d\x20" + bytes(32) + b"\x04\x01\x00\x02ab",
            b"\x00\x02\x80\x01\x00\x01\x02\x00\x01\x05\x04\x01\x00\x01a",
        ),
        (Unreadable,),
    ),
    "messages to be scored": Parser(
        _scored, (MAIL, b'<a href="https://a@[::1]:8/x" onclick=1>b.example</a><img src=x>')
    ),
    "answers of echo addresses": Parser(
        _answered, (MAIL, b"Subject: t\r\n\r\n  SPF     pass for a\r\n> Authentication-Results: x;\r\n>  dkim=pass\r\n")
    ),
    "links": Parser(target.split, (b"https://u:p@[::1]:443/x?y#z", b"mailto:a@b.example"), (), True),
    "SMTP reverse path": Parser(grammar.reverse_path, (*PATHS, b"<>"), (Deliberate,), True, ["reverse_path"]),
    "SMTP forward path": Parser(grammar.forward_path, (*PATHS, b"<Postmaster>"), (Deliberate,), True, ["forward_path"]),
    "SMTP address": Parser(grammar.address, ADDRESSES, (), True, ["address"]),
    "HELO": Parser(grammar.helo_name, (b"mx.a.example", b"[IPv6:::1]", b"[1.2.3.4]"), (), True, ["helo_name"]),
    "MAIL's parameters": Parser(
        options.mail_options,
        (b"SIZE=1 RET=HDRS ENVID=a+2Bb AUTH=<> SMTPUTF8 REQUIRETLS",),
        (Deliberate,),
        True,
        ["mail_options"],
    ),
    "RCPT's parameters": Parser(
        options.rcpt_options, (b"NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a+40b",), (Deliberate,), True, ["rcpt_options"]
    ),
    "xtext": Parser(options.unxtext, (b"a+2Bb+",), (Deliberate, ValueError), True, ["unxtext"]),
    "PROXY": Parser(
        _proxy,
        (
            b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
            b"PROXY UNKNOWN\r\n",
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12),
        ),
        (proxy.BadHeader,),
        of=["version", "line", "block", "block_length"],
    ),
    "DATA": Parser(_octets, (b"a\r\n.b\r\n\r\n",), of=["unstuffed"]),
    "DNSSEC records": Parser(
        _dnssec,
        (
            bytes((0x01, 0x01, 3, 13)) + b"k" * 64,
            bytes((0x01, 0x00, 3, 8, 3, 1, 0, 1)) + b"m" * 256,
            bytes((0x12, 0x34, 13, 2)) + b"d" * 32,
            bytes((0, 52, 13, 2)) + bytes.fromhex("0000012c6a1c4c006a17c0001234") + b"\x07example\x03org\0" + b"s" * 64,
            bytes((1, 0, 0, 12, 2)) + b"ab",
        ),
        (Deliberate,),
    ),
    "replies of a peer": Parser(_replies, (b"250-a\r\n250 b\r\n", b"421\r\n"), (Deliberate,)),
    "response of an IMAP server": Parser(
        _foreign,
        (
            b'* 2 FETCH (UID 7 FLAGS (\\Seen $A) INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODY[] {3}\r\nabc)\r\n',
            b'* LIST (\\HasNoChildren \\Sent) "." "INBOX.a&AOQ-"\r\n',
            b"* STATUS {5}\r\nINBOX (MESSAGES 3)\r\n",
            b"A1 NO [LIMIT x] slowly\r\n",
            b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\n',
        ),
        (Deliberate,),
    ),
    "Stalwart's configuration": Parser(
        _stalwart,
        (
            b'[[directory.m.principals]]\nname="a"\nemail=["a@b.example", "@b.example"]\nsecret="$app$x$y"\nmember-of=["g"]\n',
            b'{"signature.a.domain": "x", "directory": {"m": {"type": "memory", "principals": [{"name": "%{env:A}%"}]}}}',
            b'[certificate.a]\ncert = "%{file:/x}%"\nprivate-key = "%{cfg:a.b}%"\ndefault = true\n',
        ),
        (Deliberate,),
        True,
    ),
    "Dovecot's list of UIDs": Parser(
        maildir.uidlist, (b"3 V1700000000 N8 Gabc\n7 W12 :1.M2.host,S=3:2,S\n", b"1 17 9\n8 1.M2.host\n"), (ValueError,)
    ),
    "passwd-file and maps": Parser(
        _maps,
        (
            b"a@b.example:{SHA512-CRYPT}$6$x$y:1:1::/home::userdb_quota_rule=*:bytes=1G nologin\n# x\nc:{PLAIN}d\n",
            b"info@b.example a@b.example,\n  c@b.example\n@b.example a@b.example\nb.example x\n",
            b'root: a, "|prog", /dev/null\npostmaster: root\n',
        ),
        (Deliberate,),
        True,
    ),
    "journal of a move": Parser(
        journal.read, (b'{"version": 1, "mailboxes": {"INBOX": [1, 2, 3, [4]]}}',), (ValueError,)
    ),
    "IMAP command": Parser(
        imap_command,
        (
            b"a UID FETCH 1:*,3 (FLAGS BODY.PEEK[1.HEADER.FIELDS (A)]<0.9>)",
            b"a SEARCH RETURN (ALL) OR FROM {1+}\r\nx NOT SINCE 1-Jan-2026",
            b'a APPEND "a&AOQ-" (\\Seen) "17-Jul-1996 02:44:25 -0700" {3+}\r\nabc',
            b'a LIST (SUBSCRIBED) "" (% *) RETURN (STATUS (UNSEEN))',
        ),
    ),
    "IMAP mailbox name": Parser(imap_names.mailbox_name, (b"INBOX/a", b"a..b"), (Deliberate,), True),
    "modified UTF-7": Parser(imap_names.from_utf7, (b"&AOQ-b&-", b"&2D3eAA-"), (Deliberate,), True),
    "message": Parser(
        digest.digest, (MAIL,), of=["digest", "scan", "structures", "lists", "envelope", "read", "shown", "people"]
    ),
    "parts of a message": Parser(_parts, (MAIL,), of=["parts", "section", "encoding"]),
    "header": Parser(
        lambda data: (
            list(header.fields(data)),
            header.header_fields(data, ["from", b"X"], True),
            header.without(data, lambda field: field.name == b"x"),
        ),
        (MAIL,),
        of=["fields", "header", "header_fields", "body_start", "unfold", "looks_like_field", "without"],
    ),
    "trace": Parser(
        lambda data: (received.hops(data), received.was_delivered_to(data, "a@b"), received.without_return_path(data)),
        (MAIL, b"Delivered-To: a@b\r\nReturn-Path: <x>\r\n\ty\r\n\r\n"),
        of=["hops", "was_delivered_to", "without_return_path"],
    ),
    "how it came": Parser(
        retold.retold,
        (
            b"Return-Path: <a@b>\r\nReceived: from h (n [192.0.2.1])\r\n\tby x with ESMTPS id 0123456789abcdef;\r\n\tdate\r\n"
            + MAIL,
            b"Received: from h ([IPv6:2001:db8::1]) by x with SMTP id 00ff00ff\r\n",
        ),
        of=["retold"],
    ),
    "addresses": Parser(
        addresses.addresses, (b'g: "a\\"" <b@c> (d (e)), f;, =?x?q?y?= <>', *ADDRESSES), of=["addresses"]
    ),
    "encoded words": Parser(encoded_words.text, (b"=?utf-8?B?YQ==?= =?koi8-r?q?=C1?= x", b"=?x?"), of=["text"]),
    "date": Parser(dates.parse, (b"Mon, 2 Mar 2026 12:00:00 +0100 (x)", b"31 Feb 99 24:60 EST"), of=["parse"]),
    "media type": Parser(parameters.media, (b'text/plain; a*0*=utf-8\'\'%41; b="c\\""',), of=["media", "parameters"]),
    "disposition": Parser(parameters.disposition, (b"attachment; filename*=utf-8'en'%e2%82%ac",), of=["disposition"]),
    "identifiers": Parser(identifiers.identifiers, (b"<a@b> (x) <c.d@[e]>",), of=["identifiers"]),
    "subject": Parser(subjects.base_subject, (b"Re[2]: [x] (fwd) Fwd: hi",), (), True, ["base_subject"]),
    "base64": Parser(transfer.base64, (b"YQ==\r\nYg=", b"=="), of=["base64"]),
    "quoted-printable": Parser(
        lambda data: transfer.decoded("quoted-printable", data), (b"a=\r\nb=4",), of=["decoded"]
    ),
    "charsets": Parser(
        lambda data: [charsets.text(data, name) for name in ("utf-7", "iso-2022-jp", "x", "")], (b"+AOQ-\x1b$B",)
    ),
    "HTML": Parser(
        reading.stripped, (b"<b a='>'>x&amp;&#0;&#xffffffff;<!-- --></b><script>",), (), True, ["stripped", "shortened"]
    ),
    "DSN's xtext": Parser(dsn.unxtext, (b"a+2Bb+zz",), (), True),
    "DSN's UTF-8": Parser(dsn.unutf8, (rb"a\x{e4}b\x{110000}",), (), True, ["unutf8"]),
    "mailbox": Parser(address.parse, ADDRESSES, (), True),
    "password hash": Parser(
        hashes.read,
        (b"$argon2id$v=19$m=9,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2g", b"{SSHA}YWJjZGVmZ2hpamtsbW5vcHFyc3Q="),
        (BadHash,),
        True,
    ),
    "SASLprep": Parser(prep.prepared, ("pä\u00adss\u200e".encode(),), (), True),
    "SCRAM's first": Parser(scram.read_first, (b"n,a=x,n=user,r=abc", b"p=tls-exporter,,n=a=2Cb,r=x"), (Deliberate,)),
    "GS2": Parser(gs2.read, (b"n,a=x,rest", b"p=tls-unique,,"), (Deliberate,)),
    "OAUTHBEARER": Parser(oauthbearer.parse, (b"n,a=u,\1host=a\1port=1\1auth=Bearer x\1\1",), (Deliberate,)),
    "mbox": Parser(
        _mbox, (b"From a Sun Mar  1 12:30:05 2026\nStatus: R\n\n>From x\n\nFrom b Sun Mar  1 12:30:05 2026\n",)
    ),
    "a folder's name": Parser(kept.unescaped, (rb"a\2eb.&AOQ-",), (Deliberate,), True),
    "next hop": Parser(nexthop.parse, (b"smtp.example.net:465", b"[::1]:25", b"local"), (Deliberate, ValueError), True),
    "domain name": Parser(names.canonical, (b"*.b\xc3\xbccher.example.", b"_25._tcp.a"), (Deliberate,), True),
    "name to ask for": Parser(names.asked, (b"a+b=c.d", b"*.b\xc3\xbccher.example."), (Deliberate,), True),
    "CAA record": Parser(
        lambda text: str(caa.Caa.parse(text)),
        (b'0 issue "a.b; c=d"', b'128 iodef "\\"\\\\\\059"', b"0 x y"),
        (Deliberate,),
        True,
    ),
    "CAA issue-value": Parser(
        lambda text: str(caa.Issuer.parse(text)),
        (b"ca.example; accounturi=https://a/b; validationmethods=dns-01,http-01;", b" ; ", b"a-b.c;d = e"),
        (Deliberate,),
        True,
    ),
    "UAAC record": Parser(
        lambda text: str(uaac.Uaac.parse(text)),
        (b"v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",),
        (Deliberate,),
        True,
    ),
    "BIMI record": Parser(
        lambda text: str(bimi.Bimi.parse(text)),
        (b"v=BIMI1; l=https://a.b/c.svg; a=https://a.b/c.pem; avp=x",),
        (Deliberate,),
        True,
    ),
    "saved plan": Parser(plan_saved.read, (SAVED_PLAN,), (ValueError,)),
    "ledger of a zone's records": Parser(
        ownership.read,
        (
            (
                b'{"version":1,"zone":"example.org","records":[{"name":"a.example.org","type":"A","ttl":300,"data":"192.0.2.1",'
                b'"origin":"written","base":""},{"name":"example.org","type":"TXT","ttl":60,"data":"\\"v=spf1 mx -all\\"",'
                b'"origin":"merged","base":"v=spf1 -all"}]}'
            ),
        ),
        (ValueError,),
    ),
    "a stranger's TXT record": Parser(
        _strangers_txt,
        (
            b"v=spf1 a mx ~all",
            b"v = DMARC1; p=none; rua=mailto:a@b",
            b"v=STSv1; id=1",
            b"v=TLSRPTv1; rua=mailto:a@b",
            b"v=UAAC1; a=sha256",
        ),
        (),
    ),
    "SPF records to merge": Parser(
        lambda text: merge.spf([text], "v=spf1 mx -all", houses.house(), "example.org"),
        (
            b"v=spf1 a:x.%{d2r-}.org/24//64 ip6:::1/9 ptr ?all",
            b"v=spf1 ip4:192.0.2.0/1 redirect=a.b",
            b"v=spf1 mx:A.b. exp=c.d x=y",
        ),
        (),
        True,
    ),
    "SPF record": Parser(
        lambda text: str(spf_record.Spf.parse(text)),
        (b"v=spf1 a:x.%{d2r-}.org/24//64 ip6:::1/9 -all", b"v=spf1 redirect=%{l}.a exp=b.c x=%%"),
        (Deliberate,),
        True,
    ),
    "DMARC record": Parser(
        lambda text: str(dmarc_record.Policy.parse(text)),
        (b"v=DMARC1; p=reject; sp=none; rua=mailto:a%2Bb@c!10m,https://x; fo=1:d; psd=y; t=y; pct=1",),
        (Deliberate,),
        True,
    ),
    "author": Parser(
        lambda data: author.author(header.header(data)), (MAIL, b"From: a@b, g: c@d;\r\nFrom: e@[f]\r\n\r\n")
    ),
    "what a sealer says": Parser(
        _vouched, (b'i=1; a; dmarc=pass (x (y) "z") reason="\\";" header.from=b.example; spf=none',), (), True
    ),
    "TLSA as text": Parser(lambda text: rdata.parse("TLSA", text), (b"3 1 1 " + b"ab" * 32,), (Deliberate,), True),
    "TXT as text": Parser(lambda text: rdata.parse("TXT", text), (b'"a\\"b" c \\065',), (Deliberate,), True),
    "TLSA on the wire": Parser(lambda data: rdata.from_wire("TLSA", data), (b"\3\1\1" + bytes(32),), (Deliberate,)),
    "tag list": Parser(tags.parse, (b"v=DKIM1; k=rsa; p=eHh4 ; n=\r\n x",), (Deliberate,)),
    "what mail programs are told": Parser(
        lambda data: setup_documents.services(data, "a.example"),
        (
            (
                b'<clientConfig><emailProvider><incomingServer type="imap"><hostname>m.a</hostname><port>993</port>'
                b"<socketType>SSL</socketType></incomingServer></emailProvider></clientConfig>"
            ),
            b"<Autodiscover><Protocol><Type>SMTP</Type><Server>m.a</Server><Port>465</Port></Protocol></Autodiscover>",
        ),
        (ForUser,),
    ),
    "what mail programs are told by PACC": Parser(
        lambda data: (setup_pacc.flaw(data, (data.decode("latin-1"),)), setup_pacc.services(data)),
        (
            b'{"protocols":{"imap":{"host":"mx.a.example"},"submit":{"host":"mx.a.example"}}}',
            b"v=UAAC1; a=sha256; d=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
        (ForUser,),
    ),
    "where a redirect leads": Parser(
        lambda text: redirects.follow("https://a.example/b", text),
        (b"https://b.example:443/c?d#e", b"//[::1]/", b"/../x", b"https://u@b.example/"),
        (ForUser,),
        True,
    ),
    "a conversation with a server under test": Parser(
        _talked, (b"220 a\r\n250-a\r\n250 CHUNKING\r\n250 ok\r\n221 bye\r\n", b"421 \x1b[2J\n", b"220-a\r\n" * 120)
    ),
    "where port 25 is tried": Parser(
        _opened, (b"mx.a.example:25", b"[2001:db8::25]:587", b"a:0", b"2001:db8::1"), (), True
    ),
    "SRV records of mail": Parser(lambda text: setup_documents.by_srv("_imaps", [text]), (b"0 1 993 m.a.",), (), True),
    "DKIM key": Parser(dkim_record.DkimKey.parse, (b"v=DKIM1; h=sha256; s=email; t=y:s; p=eHh4",), (Deliberate,)),
    "DKIM key as text": Parser(keys.public_key, (b'"v=DKIM1; p=" "eHh4"', b'"\\065'), (), True),
    "signatures and seals": Parser(_authenticated, (SIGNED + MAIL, SIGNED)),
    "Authentication-Results": Parser(results.Results.parse, (RESULTS,), (), True),
    "forged results": Parser(
        lambda data: results.without_forged(data, "mx.a.example"),
        (b"Authentication-Results: " + RESULTS + b"\r\n" + MAIL,),
    ),
    "MTA-STS record": Parser(mtasts.Announcement.parse, (b"v=STSv1; id=20160831085700Z; x=y;",), (Deliberate,), True),
    "MTA-STS policy": Parser(
        mtasts.Sts.parse,
        (b"version: STSv1\r\nmode: enforce\nmx: *.example.org\nmx: a.b\nmax_age: 604800\r\n",),
        (Deliberate,),
    ),
    "MTA-STS policy that was kept": Parser(
        Kept.parse,
        (
            b'{"domain": "a.b", "id": "1", "policy": "version: STSv1\\nmode: none\\nmax_age: 1", "fetched": 1, "used": 2e9}',
        ),
        (ValueError,),
    ),
    "a peer's certificates": Parser(_certificates, (b"0\x03\x02\x01\x01",), ()),
    "zone file": Parser(
        zonefile.read,
        (b'$ORIGIN a.example.\n$TTL 1h\n@ SOA a b ( 1 2 3 4 5 ) ; x\nb TXT "a\n"\n',),
        (Deliberate,),
        True,
    ),
    "DMARC report": Parser(
        lambda data: dmarc_xml.written(dmarc_xml.parse(data)),
        (samples.RFC9990, samples.OLD),
        (Deliberate,),
        of=["parse"],
    ),
    "TLS report": Parser(
        lambda data: tls_json.written(tls_json.parse(data)), (samples.RFC8460,), (Deliberate,), of=["parse"]
    ),
    "mail with a report": Parser(
        unpack.unpack, (samples.google(), samples.mail(samples.RFC9990, "text/xml")), (Deliberate,), of=["unpack"]
    ),
    "packed report": Parser(
        unpack.opened,
        (samples.zipped(("a.xml", samples.OLD)), samples.gzipped(samples.RFC9990), samples.RFC8460),
        (Deliberate,),
        of=["opened", "gunzipped", "unzipped"],
    ),
    "DMARC's tags": Parser(
        lambda text: (report_tags.tags(text), report_tags.published("a.example", text)),
        (b"v=DMARC1; p=none; sp=x; rua=mailto:a@b!1k; t=y",),
        (),
        True,
        ["tags", "published"],
    ),
    "rua": Parser(
        report_tags.destinations,
        (b"mailto:a@b.c!10m,mailto:%41@b?x=y,https://d",),
        (),
        True,
        ["destinations", "mailto"],
    ),
    "TLS reporting record": Parser(
        lambda text: (tlsrpt.found([text]), tlsrpt.TlsRpt.parse(text)),
        (b"v=TLSRPTv1; x=y; rua=mailto:a@b.c, https://d/e;",),
        (Deliberate,),
        True,
    ),
    "configuration": Parser(
        lambda data: tree.parse(data, Path("/nowhere/m.yml")),
        (b"a: [1, {b: !file c}]\nd: &x 1\ne: *x\n", b"? a\n: |\n b"),
        (Deliberate,),
    ),
    "duration": Parser(words.duration, (b"3h5m", b"1d"), (ValueError,), True),
    "SRS": Parser(
        _srs,
        (b"SRS0=AAAAAA=AB=a.example=b@ours.example", b"SRS1=AAAAAA=a==BBBB=AB=c=d@ours.example", *ADDRESSES),
        (),
        True,
        ["forward", "reverse", "is_rewritten"],
    ),
    "names of a client": Parser(
        _listed,
        (b"192.0.2.1", b"::ffff:192.0.2.1", b"bad.example", b"a1@b.example"),
        (),
        True,
        ["address", "domain", "triplet", "network", "names"],
    ),
    "rspamd": Parser(
        rspamd.hint,
        (
            b'HTTP/1.1 200 OK\r\nContent-Length: 46\r\n\r\n{"action":"reject","score":1,"symbols":{"A":1}}',
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ),
        (Deliberate,),
        of=["hint"],
    ),
    "spamd": Parser(
        lambda data: spamd.hint(data, spamd.Thresholds()),
        (b"SPAMD/1.1 0 EX_OK\r\nContent-length: 3\r\nSpam: True ; 1000.0 / 5.0\r\n\r\nA,B",),
        (Deliberate,),
    ),
    "clamd": Parser(clamd.hint, (b"stream: OK\0", b"stream: A.B FOUND\0", b"x ERROR\0"), (Deliberate,)),
    "a stranger's words": Parser(hints.plain, ("ä\u202ex\r\n".encode(),), of=["plain"]),
    "a scanner's place": Parser(
        lambda text: place.parse_web(text) if "//" in text else place.parse(text),
        (b"[::1]:783", b"/run/x", b"http://a:1/b"),
        (Deliberate,),
        True,
        ["parse_web"],
    ),
    "Autodiscover's request": Parser(
        autodiscover.asked,
        (
            b'<?xml version="1.0"?><A xmlns="http://a"><Request><EMailAddress>a@b</EMailAddress></Request></A>',
            b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        ),
        (autodiscover.Unreadable,),
        of=["asked"],
    ),
    "a proxy's headers": Parser(
        lambda text: behind.whose(
            "127.0.0.1",
            [(f"x-forwarded-{name}", text) for name in ("for", "proto", "host")],
            [ipaddress.ip_network("127.0.0.0/8")],
        ),
        (b"192.0.2.1, 127.0.0.1", b"2001:db8::1%eth0,http", b"::ffff:127.0.0.1"),
        (),
        True,
        ["whose"],
    ),
    "sender pattern": Parser(patterns.pattern, (b"a-*@b", b"re:(a|b)+@c", b"re:(a+)+$"), (patterns.BadPattern,), True),
}


@st.composite
def spoilt(draw: st.DrawFn, examples: Collection[bytes]) -> bytes:
    """An example after some accidents; now and then anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=300))
    data = draw(st.sampled_from(sorted(examples)))
    for _ in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 12)))
        piece = draw(
            st.one_of(
                st.sampled_from(
                    [
                        b"",
                        b"\0",
                        b"\r",
                        b"\n",
                        b"\r\n",
                        b'"',
                        b"\\",
                        b"(",
                        b")",
                        b"<",
                        b">",
                        b"=?",
                        b"%",
                        b"\xff",
                        b",",
                        b";",
                        b":",
                    ]
                ),
                st.binary(max_size=4),
                st.just(data[start:end] * draw(st.sampled_from([2, 50]))),
                st.integers(0, 1 << 70).map(lambda n: str(n).encode()),
            )
        )
        data = data[:start] + piece + data[end:]
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_but_what_is_declared(name: str) -> None:
    parser = PARSERS[name]

    @settings(
        max_examples=60 * TIMES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
    )
    @given(spoilt(parser.examples))
    def holds(data: bytes) -> None:
        given_ = data.decode("utf-8", "surrogateescape") if parser.text else data
        with suppress(*parser.raises):
            parser.read(given_)

    holds()


WRITERS = {  # functions of these rooms that read nothing foreign
    "message": {
        "field", "one_line", "words", "mailbox", "message_id", "lines", "text_part", "multipart", "boundary", "message",
        "written", "notification", "received", "suite_name", "return_path", "delivered_to", "string", "nstring", "clean",
        "folded", "get", "references", "ordered_subject", "text",
    },
    "smtp": set[str](),
    "reports": {"written"},
    "spam": {"question", "works", "acquaintance"},
    "receive": set[str](),
    "http": {"document", "error", "pointer", "no_protocol"},
}  # fmt: skip


@pytest.mark.parametrize(
    "room, files",
    [
        ("message", "*.py"),
        ("smtp", "grammar.py"),
        ("smtp", "parameters.py"),
        ("smtp", "proxy.py"),
        ("smtp", "octets.py"),
        ("reports", "dmarc_xml.py"),
        ("reports", "tls_json.py"),
        ("reports", "unpack.py"),
        ("reports", "tags.py"),
        *(("spam", f"{file}.py") for file in ("clamd", "dnsbl", "hints", "place", "reputation", "rspamd", "spamd")),
        ("receive", "srs.py"),
        ("http", "autodiscover.py"),
        ("http", "behind.py"),
    ],
)
def test_no_parser_is_forgotten(room: str, files: str) -> None:
    known = {function for parser in PARSERS.values() for function in parser.of} | WRITERS[room]
    found = {
        node.name
        for path in (ROOT / "mailsrv" / room).glob(files)
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    assert found <= known


def test_the_fuzzer_finds_what_is_there() -> None:
    """Else the table above would prove nothing."""
    found: list[bytes] = []

    def careless(data: bytes) -> None:
        if b"\0" in data:
            found.append(data)

    settings(max_examples=300, deadline=None, database=None)(given(spoilt((MAIL,)))(careless))()
    assert found
