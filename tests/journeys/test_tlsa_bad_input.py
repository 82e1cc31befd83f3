"""What people write wrong gets one sentence - what, where, what now - and the exit status of the design; never a traceback."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.journeys.mailhost import MailHost
from tests.journeys.shell import HOST, OWNER, Shell
from tests.journeys.test_tlsa_through import BOTH
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.network import PRIMARY
from tests.lab.pki import Pki

LONG = "a" * 64 + ".example.org"

# what is written instead of the good words, the exit status, and what the sentence says
WORDS: dict[str, tuple[list[str], int, str]] = {
    "TTL 0": (["--ttl", "0"], 64, "TTL 0"),
    "TTL 1": (["--ttl", "1"], 64, "TTL 1 means automatic"),
    "TTL that is no number": (["--ttl", "1h"], 64, "'1h' is not a valid integer"),
    "TTL of a year": (["--ttl", "31536000"], 64, "is not between 30 and 86400"),
    "port 0": (["--port", "0"], 64, "'0' is not a port"),
    "port 65536": (["--port", "65536"], 64, "'65536' is not a port"),
    "a port of unknown use": (["--port", "8025"], 64, "port 8025: how this port speaks before TLS is not known"),
    "a protocol of no use": (["--port", "25/ftp"], 64, "'ftp' is no way into TLS"),
    "a provider nearly right": (["--provider", "cloudfare"], 64, "did you mean cloudflare?"),
    "a provider of no kind": (["--provider", "route53"], 64, "write one of cloudflare, rfc2136:SERVER"),
    "no server for RFC 2136": (["--provider", "rfc2136:"], 64, "rfc2136 needs the name or address of a server"),
    "no TSIG key": (["--provider", f"rfc2136:{PRIMARY}"], 78, "the TSIG key is missing"),
    "a TSIG key that is not there": (
        ["--provider", f"rfc2136:{PRIMARY}", "--tsig-key", "/nowhere"],
        78,
        "/nowhere: the TSIG key file cannot be read",
    ),
    "a source nearly right": (["--source", "pme:/etc/ssl/x.pem"], 64, "did you mean pem:?"),
    "a path for a source": (["--source", "/etc/ssl/x.pem"], 64, "did you mean pem:/etc/ssl/x.pem?"),
    "a host that is an address": (["--host", "192.0.2.25"], 64, "192.0.2.25 is an address, not a name"),
    "a host without a domain": (["--host", "mx1"], 64, "'mx1' is not a full host name"),
    "a host with a long label": (["--host", LONG], 64, "is longer than 63 characters"),
    "a host that is no name": (["--host", "mx1 example.org"], 64, "' ' does not belong into a name"),
    "a domain that is no name": (["--domain", "example..org"], 64, "two dots in a row"),
    "a domain without MX": (["--domain", "mx1.example.org"], 1, "mx1.example.org: there is no MX record"),
    "a domain that is bogus": (["--domain", "bogus.example.org.x"], 1, "there is no MX record"),
    "a domain that the source is not for": (["--domain", "nods.org"], 1, "the certificate is not for mx1.nods.org"),
    "a form that means nothing": (["--form", "1 1 1"], 64, "usage 1 means nothing for mail"),
    "a form that is none": (["--form", "3 1"], 64, "is not a form of TLSA"),
    "an address that is none": (["--address", "localhost"], 64, "'localhost' is no address"),
    "a reload without its quote": (["--reload", "sh -c 'true"], 64, "cannot be split into words"),
    "an option nearly right": (["--hots", HOST], 64, "--hots"),
    "a configuration that is not there": (["--config", "/nowhere.yml"], 78, "/nowhere.yml"),
    "a state directory in a file": (["--state", "/dev/null/state"], 1, "cannot be used (Not a directory)"),
    "a state directory in a place of the kernel's": (
        ["--state", "/proc/state"],
        1,
        "name a directory that we may write",
    ),
}


def good(shell: Shell, mail_host: MailHost) -> list[str]:
    source = shell.certificate(mail_host.issue("old"))
    return ["--host", HOST, "--source", source, "--provider", "cloudflare"]


@pytest.mark.parametrize("words,status,text", WORDS.values(), ids=WORDS)
def test_a_mistake_on_the_command_line(
    words: list[str], status: int, text: str, shell: Shell, dnstree: DnsTree, mail_host: MailHost
) -> None:
    shell.environ["CLOUDFLARE_API_TOKEN"] = "never" * 8  # nobody comes so far as to use it
    line = _instead(good(shell, mail_host), words)
    done = shell.here("tlsa", "reconcile", *line)
    assert (done.status, len(done.said), done.out) == (status, 1, ""), done
    assert done.said[0].startswith("mailsrv: ")
    assert text in done.said[0]
    as_json = shell.here("tlsa", "reconcile", "--json", *line)
    error = json.loads(as_json.out)
    assert (as_json.status, as_json.said) == (status, [])
    assert sorted(error) == ["advice", "error", "where"]
    assert shell.leaks("never" * 8) == []


def _instead(line: list[str], words: list[str]) -> list[str]:
    """The words replace the option of the same name; a domain replaces the host."""
    for option in {words[0], "--host" if words[0] == "--domain" else words[0]} & set(line):
        at = line.index(option)
        line = line[:at] + line[at + 2 :]
    return [*line, *words]


def test_a_missing_token_is_said_before_it_is_needed(shell: Shell, mail_host: MailHost) -> None:
    done = shell.child("tlsa", "reconcile", *good(shell, mail_host))
    assert (done.status, len(done.said)) == (78, 1)
    assert "CLOUDFLARE_API_TOKEN" in done.said[0]


@pytest.mark.parametrize("missing,text", [("--host", "no host is named"), ("--source", "no source is named")])
def test_what_is_missing_is_named(missing: str, text: str, shell: Shell, dnstree: DnsTree) -> None:
    words = {"--host": HOST, "--source": "pem:/x"}
    del words[missing]
    done = shell.here("tlsa", "reconcile", *(word for pair in words.items() for word in pair))
    assert (done.status, len(done.said)) == (64, 1)
    assert text in done.said[0]


def certificates(home: Path, pki: Pki) -> dict[str, tuple[bytes | None, str]]:
    """What a person may name as the served certificate, and what is wrong with it."""
    fine, other = pki.issue([HOST]), pki.issue([HOST])
    return {
        "not there": (None, "is not there"),
        "empty": (b"", "holds no PEM certificate"),
        "truncated": (fine.chain[:200], "is damaged or cut off"),
        "no PEM": (b"\x30\x82" * 50, "holds no PEM certificate"),
        "another host's": (pki.issue(["other.example.org"]).chain, f"not for {HOST} but for other.example.org"),
        "expired": (pki.issue([HOST], life=timedelta(days=-2)).chain, "the certificate expired on"),
        "with another key": (other.key + fine.chain, "mismatch"),
    }


def test_a_certificate_that_will_not_do(shell: Shell, cloudflare: CloudflareApi, pki: Pki, mail_host: MailHost) -> None:
    for why, (data, text) in certificates(shell.home, pki).items():
        path = shell.home / f"{why}.pem"
        if data is not None:
            path.write_bytes(data)
        words = ["--host", HOST, "--source", f"pem:{path}", "--provider", "cloudflare"]
        done = shell.here("tlsa", "reconcile", *words)
        assert (done.status, len(done.said)) == (1, 1), (why, done)
        assert text in done.said[0], why
        assert str(path) in done.said[0], why
        as_json = shell.here("tlsa", "reconcile", "--json", *words)
        assert (as_json.status, as_json.action, as_json.said) == (1, "refuse", []), why
        assert text in as_json.findings
    assert not list(cloudflare.log)


def test_a_file_that_cannot_be_read(shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost) -> None:
    (shell.home / "loop.pem").symlink_to("loop.pem")
    done = shell.here("tlsa", "reconcile", "--host", HOST, "--source", f"pem:{shell.home / 'loop.pem'}")
    assert (done.status, len(done.said)) == (1, 1)
    assert "cannot be read" in done.said[0]


def test_nobody_to_write_is_said_when_there_is_something_to_write(
    shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost
) -> None:
    done = shell.here("tlsa", "reconcile", "--host", HOST, "--source", shell.certificate(mail_host.issue("old")))
    assert (done.status, len(done.said)) == (1, 1)
    assert "name who holds the zone: --provider cloudflare" in done.said[0]


@pytest.mark.parametrize("spelling", ["MX1.Example.ORG", "mx1.example.org.", " mx1.EXAMPLE.org"])
def test_a_name_in_another_spelling_is_the_same_name(
    spelling: str, shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost
) -> None:
    source = shell.certificate(mail_host.issue("old"))
    done = shell.here("tlsa", "reconcile", "--json", "--host", spelling, "--source", source, "--provider", "cloudflare")
    assert (done.status, done.action, done.document["results"][0]["name"]) == (0, "publish", OWNER)
    again = shell.here("tlsa", "plan", "--json", "--host", HOST, "--host", spelling, "--source", source)
    assert len(again.document["results"]) == 1


def test_an_internationalised_name_works_as_a_labels(
    shell: Shell, rfc2136: tuple[str, ...], dnstree: DnsTree, mail_host: MailHost
) -> None:
    host = "mx1.xn--bcher-kva.example.org"
    dnstree.replace(host, "A", "192.0.2.25")
    source = shell.certificate(mail_host.issue("idn", host))
    mail_host.serve("idn")
    done = shell.here("tlsa", "reconcile", "--json", "--host", "MX1.Bücher.example.org", *rfc2136, "--source", source)
    assert (done.status, done.action, done.document["results"][0]["name"]) == (0, "publish", f"_25._tcp.{host}")
    dnstree.wait_for(f"_25._tcp.{host}", "TLSA", {mail_host.issue("idn").association}, BOTH)
    wrong = shell.here("tlsa", "reconcile", "--host", "mx1.b\u2024\u0301.example.org", *rfc2136, "--source", source)
    assert (wrong.status, len(wrong.said)) == (64, 1)


def test_a_damaged_ledger_is_said_and_the_run_goes_on(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = good(shell, mail_host)
    shell.here("tlsa", "reconcile", *words)
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)
    (path,) = shell.state.rglob("*.json")
    path.write_bytes(path.read_bytes()[:100])
    done = shell.here("tlsa", "reconcile", *words)
    assert (done.status, "tlsa.ledger.damaged" in done.err, str(path) in done.err) == (0, True, True)
    assert json.loads(path.read_bytes())["version"] == 1


CONFIG = """hostname: mx1.example.org
dns: {{provider: cloudflare, token: !file {token}}}
state: {{directory: {state}}}
tlsa:
  {key}:
    - host: MX1.example.org
      ports: [25]
      sources: {source}
