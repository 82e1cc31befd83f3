"""From two bare hosts and a token to mail that a stranger calls Verified, by one play; a second one changes nothing."""

from __future__ import annotations

from tests.lab.hosts_site import DOMAINS, Site
from tests.lab.postfix import Sender, Verdict


def test_two_bare_hosts_become_verified_mail_servers(site: Site, postfix: Sender) -> None:
    played = site.play("site.yml", "--diff")
    assert played.status == 0, played.said
    for domain in DOMAINS:
        assert postfix.finger(domain) is Verdict.VERIFIED
        delivery = postfix.send(f"user1@{domain}")
        assert (delivery.status, delivery.tls) == ("sent", "Verified"), delivery.line


def test_a_second_run_changes_nothing(site: Site) -> None:
    for host in site.hosts:
        host.ssh("timeout", "60", "sh", "-c", "until mailsrv dns plan >/dev/null; do sleep 1; done")
    played = site.play("site.yml", "--diff")
    assert (played.status, set(played.changed.values())) == (0, {0}), played.said
