"""`mailsrv config`: says what is in effect, and what is wrong, to people and to programs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from dnsops.commands.config import config

GOOD = "hostname: MX1.example.org\ndns: {provider: cloudflare, token: !file token}\n"


def run(*words: str) -> Result:
    return CliRunner().invoke(config, words, standalone_mode=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("s3cr3t", encoding="ascii")
    path = tmp_path / "m.yml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_check_says_ok(file: Path) -> None:
    result = run("check", "--config", str(file))
    assert (result.return_value, result.output) == (0, f"{file}: ok\n")
    assert json.loads(run("check", "--json", "--config", str(file)).stdout) == {
        "file": str(file),
        "ok": True,
        "errors": [],
    }


def test_check_tells_every_error(file: Path) -> None:
    file.write_text("hostname: mx1\nimapp: 1\n", encoding="utf-8")
    result = run("check", "--config", str(file))
    assert result.return_value == 78
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == ["hostname", "imapp"]
    errors = json.loads(run("check", "--json", "--config", str(file)).stdout)["errors"]
    assert errors[1] == {
        "error": "there is no such setting",
        "where": f"{file}:2: imapp",
        "advice": "did you mean imap?",
    }


def test_check_reads_the_secrets(file: Path) -> None:
    (file.parent / "token").unlink()
    result = run("check", "--config", str(file))
    assert result.return_value == 78
    assert f"{file}:2: dns.token: the secret's file {file.parent}/token is not there" in result.stderr


def test_show_marks_defaults_and_hides_secrets(file: Path) -> None:
    text = run("show", "--config", str(file)).stdout
    assert "s3cr3t" not in text
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if "." in line}
    assert rows["dns.token"] == ["<secret>", "from", "file", f"{file.parent}/token"]
    assert rows["dns.ttl"] == ["300", "default"]
    told = json.loads(run("show", "--json", "--config", str(file)).stdout)
    assert told["settings"]["hostname"] == "mx1.example.org"
    assert "hostname" not in told["defaults"]
    assert "auth.must_match_sender" in told["defaults"]


class Tagged(yaml.SafeLoader):
    """Reads the tags of secrets as texts, as an editor does."""


for tag in ("!file", "!env", "!credential"):
    Tagged.add_constructor(tag, lambda loader, node: f"<{node.value}>")


def test_the_schema_accepts_the_example_and_refuses_what_is_wrong() -> None:
    schema = json.loads(run("schema").stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    document = yaml.load(run("example").stdout, Tagged)
    assert list(validator.iter_errors(document)) == []
    assert list(validator.iter_errors({**document, "hostnme": "x"}))
    assert list(validator.iter_errors({**document, "dns": {"provider": "cloudflair"}}))


@pytest.mark.parametrize("written", [{"ports": 25}, {"ports": [25]}, {"sources": "certbot:x"}, {"forms": "3 1 1"}])
def test_the_schema_knows_that_one_value_is_a_list(written: dict[str, object]) -> None:
    schema = json.loads(run("schema").stdout)
    document = {"hostname": "a.example.org", "tlsa": {"targets": [{"host": "a.example.org", **written}]}}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(document)) == []
