"""TLS policy between real servers: our queue to Postfix and Postfix to us, with every kind of TLSA record and MTA-STS policy.

Each row changes the DNS (and the web), sends one message through a queue of its own, and reads the log line that came of it;
the table stands at the end of the run.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import ssl
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from mailsrv.send.carrier import Carrier
from mailsrv.send.client import Patience
from mailsrv.send.connections import Connections
from mailsrv.send.encrypting import Contexts, contexts
from mailsrv.send.route import Ours, Router
from mailsrv.transport.caching import Cache
from mailsrv.transport.fetching import Fetcher
from mailsrv.transport.mtasts import StsPolicies
from mailsrv.transport.noting import Notes
from mailsrv.transport.outcome import Outcome
from mailsrv.transport.policies import Policed
from tests.lab import matrix
from tests.lab.mailserver import MailServer
from tests.lab.network import MX2
from tests.mailsrv.send.world import World
from tests.mailsrv.transport.web import Web, ok

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree
    from tests.lab.pki import Credentials, Pki
    from tests.lab.postfix import Receiver, Sender

TLSA, STS_DOMAINS = "_25._tcp.mx1.example.org", ("unsigned.org", "nods.org")
WRONG, UNUSABLE = "3 1 1 " + "ef" * 32, "1 1 1 " + "ef" * 32
PATIENCE = Patience(connect=5, handshake=5, greeting=10, command=10, data=10, final=10, goodbye=1)


@pytest.fixture(scope="module")
def shown(pki: Pki) -> Credentials:
    """What Postfix shows: for mx1 of two zones, not for that of nods.org."""
    return pki.issue(["mx1.example.org", "mx1.unsigned.org"])


@pytest.fixture(scope="module")
def receiver(dnstree: DnsTree, lab: Path, shown: Credentials) -> Iterator[Receiver]:
    from tests.conftest import layer
    from tests.lab.postfix import Receiver

    chain, key = shown.write(lab / "matrix", "mx1")
    with layer("Postfix, receiving under policies", Receiver(lab / "matrix", chain, key)) as started:
        yield started


@pytest.fixture(scope="module")
def announced(dnstree: DnsTree) -> Iterator[None]:
    """`mta-sts.` of the zones without DANE, on an address of its own."""
    for zone in STS_DOMAINS:
        dnstree.replace(f"mta-sts.{zone}", "A", MX2)
    yield
    for zone in STS_DOMAINS:
        dnstree.replace(f"mta-sts.{zone}", "A")
        dnstree.replace(f"_mta-sts.{zone}", "TXT")


class Heard(list[Outcome]):
    def note(self, outcome: Outcome) -> None:
        self.append(outcome)


def attempted(domain: str, pki: Pki, web: Web | None = None) -> tuple[dict[str, Any], list[str]]:
    """The log line of one attempt by a queue of its own, and what the TLS report heard."""
    from dnsops.resolve.choice import resolver

    async def story() -> tuple[dict[str, Any], list[str]]:
        async with AsyncExitStack() as stack:
            resolving = await stack.enter_async_context(resolver())
            if web is not None:
                await stack.enter_async_context(web)
            heard = Heard()
            notes = Notes(lambda: datetime.now(UTC), heard, "us.example")
            trusting = ssl.create_default_context(cafile=str(pki.ca))
            fetcher = Fetcher(resolving, lambda ip: str(ip) == MX2, trusting, deadline=10)
            sts = StsPolicies(resolving, fetcher, Cache(), lambda: datetime.now(UTC))
            given = Contexts(contexts().anyone, trusting)
            connections = Connections("us.example", PATIENCE, given)
            carrier = Carrier(Router(Ours()), resolving, connections, Policed(resolving, sts, notes), notes)
            world = World(carrier=carrier)
            await world.send(f"user1@{domain}")
            async with asyncio.timeout(30):
                await world.outbound.once()
                await world.outbound.stop()
                await sts.close()
            lines = [json.loads(line) for line in world.said.getvalue().splitlines()]
            (line,) = [line for line in lines if "to" in line]
            return line, [one.trouble.value if one.trouble else "success" for one in heard]

    return asyncio.run(story())


def held(line: dict[str, Any], words: tuple[str, str, str, str], domain: str, said: str) -> None:
    """The log line says this; the table too."""
    found = (line["event"].removeprefix("send."), line["code"], line["policy"], line["trust"])
    matrix.ROWS.append(("us", f"Postfix, {domain}", said, f"{found[0]} {found[1]}", found[2] or "-", found[3] or "-"))
    assert found == words, line


def authority(pki: Pki) -> bytes:
    return x509.load_pem_x509_certificate(pki.ca.read_bytes()).public_bytes(Encoding.DER)


DONE, LATER = ("delivered", "2.0.0"), ("later", "4.7.5")


@pytest.mark.parametrize(
    "said,kind,words,report",
    [
        ("TLSA 3 1 1, right", "right", (*DONE, "dane", "verified"), "success"),
        ("TLSA 2 0 0, the authority's", "authority", (*DONE, "dane", "verified"), "success"),
        ("TLSA 2 0 1, the authority not shown", "absent", (*LATER, "dane", ""), "certificate-not-trusted"),
        ("TLSA 3 1 1, wrong", "wrong", (*LATER, "dane", ""), "validation-failure"),
        ("TLSA, two of which one is right", "both", (*DONE, "dane", "verified"), "success"),
        ("TLSA 1 1 1, for nobody's use", "unusable", (*DONE, "encrypt", "encrypted"), "tlsa-invalid"),
        ("no TLSA", "none", (*DONE, "opportunistic", "encrypted"), "success"),
    ],
)
def test_we_send_by_dane(
    said: str, kind: str, words: tuple[str, str, str, str], report: str, receiver: Receiver, shown: Credentials, pki: Pki,
    clean_zone: DnsTree,
) -> None:  # fmt: skip
    right = shown.association
    absent = "2 0 1 " + hashlib.sha256(authority(pki)).hexdigest()
    records = {
        "right": [right], "wrong": [WRONG], "both": [WRONG, right], "unusable": [UNUSABLE], "none": [],
        "authority": ["2 0 0 " + authority(pki).hex()], "absent": [absent],
    }[kind]  # fmt: skip
    clean_zone.replace(TLSA, "TLSA", *records)
    line, heard = attempted("example.org", pki)
    held(line, words, "example.org", said)
    assert set(heard) == {report}
    assert line["tls"] == ("TLSv1.3" if words[0] == "delivered" else "")


@pytest.mark.parametrize(
    "domain,said,words,report",
    [
        ("bogus.org", "TLSA forged (bogus)", (*LATER, "dane", ""), ["dnssec-invalid"]),
        ("missig.org", "TLSA without its signature", (*LATER, "dane", ""), ["dnssec-invalid"]),
        ("expired.org", "MX with expired signatures", ("later", "4.4.3", "", ""), []),
        ("unsigned.org", "TLSA in an unsigned zone", (*DONE, "opportunistic", "encrypted"), ["success"]),
    ],
)
def test_we_send_where_dnssec_is_broken_or_absent(
    domain: str, said: str, words: tuple[str, str, str, str], report: list[str], receiver: Receiver, pki: Pki
) -> None:
    line, heard = attempted(domain, pki)
    held(line, words, domain, said)
    assert heard == report


def policy(mode: str, mx: str) -> bytes:
    return ok(f"version: STSv1\nmode: {mode}\nmx: {mx}\nmax_age: 86400\n")


@pytest.mark.parametrize(
    "domain,said,answer,words,report",
    [
        ("unsigned.org", "MTA-STS enforce, right", policy("enforce", "mx1.unsigned.org"), (*DONE, "mta-sts", "verified"), "success"),
        ("unsigned.org", "MTA-STS testing, right", policy("testing", "*.unsigned.org"), (*DONE, "testing", "verified"), "success"),
        ("unsigned.org", "MTA-STS enforce, other MX", policy("enforce", "mx2.unsigned.org"), (*LATER, "mta-sts", ""), "validation-failure"),
        ("unsigned.org", "MTA-STS testing, other MX", policy("testing", "mx2.unsigned.org"), (*DONE, "testing", "encrypted"),
         "validation-failure"),
        ("nods.org", "MTA-STS enforce, other certificate", policy("enforce", "mx1.nods.org"), (*LATER, "mta-sts", ""),
         "certificate-host-mismatch"),
        ("nods.org", "MTA-STS testing, other certificate", policy("testing", "mx1.nods.org"), (*DONE, "testing", "encrypted"),
         "certificate-host-mismatch"),
        ("unsigned.org", "MTA-STS none", policy("none", "mx1.unsigned.org"), (*DONE, "opportunistic", "encrypted"), "success"),
        ("unsigned.org", "MTA-STS, 404", b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", (*DONE, "opportunistic", "encrypted"),
         "sts-policy-fetch-error"),
        ("unsigned.org", "MTA-STS, not a policy", ok("hello"), (*DONE, "opportunistic", "encrypted"), "sts-policy-invalid"),
    ],
)  # fmt: skip
def test_we_send_by_mta_sts(
    domain: str, said: str, answer: bytes, words: tuple[str, str, str, str], report: str, receiver: Receiver, pki: Pki,
    dnstree: DnsTree, announced: None, tmp_path: Path,
) -> None:  # fmt: skip
    dnstree.replace(f"_mta-sts.{domain}", "TXT", '"v=STSv1; id=1;"')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.issue([f"mta-sts.{domain}"]).write(tmp_path, "web"))
    line, heard = attempted(domain, pki, Web(context, [answer], MX2, 443))
    held(line, words, domain, said)
    assert heard == [report]


# Postfix to us

OURS, OUR_HOST = "ours.example.org", "mx2.example.org"


@pytest.fixture(scope="module")
def our_keys(pki: Pki) -> Credentials:
    return pki.issue([OUR_HOST])


@pytest.fixture(scope="module")
def server(
    dnstree: DnsTree, pki: Pki, our_keys: Credentials, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MailServer]:
    directory = tmp_path_factory.mktemp("ours")
    chain, key = our_keys.write(directory, "pair")
    settings: dict[str, Any] = {
        "hostname": OUR_HOST,
        "domains": [OURS],
        "accounts": [{"name": "alice", "password": "!file password", "addresses": [f"alice@{OURS}"]}],
        "listeners": {"smtp": {"port": 25, "bind": MX2}},
        "tls": {"certificate": str(chain), "key": str(key)},
        "queue": {"next_hop": None},
        "transport": {"fetch_from": [MX2]},
    }
    with MailServer(directory, pki=pki, **settings) as started:
        yield started


@pytest.mark.parametrize(
    "said,kind,status,tls",
    [
        ("TLSA 3 1 1, right", "right", "sent", "Verified"),
        ("TLSA 3 1 1, wrong", "wrong", "deferred", "Untrusted"),
        ("no TLSA", "none", "sent", "Untrusted"),
    ],
)
def test_postfix_sends_to_us(
    said: str,
    kind: str,
    status: str,
    tls: str,
    server: MailServer,
    our_keys: Credentials,
    postfix: Sender,
    clean_zone: DnsTree,
) -> None:
    records = {"right": [our_keys.association], "wrong": [WRONG], "none": []}[kind]
    host = f"{kind}.{OUR_HOST}"  # another for each row: Postfix keeps TLSA answers for a while
    clean_zone.replace(OURS, "MX", f"10 {host}.")
    clean_zone.replace(host, "A", MX2)
    clean_zone.replace(f"_25._tcp.{host}", "TLSA", *records)
    before = len(server.messages("alice"))
    found = postfix.send(f"alice@{OURS}")
    matrix.ROWS.append(("Postfix", f"us, {OURS}", said, f"{found.status} {found.dsn}", "dane", found.tls or "-"))
    assert (found.status, found.tls) == (status, tls), found.line
    assert len(server.messages("alice")) == before + (status == "sent")
    postfix.empty()


def test_postfix_does_not_send_where_the_tlsa_is_forged(receiver: Receiver, postfix: Sender) -> None:
    found = postfix.send("user1@bogus.org")
    matrix.ROWS.append(
        ("Postfix", "Postfix, bogus.org", "TLSA forged (bogus)", f"{found.status} {found.dsn}", "dane", "-")
    )
    assert found.status == "deferred"
    postfix.empty()


def test_the_whole_server_keeps_to_dane(
    server: MailServer, receiver: Receiver, shown: Credentials, clean_zone: DnsTree
) -> None:
    """`mailsrv serve` as it is configured without a word about TLS."""
    from tests.lab.program import wait_until

    clean_zone.replace(TLSA, "TLSA", shown.association)
    with server.submission("alice") as client:
        client.sendmail(f"alice@{OURS}", ["user1@example.org"], f"From: alice@{OURS}\r\nSubject: x\r\n\r\nx\r\n")
    wait_until(lambda: bool(server.events("send.delivered")), "our server to deliver")
    (line,) = server.events("send.delivered")
    held(line, (*DONE, "dane", "verified"), "example.org", "TLSA 3 1 1, right (mailsrv serve)")