"""


@pytest.fixture
def config(shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost) -> dict[str, str]:
    token = shell.home / "token"
    token.write_text(cloudflare.token + "\n")
    token.chmod(0o600)
    shell.environ |= {"CLOUDFLARE_API_TOKEN": "", "STATE_DIRECTORY": ""}
    source = shell.certificate(mail_host.issue("old"))
    return {"token": str(token), "state": str(shell.state), "source": source, "key": "targets"}


def test_the_same_targets_from_a_configuration_file(shell: Shell, config: dict[str, str]) -> None:
    path = shell.home / "mailsrv.yml"
    path.write_text(CONFIG.format(**config))
    done = shell.here("tlsa", "reconcile", "--json", "--config", str(path))
    assert (done.status, done.action, done.document["results"][0]["name"]) == (0, "publish", OWNER)
    named = shell.here("tlsa", "reconcile", "--json", "--host", HOST, MAILSRV_CONFIG=str(path))
    assert (named.status, named.document["results"][0]["wanted"]) == (0, done.document["results"][0]["wanted"])


def test_a_key_nearly_right_is_told_with_file_and_line(shell: Shell, config: dict[str, str]) -> None:
    path = shell.home / "mailsrv.yml"
    path.write_text(CONFIG.format(**config | {"key": "tagrets"}))
    done = shell.here("tlsa", "reconcile", "--config", str(path))
    assert (done.status, len(done.said), done.out) == (78, 1, "")
    assert f"{path}:5" in done.said[0]
    assert "targets" in done.said[0].partition("tagrets")[2]
    as_json = shell.here("tlsa", "reconcile", "--json", "--config", str(path))
    assert (as_json.status, "error" in json.loads(as_json.out)) == (78, True)


def test_a_port_that_needs_a_protocol_is_a_mistake_of_the_configuration(shell: Shell, config: dict[str, str]) -> None:
    path = shell.home / "mailsrv.yml"
    path.write_text(CONFIG.format(**config).replace("[25]", "[8025]"))
    done = shell.here("tlsa", "reconcile", "--config", str(path))
    assert (done.status, len(done.said)) == (78, 1)
    assert "port 8025" in done.said[0]
