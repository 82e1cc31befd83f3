"""The configuration that is written loads, says what was answered, and holds no secret."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dnsops.base import settings
from dnsops.base.settings.load import Flaws
from dnsops.commands.request import spec_of
from dnsops.records import names
from mailsrv.quickstart.answers import Answers, Credential, Kept
from mailsrv.quickstart.document import Proof, text

KINDS = ("smtp", "submissions", "submission", "imaps", "imap")
PROOF = Proof("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA", "{SCRAM-SHA-256}4096,c2FsdA==,c3RvcmVk,c2VydmVy")
PLAIN = Answers(
    domain="example.org",
    hostname="mx1.example.org",
    provider="cloudflare",
    credential=Credential(Kept.OURS),
    contact="you@example.net",
    account="user1",
    addresses=("192.0.2.25", "192.0.2.26", "2001:db8::25"),
)


def loaded(answers: Answers, folder: Path) -> settings.Settings:
    (folder / "mailsrv.yml").write_text(text(answers, PROOF, str(folder / "dns-token"), KINDS))
    return settings.load(folder / "mailsrv.yml", names.host)


def test_it_loads_and_says_what_was_answered(tmp_path: Path) -> None:
    found = loaded(PLAIN, tmp_path)
    assert (found.hostname, found.domains) == ("mx1.example.org", ("example.org",))
    assert found.records.addresses == PLAIN.addresses
    assert found.acme.contact == "you@example.net"
    assert found.targets[0].ports == (25, 465, 993)
    (account,) = found.accounts
    assert (account.name, account.addresses) == ("user1", ("user1@example.org",))
    assert account.password_hash
    assert account.password_hash.reveal() == PROOF.password_hash
    assert account.scram_keys
    assert account.scram_keys.reveal() == PROOF.scram_keys
    assert found.listeners.smtp.bind == ("::", "0.0.0.0")
    assert found.queue.bind == ()


def test_it_is_short() -> None:
    assert len(text(PLAIN, PROOF, "/etc/mailsrv/dns-token", KINDS).splitlines()) < 25


@pytest.mark.parametrize(
    ("provider", "credential", "line", "spec"),
    [
        ("cloudflare", Credential(Kept.OURS), "token: !file {}/dns-token", "cloudflare"),
        ("cloudflare", Credential(Kept.FILE, "/run/t"), "token: !file /run/t", "cloudflare"),
        ("cloudflare", Credential(), "provider: cloudflare", "cloudflare"),
        ("rfc2136:ns1.example.org", Credential(Kept.FILE, "/etc/k"), "key_file: /etc/k", "rfc2136:ns1.example.org:53"),
        ("rfc2136:192.0.2.1:5353", Credential(Kept.FILE, "/etc/k"), "", "rfc2136:192.0.2.1:5353"),
        ("rfc2136:[2001:db8::1]:5353", Credential(Kept.FILE, "/etc/k"), "", "rfc2136:[2001:db8::1]:5353"),
        ("rfc2136:2001:db8::1", Credential(Kept.FILE, "/etc/k"), "", "rfc2136:[2001:db8::1]:53"),
        ("zonefile:/var/z", Credential(), "path: /var/z", "zonefile:/var/z"),
    ],
)
def test_every_holder_comes_back_as_it_was_named(
    tmp_path: Path, provider: str, credential: Credential, line: str, spec: str
) -> None:
    answers = replace(PLAIN, provider=provider, credential=credential)
    found = loaded(answers, tmp_path)
    assert line.format(tmp_path) in (tmp_path / "mailsrv.yml").read_text()
    assert found.dns
    assert spec_of(found.dns) == spec


def test_a_machine_with_other_addresses_listens_and_sends_at_its_own(tmp_path: Path) -> None:
    found = loaded(replace(PLAIN, bind=True), tmp_path)
    assert found.listeners.imaps.bind == PLAIN.addresses
    assert found.queue.bind == ("192.0.2.25", "2001:db8::25")
    assert found.listeners.http.bind == ("127.0.0.1", "::1")


def test_what_is_not_usual_is_written_too(tmp_path: Path) -> None:
    answers = replace(PLAIN, state="/srv/mail state", directory="https://ca.example/dir", roots="/etc/ca.pem")
    found = loaded(answers, tmp_path)
    assert str(found.state.directory) == "/srv/mail state"
    assert (found.acme.directory, str(found.acme.roots)) == ("https://ca.example/dir", "/etc/ca.pem")


def test_a_name_that_yaml_would_take_for_something_else_stays_a_name(tmp_path: Path) -> None:
    for name in ("true", "null", "007", "1e3", "no"):
        try:
            assert loaded(replace(PLAIN, account=name), tmp_path).accounts[0].name == name
        except Flaws as error:
            pytest.fail(f"{name}: {error}")
