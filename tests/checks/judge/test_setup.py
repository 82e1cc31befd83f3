"""Setting up an account as mail programs do: documents read, and what is said of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from checks.facts.setup import Place, Service, Setup, Source
from checks.finding import Finding, Status
from checks.judge import setup
from checks.judge.setup_documents import ELEMENTS, LARGEST, by_srv, services
from dnsops.base.errors import ForUser
from mailsrv.http import autoconfig, autodiscover
from mailsrv.http.offer import Kind, Offer
from mailsrv.http.offer import Service as Offered
from tests.checks.judge import scenes

IMAP, SMTP = Service("imap", "mx.good.test", 993, "TLS"), Service("smtp", "mx.good.test", 465, "TLS")
OFFER = Offer("good.test", "Good", (Offered(Kind.IMAP, "mx.good.test", 993, True),), (Offered(Kind.SMTP, "mx.good.test", 465, True),))  # fmt: skip
THUNDERBIRD, OUTLOOK = autoconfig.document(OFFER), autodiscover.document(OFFER, "a@good.test")
WHERE = "https://autoconfig.good.test/mail/config-v1.1.xml"


def test_our_own_documents_say_what_we_offer() -> None:
    assert services(THUNDERBIRD, "good.test") == services(OUTLOOK, "good.test") == (IMAP, SMTP)


def thunderbird(*servers: str) -> bytes:
    return f"<clientConfig><emailProvider>{''.join(servers)}</emailProvider></clientConfig>".encode()


def server(host: str = "mx.good.test", port: str = "993", socket: str = "SSL") -> str:
    words = f"<hostname>{host}</hostname><port>{port}</port><socketType>{socket}</socketType>"
    return f'<incomingServer type="imap">{words}</incomingServer>'


@pytest.mark.parametrize(
    "document, found",
    [
        (
            thunderbird(server("imap.%EMAILDOMAIN%", "143", "STARTTLS")),
            (Service("imap", "imap.good.test", 143, "STARTTLS"),),
        ),
        (thunderbird(server(socket="plain", port="143")), (Service("imap", "mx.good.test", 143, "no TLS"),)),
        (thunderbird(), ()),
        (thunderbird('<incomingServer type="exchange"/>'), ()),
        (
            b"<Autodiscover><Protocol><Type>SMTP</Type><Server>m.a</Server><Port>587</Port><SSL>on</SSL></Protocol></Autodiscover>",
            (Service("smtp", "m.a", 587, "STARTTLS"),),
        ),
    ],
)
def test_what_a_document_names(document: bytes, found: tuple[Service, ...]) -> None:
    assert services(document, "good.test") == found


@pytest.mark.parametrize(
    "document, why",
    [
        (b"<html><p>not found</html>", "a web page"),
        (b"<html/>", "a web page"),
        (b"<rss/>", "another kind"),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><clientConfig>&x;</clientConfig>', "document type"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><clientConfig/>', "document type"),
        (thunderbird("<a/>" * (ELEMENTS + 1)), "too many elements"),
        (b"<clientConfig>" * 100, "too many elements"),
        (thunderbird(server("a" * 5000)), "too long"),
        (b" " * (LARGEST + 1), "longer than"),
        (thunderbird(server("not a host")), ""),
        (thunderbird(server(port="99999999999")), "not a port"),
    ],
)
def test_a_hostile_or_broken_document(document: bytes, why: str) -> None:
    with pytest.raises(ForUser) as raised:
        services(document, "good.test")
    assert why in raised.value.what


@pytest.mark.parametrize(
    "label, record, found",
    [
        ("_imaps", "0 1 993 mx.good.test.", (IMAP,)),
        ("_submissions", "0 1 465 mx.good.test.", (SMTP,)),
        ("_imap", "0 0 0 .", ()),
        ("_imap", "nonsense", ()),
    ],
)
def test_srv_records(label: str, record: str, found: tuple[Service, ...]) -> None:
    assert by_srv(label, (record,)) == found


def judged(*sources: Source, places: tuple[Place, ...] = (), srv: tuple[str, ...] = ()) -> Finding:
    facts = scenes.good()
    if srv:
        facts = scenes.noted(facts, scenes.page(scenes.answer("_imaps._tcp.good.test", "SRV", *srv)))
    return setup.finding(replace(facts, beyond=replace(facts.beyond, setup=Setup(sources, places))))


def source(body: bytes | None = None, **words: object) -> Source:
    return Source(WHERE, "Thunderbird", body, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "found, status, said",
    [
        (judged(source(THUNDERBIRD)), Status.GOOD, "imap mx.good.test:993 (TLS)"),
        (judged(srv=("0 1 993 mx.good.test.",)), Status.GOOD, "SRV records"),
        (judged(source(why="no such name", absent=True)), Status.INFO, "must type"),
        (judged(source(why="TLS: certificate has expired")), Status.NOTICE, "has expired"),
        (judged(source(b"<html/>")), Status.NOTICE, "a web page"),
        (
            judged(source(THUNDERBIRD), places=(Place("mx.good.test", 993, "Connection refused"),)),
            Status.NOTICE,
            "refused",
        ),
        (judged(source(thunderbird(server(socket="plain", port="143")))), Status.FAIL, "in the clear"),
        (judged(source(THUNDERBIRD), srv=("0 1 993 other.test.",)), Status.INFO, "different servers"),
        (judged(source(b"\x1b[2J")), Status.NOTICE, "not XML"),
    ],
)
def test_what_programs_find(found: Finding, status: Status, said: str) -> None:
    assert (found.right, found.points) == (status, None)
    assert said in " | ".join(found.details)
    assert bool(found.fix) == (status < Status.NOT_TESTED)
