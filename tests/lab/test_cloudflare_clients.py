"""Clients that nobody here wrote keep the emulator honest: unmodified, at https://api.cloudflare.com, writing into DNS."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cloudflare
import pytest
from cryptography import x509

TLSA = {"type": "TLSA", "name": "_25._tcp.mx1.example.org", "ttl": 60}
ONE, TWO = "11" * 32, "22" * 32


def data(digest):
    return {"usage": 3, "selector": 1, "matching_type": 1, "certificate": digest}


@pytest.fixture
def run(tmp_path):
    """Runs a program that lies beside our Python, or else in PATH; skips where it is missing."""

    def start(program, *arguments):
        beside = Path(sys.executable).with_name(program)
        found = str(beside) if beside.exists() else shutil.which(program)
        if not found:
            pytest.skip(f"{program} is not installed")
        done = subprocess.run(
            [found, *arguments], capture_output=True, text=True, cwd=tmp_path, timeout=90, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    return start


@pytest.fixture
def sdk(cloudflare_api):
    return cloudflare.Cloudflare(api_token=cloudflare_api.token)


@pytest.fixture
def zone(sdk):
    return next(iter(sdk.zones.list(name="example.org"))).id


def test_the_sdk_writes_what_a_validating_resolver_answers(sdk, zone, clean_zone):
    [old] = sdk.dns.records.list(zone_id=zone, type="TLSA", name={"exact": TLSA["name"]})
    new = sdk.dns.records.create(zone_id=zone, **TLSA, data=data(ONE))
    assert clean_zone.texts(TLSA["name"], "TLSA") == {old.content, f"3 1 1 {ONE}"}
    sdk.dns.records.edit(new.id, zone_id=zone, **TLSA, data=data(TWO))
    sdk.dns.records.delete(old.id, zone_id=zone)
    clean_zone.wait_for(TLSA["name"], "TLSA", [f"3 1 1 {TWO}"])
    assert clean_zone.secure(TLSA["name"], "TLSA")


def test_a_batch_that_fails_leaves_the_zone_alone(sdk, zone, clean_zone):
    [old] = sdk.dns.records.list(zone_id=zone, type="TLSA", name={"exact": TLSA["name"]})
    before = clean_zone.axfr("example.org")
    with pytest.raises(cloudflare.BadRequestError):
        sdk.dns.records.batch(
            zone_id=zone, deletes=[{"id": old.id}], posts=[{"type": "A", "name": "x", "content": "?", "ttl": 1}]
        )
    assert clean_zone.axfr("example.org") == before


def test_the_zone_serves_a_fraction_of_the_ttl_when_asked(sdk, zone, cloudflare_api, clean_zone):
    cloudflare_api.ttl(divide=30)
    ttls = [rrset.ttl for rrset in clean_zone.ask(TLSA["name"], "TLSA", "192.0.2.1").answer]
    assert ttls == [2, 2]
    [shown] = sdk.dns.records.list(zone_id=zone, type="TLSA", name={"exact": TLSA["name"]})
    assert shown.ttl == 60


def test_certbot_issues_for_a_domain_and_its_wildcard(run, cloudflare_api, pebble, clean_zone, tmp_path):
    credentials = tmp_path / "cloudflare.ini"
    credentials.write_text(f"dns_cloudflare_api_token = {cloudflare_api.token}\n")
    credentials.chmod(0o600)
    directories = [f"--{part}-dir={tmp_path / part}" for part in ("config", "work", "logs")]
    run(
        "certbot", "certonly", "-n", "--agree-tos", "-m", "user1@example.org", "--server", pebble.url, "--key-type=ecdsa",
        "--dns-cloudflare", f"--dns-cloudflare-credentials={credentials}", "--dns-cloudflare-propagation-seconds=1",
        *directories, "-d", "example.org", "-d", "*.example.org",
    )  # fmt: skip
    leaf = x509.load_pem_x509_certificate((tmp_path / "config/live/example.org/cert.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"example.org", "*.example.org"}
    assert cloudflare_api.records("example.org", "TXT", "_acme-challenge.example.org") == []
    clean_zone.wait_for("_acme-challenge.example.org", "TXT", [])


OCTODNS = """providers:
  here: {{class: octodns.provider.yaml.YamlProvider, directory: {directory}, default_ttl: 300, enforce_order: false}}
  there: {{class: octodns_cloudflare.CloudflareProvider, token: {token}, pagerules: false}}
zones:
  example.org.: {{sources: [here], targets: [there]}}
"""
ZONE = f"""'':
  - {{type: A, value: 192.0.2.80}}
  - {{type: MX, values: [{{preference: 10, exchange: mx1.example.org.}}]}}
  - {{type: TXT, value: v=spf1 mx -all}}
  - {{type: CAA, values: [{{flags: 0, tag: issue, value: ca.example.net}}]}}
mx1: [{{type: A, value: 192.0.2.25}}, {{type: AAAA, value: '2001:db8::25'}}]
_25._tcp.mx1:
  type: TLSA
  values:
    - {{certificate_usage: 3, selector: 1, matching_type: 1, certificate_association_data: {ONE}}}
    - {{certificate_usage: 3, selector: 1, matching_type: 1, certificate_association_data: {TWO}}}
_25._tcp.alias: {{type: CNAME, value: _25._tcp.mx1.example.org.}}
_imaps._tcp: {{type: SRV, value: {{priority: 0, weight: 1, port: 993, target: mx1.example.org.}}}}
202611r._domainkey: {{type: TXT, value: 'v=DKIM1\\; k=rsa\\; p={"A" * 392}'}}
"""


def test_octodns_finds_nothing_to_change_on_its_second_run(run, cloudflare_api, clean_zone, tmp_path):
    (tmp_path / "octodns.yaml").write_text(OCTODNS.format(directory=tmp_path, token=cloudflare_api.token))
    (tmp_path / "example.org.yaml").write_text(ZONE)
    sync = ("octodns-sync", "--config-file", "octodns.yaml", "--doit", "--force")
    assert "No changes" not in run(*sync)
    clean_zone.wait_for("_25._tcp.mx1.example.org", "TLSA", [f"3 1 1 {ONE}", f"3 1 1 {TWO}"])
    assert clean_zone.secure("_imaps._tcp.example.org", "SRV")
    assert "No changes" in run(*sync)


def test_they_all_went_to_the_real_address(cloudflare_api, sdk, zone):
    assert str(sdk.base_url).startswith("https://api.cloudflare.com/client/v4")
    assert "CLOUDFLARE_BASE_URL" not in os.environ
