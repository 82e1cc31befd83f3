"""What the web shows is what DNS has the id and the hash of."""

from __future__ import annotations

from pathlib import Path

from dnsops.reconcile.wanted import documented, gather
from dnsops.wanted.policies import policy_text
from dnsops.wanted.uaac_document import uaac_document
from mailsrv.http.site import POLICY, UAAC
from mailsrv.serving.showing import rules, site
from tests.mailsrv.http.house import configured, get

CHANGES: list[dict[str, object]] = [
    {},
    {"web": {}},
    {"records": {"mta_sts": {"mode": "testing", "max_age": "1d"}, "other_mx": ["20 mx2.example.net"]}},
    {"listeners": {"submissions": {"enabled": False}, "imaps": {"port": 1993}}},
    {"listeners": {"https": {"enabled": False}, "web": {"enabled": False}}},
]


def test_dns_and_the_web_say_the_same(tmp_path: Path) -> None:
    """`dns apply` gathers everything that is known, the server only what the documents need."""
    for changes in CHANGES:
        settings = configured(**changes)
        house, shown = gather(settings, tmp_path, lambda: ["192.0.2.1"]), site(settings)
        for domain in settings.domains:
            assert shown.answer(get(f"mta-sts.{domain}", POLICY)).body.decode() == policy_text(house)
            assert shown.answer(get(f"ua-auto-config.{domain}", UAAC)).body == uaac_document(house, domain)
            assert uaac_document(documented(settings), domain) == uaac_document(house, domain)


def test_people_are_led_to_the_port_that_they_can_reach() -> None:
    assert rules(configured()).port == 443
    assert rules(configured(listeners={"https": {"port": 8443}})).port == 8443
    assert rules(configured(listeners={"https": {"port": 8443, "enabled": False}})).port == 443
