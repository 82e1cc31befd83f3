"""`mailsrv dns records`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from dnsops.base.errors import Misused
from dnsops.commands.dns import dns

CONFIG = """
hostname: mx1.example.org
domains: [example.org, example.net]
records: {addresses: [192.0.2.25, "2001:db8::25"]}
"""


@pytest.fixture
def run(tmp_path: Path) -> object:
    (tmp_path / "m.yml").write_text(CONFIG, encoding="utf-8")

    def typed(*words: str) -> Result:
        places = ["--config", str(tmp_path / "m.yml"), "--state", str(tmp_path / "state")]
        return CliRunner().invoke(dns, ["records", *places, *words], standalone_mode=False, catch_exceptions=False)

    return typed


def test_a_zone_file_by_itself(run) -> None:  # type: ignore[no-untyped-def]
    said = run().output
    assert "; its mail comes to our host (RFC 5321 5.1)\nexample.org. 300 IN MX 10 mx1.example.org.\n" in said
    assert "; expected, not ours to write: 25.2.0.192.in-addr.arpa. PTR mx1.example.org.\n" in said
    assert "; note: example.org has no DKIM keys yet" in said


def test_a_table(run) -> None:  # type: ignore[no-untyped-def]
    said = run("--format", "table").output
    assert "mta-sts.example.net" in said
    assert "note: " in said


@pytest.mark.parametrize("words", [("--json",), ("--format", "json")])
def test_json(run, words: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run(*words).output)
    assert (found["hostname"], found["domains"]) == ("mx1.example.org", ["example.org", "example.net"])
    assert {record["type"] for record in found["records"]} == {"A", "AAAA", "CAA", "CNAME", "MX", "SRV", "TXT"}


def test_octodns(run) -> None:  # type: ignore[no-untyped-def]
    said = run("--format", "octodns").output
    assert "# example.net.yaml\n---\n" in said
    first, second = yaml.safe_load_all(said)
    assert {record["type"] for record in first[""]} == {record["type"] for record in second[""]} == {"CAA", "MX", "TXT"}


def test_one_domain(run) -> None:  # type: ignore[no-untyped-def]
    found = json.loads(run("--json", "--domain", "Example.NET").output)
    assert {record["name"].endswith("example.net") for record in found["records"]} == {True}
    with pytest.raises(Misused, match="no domain of ours"):
        run("--domain", "example.com")


def test_nothing_is_written(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    run()
    assert not (tmp_path / "state").exists()
