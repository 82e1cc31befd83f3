"""`mailsrv check`: which kind is meant, what each says, and its exit status; DANE beside the lab's servers."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from checks.catalogue import EVERYTHING, SUBTESTS
from checks.catalogue.ports import PORTS
from checks.commands.asking import Forms
from checks.commands.check import COMMANDS, check
from checks.commands.everything import joined
from checks.commands.telling import Telling
from checks.finding import Category, Status, Verdict
from checks.history import FILE, History
from checks.report import document, words
from dnsops.certs.chain import association
from mailsrv.command import main
from tests.checks.report import sample
from tests.journeys.mailhost import MailHost
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.pki import Credentials, Pki


def run(*typed: str) -> int:
    try:
        return main(list(typed), check)
    except SystemExit as leaving:
        return int(leaving.code or 0)


# which kind


def test_help_names_the_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    told = capsys.readouterr().out
    assert all(name in told for name in ("mail", "dane", "explain", "history", "all"))


def test_each_kind_can_be_asked_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in check.list_commands(None):  # type: ignore[arg-type]
        assert name in COMMANDS
        assert run(name, "--help") == 0
        assert "Usage: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "typed,said",
    [
        ([], "no domain to check"),
        (["mail"], "no domain to check"),
        (["dane"], "no domain to check"),
        (["not_a.domain..org"], "domain to check"),
        (["mail", "example.org", "--json", "--nagios"], "choose one of them"),
        (["explain", "tls_versoin"], "did you mean tls_version?"),
        (["dane", "example.org", "--resolver", "here"], "not an address"),
    ],
)
def test_wrong_usage(typed: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*typed) in (64, 1)
    caught = capsys.readouterr()
    assert said in caught.err + caught.out


def test_a_host_without_domains_has_nothing_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "mailsrv.yml"
    config.write_text(f"hostname: mx1.example.org\nstate: {{directory: {tmp_path / 'state'}}}\n")
    assert run("all", "--json", "--config", str(config)) == 0
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    assert written["action"] == "no domain is configured: nothing to check"
    assert run("--config", str(config)) == 0
    assert "nothing to check" in capsys.readouterr().out


# explain


@pytest.mark.parametrize("name", [one.id for one in (*EVERYTHING, *PORTS)])
def test_every_check_is_explained(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", name) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in (name, "Standard: ", "To mend it: "))
    assert run("explain", name, "--json") == 0
    assert json.loads(capsys.readouterr().out)["id"] == name


def test_explain_lists_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "--json") == 0
    told = [one["id"] for one in json.loads(capsys.readouterr().out)]
    assert told[: len(SUBTESTS)] == [one.id for one in SUBTESTS], "in internet.nl's order"
    assert len(set(told)) == len(told)
    assert {one.id for one in (*EVERYTHING, *PORTS)} <= set(told)
    assert run("explain") == 0
    assert "tls_cipher_order" in capsys.readouterr().out


# history


def test_history_tells_runs_and_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = ("--state", str(tmp_path))
    assert run("history", *here) == 1
    assert "no check has been remembered yet" in capsys.readouterr().err
    for report in (sample.good(), sample.worse(sample.good())):
        with Telling(Forms(nagios=True), History(tmp_path / FILE)) as telling:
            telling.take(report)
    capsys.readouterr()
    assert run("history", "good.test", *here) == 0
    told = capsys.readouterr().out
    assert "83 %" in told
    assert "since 2026-11-26 03:00: 2 changed" in told
    assert run("history", "good.test", "--json", *here) == 0
    written = json.loads(capsys.readouterr().out)
    assert [run["score"] for run in written["runs"]] == [100, 83]
    assert written["changes"][0]["id"] == "score"
    assert run("history", *here) == 0
    assert capsys.readouterr().out == "good.test\n"
    assert run("history", "other.test", *here) == 1


# all: two reports become one


def test_what_dane_found_counts_in_the_report_of_all() -> None:
    failed = sample.finding("port_dane", "dane", Status.FAIL, strict=Status.FAIL, max_points=None)
    dane = sample.Report(
        "good.test", sample.AT, 0, (), notes=("a note",), beyond=Category("dane", (failed,), Verdict.FAILED)
    )
    both = joined(sample.good(), dane)
    assert (words.good(sample.good()), words.good(both)) == (True, False)
    assert both.notes == ("a note",)
    assert "1 failed" in words.sentence(both)


# dane, beside real servers


@pytest.fixture
def mail_host(mx: Mx, pki: Pki) -> MailHost:
    return MailHost(mx, pki)


def dane(capsys: pytest.CaptureFixture[str], *typed: str) -> tuple[int, dict[str, list[str]]]:
    """The exit status, and the words of each finding that is not good."""
    status = run("dane", "--json", *typed)
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    (result,) = written["results"]
    wrong = [one for one in result["beyond"] if one["strict"] not in ("success", "info")]
    return status, {f"{one['id']} {one['host']}": one["details"] for one in wrong}


def tlsa(credentials: Credentials) -> str:
    from dnsops.certs.chain import from_pem

    return str(association(from_pem(credentials.chain, "").certificates[0], 3, 1, 1))


PORT = "mx1.example.org:25"


@pytest.mark.lab
def test_dane_in_the_lab(clean_zone: DnsTree, mail_host: MailHost, capsys: pytest.CaptureFixture[str]) -> None:
    clean_zone.replace("_25._tcp.mx1.example.org", "TLSA", tlsa(mail_host.issue("old")))
    assert dane(capsys, "example.org") == (0, {})

    mail_host.serve("new")
    status, wrong = dane(capsys, "example.org")
    assert status == 1
    assert all("senders do not deliver there" in line for line in wrong[f"port_dane {PORT}"])
    assert len(wrong[f"port_dane {PORT}"]) == 2, "both addresses"

    clean_zone.replace("_25._tcp.mx1.example.org", "TLSA")
    status, wrong = dane(capsys, "example.org")
    assert status == 0, "a recommendation is no failure"
    assert "no TLSA records: senders cannot know" in wrong[f"port_dane {PORT}"][0]


@pytest.mark.lab
def test_dane_at_other_ports(
    clean_zone: DnsTree, mail_host: MailHost, mx: Mx, capsys: pytest.CaptureFixture[str]
) -> None:
    for port in (25, 993):
        clean_zone.replace(f"_{port}._tcp.mx1.example.org", "TLSA", tlsa(mail_host.issue("old")))
    status, wrong = dane(capsys, "example.org")
    assert status == 0
    assert "shows nothing" in wrong["port_dane mx1.example.org:993"][0], "nobody listens there"


@pytest.mark.lab
@pytest.mark.parametrize(
    "domain,status,said",
    [("bogus.org", 1, "bogus"), ("unsigned.org", 1, "DNSSEC does not prove them: they do nothing")],
)
def test_dane_where_the_zone_is_otherwise(
    domain: str, status: int, said: str, clean_zone: DnsTree, mail_host: MailHost, capsys: pytest.CaptureFixture[str]
) -> None:
    found, wrong = dane(capsys, domain)
    assert found == status, wrong
    assert said in str(wrong)


# mail, and all, beside real servers


@pytest.mark.lab
def test_many_domains_are_one_document_and_gone_on_with(
    clean_zone: DnsTree, mail_host: MailHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listing, journal = tmp_path / "domains.txt", tmp_path / "today.journal"
    here = ("mail", "--json", "--file", str(listing), "--journal", str(journal), "--state", str(tmp_path))
    listing.write_text("unsigned.org  # the first part\n")
    assert run(*here) == 1
    capsys.readouterr()
    listing.write_text("unsigned.org\nexample.org\n")
    assert run(*here) == 1
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    assert [result["name"] for result in written["results"]] == ["unsigned.org", "example.org"]
    assert written["action"] == "2 domains checked"
    with History(tmp_path / FILE) as history:
        assert history.domains() == ["example.org", "unsigned.org"]


@pytest.mark.lab
def test_all_is_mail_and_dane(
    clean_zone: DnsTree, mail_host: MailHost, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forms = ("--json", "--html", str(tmp_path / "page.html"), "--junit", str(tmp_path / "report.xml"))
    assert run("postmaster@Example.ORG", *forms, "--state", str(tmp_path)) == 1
    written = json.loads(capsys.readouterr().out)
    jsonschema.validate(written, document.SCHEMA)
    (result,) = written["results"]
    assert set(result["categories"]) == {"ipv6", "dnssec", "auth", "tls", "rpki"}
    assert {"port_dane", "zone_signatures"} <= {one["id"] for one in result["beyond"]}
    assert "DANE: the records fit the certificate" in (tmp_path / "page.html").read_text()
    assert "dane_valid" in (tmp_path / "report.xml").read_text()
