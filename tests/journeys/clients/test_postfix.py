"""Postfix as a peer: it takes the mail of our queue, and brings every message back to our port 25 by its own queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.mailserver import DOMAIN, MailServer, free_ports
from tests.lab.program import listening, wait_until

if TYPE_CHECKING:
    from tests.lab.pki import Pki
    from tests.lab.postfix import Instance

COUNT = 40


@pytest.fixture(scope="module")
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("peer"), queue={"next_hop": f"127.0.0.1:{port}"}) as server:
        yield server


@pytest.fixture(scope="module")
def peer(lab: Path, pki: Pki, server: MailServer, port: int) -> Iterator[Instance]:
    """Whatever is for elsewhere.test comes back to bob."""
    from tests.conftest import layer
    from tests.lab.postfix import Instance

    chain, key = pki.issue(["relay.lab"]).write(lab / "relay", "relay")
    settings = {
        "myhostname": "relay.lab",
        "mydestination": "",
        "inet_protocols": "ipv4",
        "relayhost": f"[127.0.0.1]:{server.ports['smtp']}",
        "virtual_alias_domains": "elsewhere.test",
        "virtual_alias_maps": f"inline:{{@elsewhere.test=bob@{DOMAIN}}}",
        "smtpd_tls_chain_files": f"{key}, {chain}",
        "smtpd_tls_security_level": "may",
        "smtpd_tls_loglevel": "1",
        "smtp_tls_security_level": "encrypt",
        "smtp_tls_loglevel": "1",
    }
    instance = Instance(lab / "relay", "relay", settings, f"127.0.0.1:{port} inet n - n - - smtpd\n")
    with layer("Postfix, a relay", instance) as started:
        wait_until(lambda: listening("127.0.0.1", port), "the relay's port")
        yield started


def test_there_and_back_again(server: MailServer, peer: Instance) -> None:
    bodies = {}
    with server.submission() as client:
        for n in range(COUNT):
            body = b".\r\n..\r\nFrom here\r\n" + b"x" * 900 + b"\r\n" + bytes([0x80 + n]) * n + b"\r\n" * (n % 3)
            bodies[n] = body
            head = f"From: alice@{DOMAIN}\r\nTo: you@elsewhere.test\r\nSubject: there {n}\r\nDate: Mon, 2 Mar 2026 12:00:00 +0000\r\n"
            name = f"Message-ID: <there-{n}@{DOMAIN}>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
            text = head + name + "Content-Transfer-Encoding: 8bit\r\n\r\n"
            client.sendmail(
                f"alice@{DOMAIN}", ["you@elsewhere.test"], text.encode() + body + b"end\r\n", ["BODY=8BITMIME"]
            )
    wait_until(lambda: len(server.messages("bob")) >= COUNT, "all of it to come back", 60)
    came = server.messages("bob")
    assert len(came) == COUNT
    for message in came:
        found = re.search(rb"Subject: there (\d+)\r\n", message)
        assert found
        assert message.partition(b"\r\n\r\n")[2] == bodies[int(found[1])] + b"end\r\n"
        assert message.count(b"Received: ") >= 3
    log = peer.log.read_text()
    assert log.count("status=sent") >= COUNT
    assert "TLS connection established" in log
    assert not re.search(r"warning: |fatal: |status=(deferred|bounced)", log), log[-3000:]


def test_what_postfix_refuses_comes_back_as_a_notice(server: MailServer, peer: Instance) -> None:
    with server.submission() as client:
        text = f"From: alice@{DOMAIN}\r\nSubject: nowhere\r\n\r\nx\r\n"
        client.sendmail(f"alice@{DOMAIN}", ["you@nosuch.invalid"], text)
    # the relay hands it to us, and we have no such user: its own bounce comes back to alice
    wait_until(lambda: any(b"Final-Recipient" in message for message in server.messages("alice")), "the notice", 60)
