"""`mailsrv report`, run as one runs it, on a ledger of its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
import pytest

from dnsops.base.settings import Settings
from mailsrv.command import main
from mailsrv.commands.report import report
from mailsrv.reports import configured
from mailsrv.reports.ledger import LEDGER, Ledger
from mailsrv.reports.seen import Seen
from tests.mailsrv.reports.samples import OLD, RFC8460, google

ROOT = click.Group("mailsrv", {"report": report})
OURS = RFC8460.replace(b"company-y.example", b"example.org").replace(b"Company-X", b"X\\u001b[31m")

WHY = (
    "SPF softfail for list.example.net, DKIM pass for list.example.net;"
    " list.example.net vouches for it, which is not example.org; they say: sampled_out."
)


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "m.yml"
    file.write_text(
        f"hostname: mx.example.org\ndomains: [example.org]\nstate: {{directory: {tmp_path}/state}}\n", encoding="utf-8"
    )
    return str(file)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(("report", *words), ROOT)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.fixture
def filled(capsys: pytest.CaptureFixture[str], tmp_path: Path, config: str) -> str:
    for name, data in (("a.eml", google()), ("b.json", OURS)):
        (tmp_path / name).write_bytes(data)
        assert run(capsys, "take", str(tmp_path / name), "--config", config)[:2] == (0, "kept\n")
    return config


LISTS = [
    ((), [1, 2]),
    (("--kind", "dmarc"), [1]),
    (("--kind", "tls"), [2]),
    (("--domain", "Example.ORG."), [1, 2]),
    (("--domain", "example.net"), []),
    (("--since", "2026-01-01"), [1]),
    (("--failed",), [1, 2]),
]


@pytest.mark.parametrize("words, numbers", LISTS)
def test_list_and_its_filters(
    capsys: pytest.CaptureFixture[str], filled: str, words: tuple[str, ...], numbers: list[int]
) -> None:
    status, out, _ = run(capsys, "list", *words, "--json", "--config", filled)
    assert status == 0
    assert [row["id"] for row in json.loads(out)] == numbers


def test_people_get_a_table_without_anybodys_control_characters(
    capsys: pytest.CaptureFixture[str], filled: str
) -> None:
    status, out, _ = run(capsys, "list", "--config", filled)
    assert status == 0
    assert "google.com" in out
    assert "nobody" in out
    assert "\x1b" not in out


def test_show_says_who_sent_as_us_and_what_failed(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    status, out, _ = run(capsys, "show", "1", "--config", filled)
    assert status == 0
    assert out.splitlines() == [
        "example.org, 2026-03-01, seen by google.com: 2 messages, 2 failed.",
        "Nothing proved who sent the report: do not act on it alone.",
        "The policy they saw: p=reject, sp=reject.",
        "2001:db8::1 sent 2 messages as example.org that nothing proved (rejected): " + WHY,
    ]
    status, out, _ = run(capsys, "show", "2", "--json", "--config", filled)
    said = json.loads(out)
    assert (status, said["total"], said["failed"]) == (0, 5629, 303)
    assert any("certificate had expired" in sentence for sentence in said["sentences"])


def test_export(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    status, out, _ = run(capsys, "export", "1", "--config", filled)
    assert (status, out.startswith("<?xml")) == (0, True)
    status, out, _ = run(capsys, "export", "2", "--as", "json", "--config", filled)
    assert json.loads(out)["content"]["policies"][0]["failures"] == 303


def test_a_report_that_is_not_there(capsys: pytest.CaptureFixture[str], filled: str) -> None:
    status, _, err = run(capsys, "show", "99", "--config", filled)
    assert (status, "there is no such report" in err) == (1, True)


def test_what_cannot_be_read_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path, config: str) -> None:
    (tmp_path / "x").write_bytes(OLD.replace(b"<feedback>", b"<!DOCTYPE a><feedback>"))
    status, _, err = run(capsys, "take", str(tmp_path / "x"), "--config", config)
    assert (status, "document type" in err) == (1, True)


def test_the_same_file_twice_is_one_report(capsys: pytest.CaptureFixture[str], filled: str, tmp_path: Path) -> None:
    status, out, _ = run(capsys, "take", str(tmp_path / "a.eml"), "--json", "--config", filled)
    assert (status, json.loads(out)["fresh"]) == (0, False)


SENDING = [
    ("", "no mail has been seen here yet", False),
    ("reports: {send: false}\n", "reports.send is false", True),
]


@pytest.mark.parametrize("more, said, seen", SENDING)
def test_send_where_there_is_nothing_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: str, more: str, said: str, seen: bool
) -> None:
    with Path(config).open("a", encoding="utf-8") as file:
        file.write(more)
    if seen:
        (tmp_path / "state" / "store").mkdir(parents=True)
        ledger = Ledger(tmp_path / "state" / LEDGER)
        ledger.add({Seen("dmarc", date(2020, 1, 1), "example.net", "[]"): 1})
        ledger.close()
    status, out, _ = run(capsys, "send", "--json", "--config", config)
    assert status == 0
    assert json.loads(out)["sent"] == []
    assert said in json.loads(out)["action"]
    assert not (tmp_path / "state" / "store" / "mail.db").exists()
    if seen:
        assert Ledger(tmp_path / "state" / LEDGER).domains("dmarc", date(2020, 1, 1)) == [], "old lines go all the same"


def test_send_without_a_configuration_is_no_trouble(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAILSRV_CONFIG", raising=False)
    monkeypatch.setattr("dnsops.base.output.DEFAULT_CONFIG", "/nowhere/mailsrv.yml")
    status, out, _ = run(capsys, "send", "--json")
    assert (status, "no configuration" in out) == (0, True)


def test_the_real_resolver_and_the_real_queue_are_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here without a network: what is due must wait, and nothing is lost."""
    monkeypatch.setenv("MAILSRV_RESOLVER", "ad")
    (tmp_path / "state" / "store").mkdir(parents=True)
    yesterday = datetime.now(UTC).date() - timedelta(days=2)
    ledger = Ledger(tmp_path / "state" / LEDGER)
    ledger.add({Seen("tls", yesterday, "example.invalid", '["sts",[],[],"mx",null]'): 1})
    status, out, _ = run(capsys, "send", "--json", "--config", config)
    assert status == 0
    said = json.loads(out)
    assert said["sent"] == []
    done = ledger.tries(yesterday, "tls", "example.invalid", "")[1]
    assert bool(said["later"]) is not done


@pytest.mark.parametrize(
    "reports, addresses, sender",
    [
        ({}, {"dmarc-reports@example.org": "dmarc", "tls-reports@example.org": "tls"}, "noreply-reports@example.org"),
        (
            {"addresses": {"dmarc": "R@example.net", "tls": "R@example.com"}, "sender": "x@example.org"},
            {"r@example.net": "dmarc", "r@example.com": "tls"},
            "x@example.org",
        ),
    ],
)
def test_addresses_by_default_and_by_choice(reports: dict[str, object], addresses: dict[str, str], sender: str) -> None:
    settings = Settings.model_validate({"hostname": "mx.example.org", "domains": ["example.org"], "reports": reports})
    assert configured.addresses(settings) == addresses
    assert configured.reporter(settings).sender == sender
    assert configured.own(settings) == {*addresses, sender}
    assert configured.domains(settings) == {"example.org", "mx.example.org"}
