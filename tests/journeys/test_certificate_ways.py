"""`mailsrv cert issue` by the other ways in: TLS-ALPN-01 at the running server's own port 443, and DNS-01 with BIND as holder."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest

from dnsops.certs.chain import from_pem
from dnsops.certs.generations import Generation, Generations
from tests.journeys.shell import HOST, Done, Shell
from tests.lab.acme import Pebble
from tests.lab.bind import SIGNED, Bind
from tests.lab.dns_conf import TSIG_FILE
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import MailServer
from tests.lab.network import BIND, MX, MX6
from tests.lab.pki import Pki
from tests.lab.program import wait_until

NAME = "mta-sts.example.org"


def result(done: Done) -> dict[str, Any]:
    assert done.status == 0, done
    (one,) = json.loads(done.out)["results"]
    return dict(one)


def current(shell: Shell, host: str) -> Generation:
    found = Generations(shell.state / "certs").current(host)
    assert found
    assert found.chain
    return found


# TLS-ALPN-01


@pytest.fixture
def server(shell: Shell, pebble: Pebble, pki: Pki, clean_zone: DnsTree) -> Iterator[MailServer]:
    """It has no certificate yet, and nobody holds its zone: all it has is its port 443, where two names of it lead."""
    for name in (HOST, NAME):
        clean_zone.replace(name, "A", MX)
        clean_zone.replace(name, "AAAA", MX6)
    acme = {"directory": pebble.url, "roots": str(pki.ca), "contact": "user1@example.org", "challenge": "tls-alpn-01"}
    made = MailServer(shell.home / "serve", pki, web=True, tls=None, hostname=HOST, domains=["example.org"], acme=acme)
    made.settings["state"] = {"directory": str(shell.state)}
    made.settings["listeners"]["https"] = {"port": 443, "bind": [MX, MX6]}
    made.settings["listeners"]["web"] = {"enabled": False}
    made.ports["https"] = 443
    made.write()
    with made as running:
        running.address = MX
        yield running
    clean_zone.replace(NAME, "A")
    clean_zone.replace(NAME, "AAAA")


def shown(server: MailServer) -> bytes:
    """The certificate that a visitor sees, DER."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate((MX, server.ports["https"]), timeout=10))


def test_tls_alpn_01_at_the_running_servers_own_port(server: MailServer, shell: Shell, pebble: Pebble) -> None:
    before = shown(server)
    told = result(shell.here("cert", "issue", "--json", "--config", str(server.config)))
    assert (told["action"], told["issued"], told["switched"]) == ("switch", True, True)
    pair = current(shell, HOST)
    assert pair.chain
    assert set(pair.chain.names) == {HOST, NAME}
    leaf = from_pem(pair.chain_path.read_bytes(), "").certificates[0]
    wait_until(lambda: shown(server) == leaf, "the issued certificate to be shown")
    assert before != leaf
    _trusted(server, pebble)
    assert not [path for path in (shell.state / "acme").rglob("*alpn*") if path.is_file()], (
        "nothing is left of the answers"
    )
    assert result(shell.here("cert", "issue", "--json", "--config", str(server.config)))["action"] == "none"


def _trusted(server: MailServer, pebble: Pebble) -> None:
    """Both names, by who trusts the authority alone."""
    context = ssl.create_default_context(cadata=pebble.root().decode())
    for name in (HOST, NAME):
        with socket.create_connection((MX, server.ports["https"]), 10) as sock:
            context.wrap_socket(sock, server_hostname=name).close()


# DNS-01 with BIND


def test_dns_01_where_bind_holds_and_signs_the_zone(
    shell: Shell, bind: Bind, pebble: Pebble, pki: Pki, dnstree: DnsTree
) -> None:
    """The domain and its wildcard: two texts at one name, each of them proven before the authority is told to look."""
    host = f"mx1.{SIGNED}"
    key = shell.home / "tsig.key"
    key.write_text(TSIG_FILE)
    key.chmod(0o600)
    words = ("cert", "issue", host, "--name", SIGNED, "--name", f"*.{SIGNED}", "--directory", pebble.url)
    words = (*words, "--roots", str(pki.ca), "--contact", "user1@example.org")
    words = (*words, "--provider", f"rfc2136:{BIND}", "--tsig-key", str(key))
    told = result(shell.here(*words, "--json"))
    assert (told["action"], told["issued"]) == ("switch", True)
    chain = current(shell, host).chain
    assert chain
    assert set(chain.names) == {host, SIGNED, f"*.{SIGNED}"}
    for name in (host, SIGNED):
        assert dnstree.texts(f"_acme-challenge.{name}", "TXT", BIND) == set(), "no challenge is left behind"
    assert shell.here(*words, "--json", "--dry-run").status == 0
    told = result(shell.here(*words, "--json", "--force"))
    assert told["issued"] is True, "renewed the same way, with the key that was announced"
