"""DKIM through the lab: keys made, published through Cloudflare into knot, proven by unbound, and a stranger's dkimpy verifies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import dkim
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import jsonschema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dnsops.base import files
from dnsops.dkim.keys import Keys, Signer
from dnsops.reconcile.dkim_report import SCHEMA
from dnsops.records.txt.dkim import DkimKey
from dnsops.records.txt.tags import Malformed
from tests.conftest import without
from tests.journeys import strace
from tests.journeys.shell import Done, Shell
from tests.journeys.strace import DEAD, RENAMES, SYNCS, killing
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.network import RESOLVER
from tests.lab.program import wait_until

DOMAIN = "example.org"
ENDING = f"_domainkey.{DOMAIN}"
CONFIG = """hostname: mx1.example.org
domains: [example.org]
dns: {provider: cloudflare, token: !file token, ttl: 60}
state: {directory: state}
dkim: {hold: 1s, publish_retired_keys: true}
"""
MAIL = b"From: user1@example.org\r\nTo: you@example.net\r\nSubject: hello\r\n\r\nHow are you?\r\n"


@pytest.fixture
def home(cloudflare: CloudflareApi, shell: Shell) -> Iterator[Shell]:
    """A machine with a configuration."""
    (shell.home / "token").write_text(cloudflare.token)
    (shell.home / "token").chmod(0o600)
    (shell.home / "mine.yml").write_text(CONFIG)
    shell.environ["MAILSRV_CONFIG"] = str(shell.home / "mine.yml")
    yield shell
    for record in held(cloudflare):
        cloudflare.erase(DOMAIN, record.id)


def held(cloudflare: CloudflareApi) -> list[Any]:
    return [
        record for record in cloudflare.records(DOMAIN, type="TXT") if str(record.name).rstrip(".").endswith(ENDING)
    ]


def run(shell: Shell, *words: str) -> dict[str, Any]:
    done = shell.here("dkim", *words, "--json")
    document: dict[str, Any] = json.loads(done.out)
    jsonschema.validate(document, SCHEMA)
    assert document["status"] == done.status, done
    return document


def signers(shell: Shell) -> tuple[Signer, ...]:
    return Keys(shell.state / "dkim").signers(DOMAIN)


def resolved(name: bytes, timeout: float = 5) -> bytes | None:
    """A stranger's look-up, through the validating and caching resolver."""
    question = dns.message.make_query(name.decode(), "TXT", want_dnssec=True)
    answer = dns.query.udp(question, RESOLVER, timeout=timeout)
    assert answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN), answer
    found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT]
    return b"".join(found[0][0].strings) if found else None


def signed(signer: Signer) -> Callable[[], bool]:
    """A signature by this key; gives who verifies it with what the DNS says then."""
    if isinstance(signer.key, Ed25519PrivateKey):  # dkimpy has no Ed25519 without PyNaCl
        return partial(_holds, signer, signer.key.sign(MAIL))
    header: bytes = dkim.sign(
        MAIL, signer.selector.encode(), signer.domain.encode(), signer.pem, include_headers=[b"from", b"to", b"subject"]
    )  # fmt: skip
    return partial(dkim.verify, header + MAIL, dnsfunc=resolved)


def _holds(signer: Signer, signature: bytes) -> bool:
    """RFC 8463: p= is the bare key."""
    text = resolved(f"{signer.selector}.{ENDING}.".encode())
    try:
        Ed25519PublicKey.from_public_bytes(DkimKey.parse(text or b"").key).verify(signature, MAIL)
    except (InvalidSignature, Malformed):
        return False
    return True


def verified(mail: Sequence[Callable[[], bool]]) -> list[bool]:
    return [verify() for verify in mail]


def test_keys_are_made_published_proven_and_a_stranger_verifies_what_they_sign(
    home: Shell, cloudflare: CloudflareApi, dnstree: DnsTree
) -> None:
    assert run(home, "plan")["action"] == "make"
    assert not (home.state / "dkim").exists()
    first = run(home, "reconcile")
    assert (first["action"], len(held(cloudflare)), signers(home)) == ("publish", 2, ())
    assert {record.comment for record in held(cloudflare)} == {"mailsrv txt"}
    rsa = next(one for one in first["results"][0]["selectors"] if one["algorithm"] == "rsa")
    assert len(rsa["text"]) > 400
    wait_until(lambda: run(home, "reconcile")["results"][0]["switched"], "the first keys to sign")
    mail = [signed(signer) for signer in signers(home)]
    assert verified(mail) == [True, True]
    shown = home.here("dkim", "show")
    assert (shown.status, shown.out.count("everywhere")) == (0, 2)
    assert run(home, "plan")["action"] == "none"
    result = run(home, "show")["results"][0]
    assert {one["security"] for one in result["selectors"]} == {"secure"}
    assert {server["address"] for one in result["selectors"] for server in one["servers"]} >= {"192.0.2.1", "192.0.2.2"}
    rotated(home, cloudflare, mail)


