"""A man in the middle who keeps us from TLS: under DANE he gets nothing, without it he gets what nobody protected.

`mailsrv serve` sends; the signed tree says whose key it must be; a host of the lab stands behind the man.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple
from typing import TYPE_CHECKING

import pytest

from tests.lab.downgrade import Between, Trick, attempted
from tests.lab.mailserver import MailServer
from tests.lab.network import MX, MX2, MX6

if TYPE_CHECKING:
    from tests.lab.dnstree import DnsTree
    from tests.lab.mx import Mx
    from tests.lab.pki import Credentials, Pki

HOST = "mx1.example.org"
TLSA = f"_25._tcp.{HOST}"
TRICKS = [trick for trick in Trick if trick is not Trick.NONE]


@pytest.fixture(scope="module")
def server(dnstree: DnsTree, pki: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), pki=pki, queue={"next_hop": None}) as running:
        yield running


@pytest.fixture(scope="module")
def shown(pki: Pki) -> Credentials:
    return pki.issue([HOST, "mx1.unsigned.org"])


@pytest.fixture
def man(mx: Mx, shown: Credentials, pki: Pki) -> Iterator[Between]:
    """With a certificate of a known authority for the very name: only the key is another."""
    mx.listen(MX2, 25, shown)
    with Between([(MX, 25), (MX6, 25)], (MX2, 25), pki.issue([HOST, "mx1.unsigned.org"])) as between:
        yield between


@pytest.fixture
def zone(clean_zone: DnsTree, shown: Credentials) -> Iterator[DnsTree]:
    """Domains of their own for each trick, signed ones and others; all of it leads to the man."""
    clean_zone.replace(TLSA, "TLSA", shown.association)
    for trick in Trick:
        clean_zone.replace(f"{trick.name.lower()}.example.org", "MX", f"10 {HOST}.")
        host = f"mx-{trick.name.lower()}.unsigned.org"  # a session is kept for a while, and goes by the host's name
        clean_zone.replace(host, "A", MX)
        clean_zone.replace(f"{trick.name.lower()}.unsigned.org", "MX", f"10 {host}.")
    yield clean_zone
    clean_zone.restore("unsigned.org")


def test_evil_downgrade_is_refused_where_the_key_is_published(
    server: MailServer, man: Between, mx: Mx, zone: DnsTree
) -> None:
    found = {}
    for trick in TRICKS:
        man.trick = trick
        attempt = attempted(server, man, f"{trick.name.lower()}.example.org")
        found[trick] = (attempt.event, attempt.code, attempt.policy, attempt.trust, attempt.read)
    plain = ("later", "4.7.4", "dane", "", False)
    assert found == {
        Trick.STRIP: plain,
        Trick.REFUSE: plain,
        Trick.DUMB: plain,
        Trick.IMPOSTOR: ("later", "4.7.5", "dane", "", False),
    }
    assert man.connections >= len(TRICKS)
    assert mx.messages == []
    assert not [line for line in man.read if line.upper().startswith((b"MAIL", b"RCPT", b"DATA"))], "not even for whom"


def test_evil_downgrade_works_where_nothing_is_published_and_the_log_says_so(
    server: MailServer, man: Between, mx: Mx, zone: DnsTree
) -> None:
    """That the man is able to do it, and that opportunistic TLS is just that (RFC 7435)."""
    found = {}
    for trick in TRICKS:
        man.trick = trick
        attempt = attempted(server, man, f"{trick.name.lower()}.unsigned.org")
        found[trick] = (attempt.event, attempt.policy, attempt.trust, attempt.read)
    plain = ("relayed", "opportunistic", "plain", True)
    assert found == {
        Trick.STRIP: plain,
        Trick.REFUSE: plain,
        Trick.DUMB: plain,
        Trick.IMPOSTOR: ("relayed", "opportunistic", "encrypted", True),
    }
    assert len(mx.messages) == len(TRICKS)


@pytest.mark.parametrize("domain, trust", [("none.example.org", "verified"), ("none.unsigned.org", "encrypted")])
def test_evil_downgrade_left_off_mail_goes_through_and_stays_secret(
    domain: str, trust: str, server: MailServer, man: Between, mx: Mx, zone: DnsTree
) -> None:
    attempt = attempted(server, man, domain)
    policy = "dane" if trust == "verified" else "opportunistic"
    assert astuple(attempt)[2:] == ("relayed", "2.0.0", policy, trust, False)
    assert [message.tls for message in mx.messages] == ["TLSv1.3"]
