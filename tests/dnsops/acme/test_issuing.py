"""Certificates from pebble for an apex, its wildcard and hosts, through knot and through Cloudflare; nothing stays in the zone."""

from __future__ import annotations

from pathlib import Path

from dnsops.base.secrets import Secret
from dnsops.certs.chain import from_pem
from dnsops.providers.cloudflare import Cloudflare
from tests.dnsops.acme import issuing
from tests.dnsops.acme.issuing import NAMES, STRANGER
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree


def test_many_names_and_a_wildcard_by_rfc_2136(pebble: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    clean_zone.replace(STRANGER[0], "TXT", f'"{STRANGER[1]}"')
    authority = issuing.authority(pebble.url, tmp_path)
    pem = authority.issue(issuing.wish(), issuing.solver(issuing.knot(clean_zone), tmp_path))
    assert issuing.names_of(pem) == set(NAMES)
    assert len(from_pem(pem, "").certificates) >= 2
    assert issuing.challenges_out(clean_zone) == {STRANGER}
    again = issuing.authority(pebble.url, tmp_path)
    again.issue(issuing.wish("mx1.example.org"), issuing.solver(issuing.knot(clean_zone), tmp_path))
    assert again.account_uri == authority.account_uri


def test_the_same_through_cloudflare(
    pebble: Pebble, cloudflare_api: CloudflareApi, clean_zone: DnsTree, tmp_path: Path
) -> None:
    cloudflare_api.edit("example.org", "TXT", STRANGER[0], content=f'"{STRANGER[1]}"')
    provider = Cloudflare(Secret(cloudflare_api.token))
    cloudflare_api.log.clear()
    pem = issuing.authority(pebble.url, tmp_path).issue(issuing.wish(), issuing.solver(provider, tmp_path))
    assert issuing.names_of(pem) == set(NAMES)
    assert len([one for one in cloudflare_api.log if one.method == "POST"]) == 2, "one batch to add, one to remove"
    assert issuing.challenges_out(clean_zone) == {STRANGER}
