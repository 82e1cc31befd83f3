"""Trust anchor, hints, forwarders and engine from the environment; a wrong one gets a sentence that names its variable."""

from __future__ import annotations

from pathlib import Path

import dns.dnssec
import dns.rdata
import pytest

from dnsops.base.errors import Exit, Misconfigured
from dnsops.resolve.settings import ROOT_KEY, Settings, check_files, from_env

DEBIAN = Path("/usr/share/dns/root.key")  # dns-root-data


def test_without_variables_it_is_the_real_root() -> None:
    assert from_env({}) == Settings(anchor=ROOT_KEY, hints=None, forward=(), engine="", deadline=10.0)
    check_files(from_env({}))


def test_every_variable_is_heard() -> None:
    variables = {
        "MAILSRV_TRUST_ANCHOR": "/a",
        "MAILSRV_ROOT_HINTS": "/h",
        "MAILSRV_FORWARD": "192.0.2.53, 2001:db8::53@5353",
        "MAILSRV_RESOLVER": " AD ",
    }
    assert from_env(variables) == Settings(Path("/a"), Path("/h"), ("192.0.2.53", "2001:db8::53@5353"), "ad")


@pytest.mark.parametrize(
    "name, value",
    [
        ("MAILSRV_RESOLVER", "bind"),
        ("MAILSRV_FORWARD", "dns.example.org"),
        ("MAILSRV_FORWARD", "192.0.2.1@0"),
        ("MAILSRV_FORWARD", "192.0.2.1@dns"),
        ("MAILSRV_FORWARD", " ".join(["192.0.2.1"] * 17)),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        from_env({name: value})
    assert caught.value.where == name
    assert caught.value.status == Exit.CONFIG


@pytest.mark.parametrize("content", [None, b"", b"; DS in a comment\n", b"\xff\xfe", b"x" * 70000])
def test_an_anchor_that_is_none_is_refused(tmp_path: Path, content: bytes | None) -> None:
    anchor = tmp_path / "anchor"
    if content is not None:
        anchor.write_bytes(content)
    with pytest.raises(Misconfigured, match="anchor") as caught:
        check_files(Settings(anchor=anchor))
    assert caught.value.where == "MAILSRV_TRUST_ANCHOR"


def test_hints_without_servers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "hints").write_text("; none\n")
    with pytest.raises(Misconfigured, match="NS record"):
        check_files(Settings(hints=tmp_path / "hints"))


def _ds(line: str) -> dns.rdata.Rdata:
    return dns.rdata.from_text("IN", "DS", line.partition(" DS ")[2])


def test_the_shipped_anchor_is_the_two_keys_of_the_root() -> None:
    lines = [line for line in ROOT_KEY.read_text().splitlines() if not line.startswith(";")]
    assert [line.split()[:6] for line in lines] == [[".", "IN", "DS", tag, "8", "2"] for tag in ("20326", "38696")]
    if not DEBIAN.exists():
        pytest.skip("dns-root-data is not installed: nothing independent to compare with")
    keys = [
        line.partition(";")[0].partition(" DNSKEY ")[2] for line in DEBIAN.read_text().splitlines() if "DNSKEY" in line
    ]
    theirs = {dns.dnssec.make_ds(".", dns.rdata.from_text("IN", "DNSKEY", key), "SHA256") for key in keys}
    assert {_ds(line) for line in lines} == theirs
