"""A real authority validates names of ours at the ports of a running server, and what it issued is served by it."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dnsops.acme.answers import AlpnAnswers, HttpAnswers
from tests.dnsops.acme import issuing
from tests.lab.acme import Pebble
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import MailServer
from tests.lab.network import MX, MX6
from tests.mailsrv.http.asking import ask

HOST = "mx1.example.org"
POLICY = "/.well-known/mta-sts.txt"


@pytest.fixture(scope="module")
def server(dnstree: DnsTree, pebble: Pebble, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    """At the addresses that the DNS has for the host."""
    made = MailServer(tmp_path_factory.mktemp("serve"), web=True, hostname=HOST, domains=["example.org"])
    for kind, port in (("https", 443), ("web", 80)):
        made.settings["listeners"][kind] = {"port": port, "bind": [MX, MX6]}
        made.ports[kind] = port
    made.write()
    with made as running:
        running.address = MX
        yield running


@pytest.mark.parametrize("answers", [HttpAnswers, AlpnAnswers])
def test_pebble_validates_at_our_ports_while_others_are_served(
    server: MailServer, pebble: Pebble, tmp_path: Path, answers: Callable[[Path], HttpAnswers | AlpnAnswers]
) -> None:
    done, unlucky = threading.Event(), []

    def visitor() -> None:
        while not done.is_set():
            try:
                unlucky.extend([] if ask(server, "mta-sts.example.org", POLICY).status == 200 else ["status"])
            except (OSError, ssl.SSLError) as error:
                unlucky.append(repr(error))

    thread = threading.Thread(target=visitor)
    thread.start()
    try:
        chain = issuing.authority(pebble.url, tmp_path).issue(issuing.wish(HOST), answers(server.state))
    finally:
        done.set()
        thread.join()
    assert issuing.names_of(chain) == {HOST}
    assert unlucky == []
    assert [path for path in (server.state / "acme").rglob("*") if path.is_file()] == []