def rotated(home: Shell, cloudflare: CloudflareApi, mail: list[Callable[[], bool]]) -> None:
    """The next keys take over while a stranger asks again and again."""
    old = signers(home)
    begun = home.start("dkim", "rotate", "--wait", "--every", "0.3")
    checks = 0
    while begun.poll() is None:
        now = signers(home)
        assert verified([*mail, *(signed(signer) for signer in now)]) == [True] * 4
        checks += 1
    _, err = begun.communicate()
    assert (begun.returncode, "sign now" in err) == (0, True), err
    assert checks > 2
    new = signers(home)
    assert {signer.selector for signer in old} & {signer.selector for signer in new} == set()
    assert verified([*mail, *map(signed, new)]) == [True] * 4
    wait_until(lambda: run(home, "reconcile")["action"] == "none", "the old keys to be gone", 30)
    assert {str(record.name).rstrip(".") for record in held(cloudflare)} == {f"{s.selector}.{ENDING}" for s in new}
    assert {path.stem for path in (home.state / "dkim" / "retired").rglob("*.pem")} == {s.selector for s in old}
    assert {path.name.split(".")[0] for path in (home.state / "dkim" / DOMAIN).glob("*.pem")} == {
        s.selector for s in new
    }


@pytest.mark.parametrize("calls", [RENAMES, SYNCS])
def test_a_first_publication_killed_at_any_write(home: Shell, cloudflare: CloudflareApi, calls: str) -> None:
    """kill -9 at rename or fsync 1, 2, 3 ... of the thread that works; the next run brings it to its end, and nothing stays twice."""
    if reason := strace.why_not():
        without("strace", reason)
    config = home.home / "mine.yml"
    config.write_text(CONFIG.replace("hold: 1s", "hold: 1s, algorithms: ed25519"))
    deaths = 0
    for number in range(1, 20, 1 if calls == RENAMES else 3):
        done = home.child("dkim", "reconcile", "--json", prefix=killing(calls, number))
        if done.status not in DEAD:
            break
        deaths += 1
        assert run(home, "reconcile")["action"] in ("publish", "wait")
        (record,) = held(cloudflare)
        (key,) = (home.state / "dkim" / DOMAIN).glob("*.pem")
        assert str(record.name).startswith(key.name.partition(".")[0])
        _begin_again(home, cloudflare)
    assert deaths >= 2


def _begin_again(home: Shell, cloudflare: CloudflareApi) -> None:
    for record in held(cloudflare):
        cloudflare.erase(DOMAIN, record.id)
    for path in (home.state / "dkim" / DOMAIN).iterdir():
        path.unlink()


WAYS = ["rfc2136", "zonefile"]


@pytest.mark.parametrize("way", WAYS)
def test_a_long_record_goes_through_every_provider(way: str, shell: Shell, clean_zone: DnsTree, tmp_path: Path) -> None:
    zone = tmp_path / "example.org.zone"
    zone.write_text("$ORIGIN example.org.\n@ 300 IN SOA ns1 hostmaster 1 3600 600 86400 2\n")
    words = {
        "rfc2136": ["--provider", "rfc2136:192.0.2.1", "--tsig-key", str(clean_zone.tsig_file)],
        "zonefile": ["--provider", f"zonefile:{zone}"],
    }[way]
    document = run(shell, "reconcile", "--domain", DOMAIN, "--ttl", "60", *words)
    assert (document["status"], document["action"]) == (0, "publish")
    names = {one["selector"]: one["text"] for one in document["results"][0]["selectors"]}
    shown = shell.here("dkim", "show", "--domain", DOMAIN)
    lines = [line for line in shown.out.splitlines() if " IN TXT " in line]
    assert len(lines) == 2
    if way == "zonefile":
        assert all(any(line.split(" ", 2)[2] in written for written in zone.read_text().splitlines()) for line in lines)
        return
    for name, text in names.items():
        clean_zone.wait_for(f"{name}.{ENDING}", "TXT", clean_zone.texts(f"{name}.{ENDING}", "TXT"))
        assert resolved(f"{name}.{ENDING}.".encode()) == text.encode()
        clean_zone.replace(f"{name}.{ENDING}", "TXT")


def test_the_key_of_another_server(shell: Shell, cloudflare: CloudflareApi) -> None:
    made = Keys(shell.home / "opendkim")
    made.make_next(DOMAIN, ("rsa",), datetime.now(UTC))
    (key,) = (shell.home / "opendkim" / DOMAIN).glob("*.pem")
    words = ["--domain", DOMAIN, "--selector", "mail", "--key", f"pem:{key}", "--provider", "cloudflare", "--ttl", "60"]
    assert shell.here("dkim", "show", *words).status == 1
    assert run(shell, "plan", *words)["status"] == 2
    assert run(shell, "reconcile", *words)["results"][0]["add"] == ["mail"]
    wait_until(lambda: shell.here("dkim", "show", *words).status == 0, "the record to be everywhere")
    assert not (shell.state / "dkim").exists()
    assert shell.here("dkim", "rotate", *words).status == 64
    for record in held(cloudflare):
        cloudflare.erase(DOMAIN, record.id)


@pytest.mark.parametrize(
    "words,status,said",
    [
        (["reconcile"], 64, "no domain is named"),
        (["reconcile", "--domain", "no domain"], 64, "write a domain such as example.org"),
        (["reconcile", "--domain", "example.org", "--selector", "mail"], 64, "a selector needs its key"),
        (["show", "--domain", "example.org"], 1, "has no keys yet"),
        (["reconcile", "--domain", "example.org"], 1, "nobody to do it"),
        (["reconcile", "--domain", "expired.org"], 75, "nothing was changed"),
    ],
)
def test_what_cannot_be_done_is_said(words: list[str], status: int, said: str, shell: Shell, dnstree: DnsTree) -> None:
    done: Done = shell.here("dkim", *words)
    assert (done.status, said in done.out + done.err) == (status, True), done


def test_two_runs_at_once(home: Shell) -> None:
    with files.lock(home.state / "dkim.lock"):
        assert home.here("dkim", "reconcile").status == 75
        assert home.here("dkim", "plan").status == 2
