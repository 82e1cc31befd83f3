"""From a spec to a provider: what is chosen, and what is said when something is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dnsops.base.errors import Exit, Misconfigured, Misused
from dnsops.base.secrets import Secret
from dnsops.providers.choose import parse

KEY = "hmac-sha256:mailsrv:c2VjcmV0IGZvciBhIHRlc3Q="
TOKEN = Secret("t0ken")


def kind(spec: str, **given: object) -> str:
    return type(parse(spec, **{"environ": {}, **given})).__name__  # type: ignore[arg-type]


def test_each_spec_gives_its_provider(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.write_text(KEY)
    assert kind("cloudflare", token=TOKEN) == "Cloudflare"
    assert kind(" Cloudflare ", token=TOKEN) == "Cloudflare"
    assert kind("rfc2136:ns1.example.org", key_file=key_file) == "Rfc2136"
    assert kind("rfc2136:192.0.2.53:5353", key=Secret(KEY)) == "Rfc2136"
    assert kind(f"zonefile:{tmp_path}/x:y") == "ZoneFile"
    assert kind(f"zonefile:{tmp_path}/") == "ZoneFiles"
    assert kind(f"zonefile:{tmp_path}") == "ZoneFiles"
    assert kind("octodns:/etc/octodns/production.yaml#route53") == "OctoDns"


@pytest.mark.parametrize("name", ["TOKEN", "CLOUDFLARE_API_TOKEN"])
def test_the_token_comes_from_the_environment(name: str) -> None:
    assert kind("cloudflare", environ={name: "t0ken"}) == "Cloudflare"


def test_credentials_come_from_systemd(tmp_path: Path) -> None:
    (tmp_path / "cloudflare-token").write_text("t0ken\n")
    (tmp_path / "tsig-key").write_text(KEY)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert kind("cloudflare", environ=environ) == "Cloudflare"
    assert kind("rfc2136:ns1", environ=environ) == "Rfc2136"
    assert kind("rfc2136:ns1", environ={"RFC2136_KEY_FILE": str(tmp_path / "tsig-key")}) == "Rfc2136"


@pytest.mark.parametrize(
    "spec, ways",
    [
        ("cloudflare", ("TOKEN", "CLOUDFLARE_API_TOKEN", "dns.token", "LoadCredential=cloudflare-token")),
        ("rfc2136:ns1", ("--tsig-key", "RFC2136_KEY_FILE", "LoadCredential=tsig-key")),
    ],
)
def test_a_missing_credential_is_a_sentence_with_every_way(spec: str, ways: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured) as refusal:
        parse(spec, environ={"CREDENTIALS_DIRECTORY": "/nowhere"})
    assert all(way in str(refusal.value) for way in ways)
    assert refusal.value.status is Exit.CONFIG


@pytest.mark.parametrize(
    "spec, advice",
    [
        ("cloudfare", "did you mean cloudflare?"),
        ("rfc2316:ns1", "did you mean rfc2136?"),
        ("zone-file:x", "did you mean zonefile?"),
        ("route53", "write one of cloudflare"),
        ("", "write one of cloudflare"),
        ("memory:", "write one of cloudflare"),
        ("rfc2136:", "rfc2136:ns1.example.org"),
        ("rfc2136::53", "rfc2136:ns1.example.org"),
        ("rfc2136:ns1:0", "1 to 65535"),
        ("rfc2136:ns1:x", "1 to 65535"),
        ("rfc2136:[::1]:70000", "1 to 65535"),
        ("rfc2136:ns1:99999999999999999999", "1 to 65535"),
        ("zonefile:", "zonefile:/"),
        ("octodns:", "octodns:/etc/octodns/production.yaml#NAME"),
        ("octodns:/etc/octodns/production.yaml", "NAME being one of its providers"),
        ("octodns:#there", "NAME being one of its providers"),
        ("cloudflare:example.org", "zones come from the token"),
    ],
)
def test_what_is_no_provider_is_wrong_usage_with_a_near_miss(spec: str, advice: str) -> None:
    with pytest.raises(Misused) as refusal:
        parse(spec, token=TOKEN, key=Secret(KEY), environ={})
    assert advice in str(refusal.value)


@pytest.mark.parametrize(
    "spec, server",
    [
        ("rfc2136:ns1", "ns1"),
        ("rfc2136:ns1:5353", "ns1:5353"),
        ("rfc2136:[2001:db8::53]:5353", "[2001:db8::53]:5353"),
        ("rfc2136:2001:db8::53", "[2001:db8::53]"),
        ("rfc2136:[2001:db8::53]", "[2001:db8::53]"),
    ],
)
def test_servers_are_written_as_people_write_them(spec: str, server: str) -> None:
    provider = parse(spec, key=Secret(KEY), environ={})
    assert str(provider._exchange.server) == server  # type: ignore[attr-defined]


def test_a_key_file_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(Misconfigured, match="cannot be read"):
            parse("rfc2136:ns1", key_file=path, environ={})


def test_choosing_imports_no_heavy_library() -> None:
    program = (
        "import sys; from dnsops.providers.choose import parse; from dnsops.base.secrets import Secret;"
        f"parse('cloudflare', token=Secret('x')); parse('rfc2136:ns1', key=Secret('{KEY}'));"
        "parse('octodns:/x#y');"
        "print(sorted({'cloudflare', 'httpx', 'octodns', 'pydantic', 'dns'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
