import json

import pytest
from click.testing import CliRunner

from dnsops.base.errors import Exit, ForUser, Misused
from dnsops.certs.generations import Generations
from dnsops.commands.cert import cert
from tests.dnsops.certs.making import DAY, HOST, NOW


def run(*arguments):
    """What the command did, its own errors raised."""
    result = CliRunner().invoke(cert, list(arguments))
    if isinstance(result.exception, ForUser):
        raise result.exception
    return result


@pytest.fixture
def file(tmp_path, ca):
    def write(**what):
        chain, _ = ca.pair(**what)
        (tmp_path / "x.pem").write_bytes(chain)
        return f"pem:{tmp_path}/x.pem"

    return write


def test_a_source_as_json_has_every_record_and_all_facts(file):
    result = run("show", file(names=[HOST, "alias.example.org"]), "--host", HOST.upper(), "--json")
    assert result.exit_code == Exit.OK
    (shown,) = json.loads(result.output)["certificates"]
    assert shown["host"] == HOST
    assert shown["certificate"]["names"] == [HOST, "alias.example.org"]
    assert shown["certificate"]["key"] == "ECDSA P-256"
    assert shown["certificate"]["days_left"] in (59, 60)
    forms = {(r["usage"], r["selector"], r["matching"], r["of"]) for r in shown["tlsa"]}
    leaf = {(3, s, m, "leaf") for s in (0, 1) for m in (1, 2)}
    assert forms == leaf | {(2, s, m, "issuer 1") for s in (0, 1) for m in (1, 2)}
    assert all(len(r["data"]) == {1: 64, 2: 128}[r["matching"]] for r in shown["tlsa"])
    assert shown["flaws"] == []


@pytest.mark.parametrize(
    "what, says",
    [
        ({"end": NOW - DAY / 2}, "expired"),
        ({"names": ["mx2.example.org"]}, "not for mx1.example.org"),
        ({"start": NOW + DAY}, "not valid before"),
    ],
)
def test_findings_are_shown_with_the_certificate_and_exit_one(file, what, says):
    result = run("show", file(**what), "--host", HOST)
    assert result.exit_code == Exit.FINDINGS
    assert says in result.output
    assert "3 1 1 " in result.output


def test_our_own_keys_current_and_next(tmp_path, ca):
    ours = Generations(tmp_path)
    ours.make_next(HOST)
    ours.install_chain(HOST, ca.certify(ours.csr(HOST)))
    ours.promote(HOST)
    ours.make_next(HOST)
    shown = json.loads(run("show", "--certs", str(tmp_path), "--json").output)["certificates"]
    assert [(one["role"], bool(one["certificate"]), len(one["tlsa"])) for one in shown] == [
        ("current", True, 8),
        ("next", False, 2),
    ]
    assert "waits for one" in run("show", "--certs", str(tmp_path), "--host", HOST).output


def test_without_anything_to_show_it_says_what_to_write(tmp_path, file):
    with pytest.raises(ForUser, match="name a SOURCE"):
        run("show", "--certs", str(tmp_path))
    with pytest.raises(Misused, match="--host mx1"):
        run("show", file())
    with pytest.raises(Misused, match="did you mean pem:"):
        run("show", "pm:x", "--host", HOST)


def test_sources_lists_every_kind():
    kinds = json.loads(run("sources", "--json").output)["sources"]
    assert {"pem", "stalwart-rocksdb", "tls", "mailsrv"} <= {kind["kind"] for kind in kinds}
    assert all(kind["syntax"].startswith(kind["kind"] + ":") for kind in kinds)
    assert "certbot:NAME" in run("sources").output
