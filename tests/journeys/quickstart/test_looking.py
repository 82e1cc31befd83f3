"""The look before anything is written, at real servers: each trouble has its sentence, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.journeys.quickstart.conftest import DOMAIN, NewMachine
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import MX
from tests.lab.pki import Pki


def bad_token(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    machine.shell.environ["CLOUDFLARE_API_TOKEN"] = "x" * 40


def read_only(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    machine.shell.environ["CLOUDFLARE_API_TOKEN"] = api.read_only_token


def existing_mail(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    tree.replace(DOMAIN, "MX", "10 mx.elsewhere.example.")


def no_mail_wanted(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    tree.replace(DOMAIN, "MX", "0 .")


def no_authority(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    machine.options += ["--directory", "https://203.0.113.98/dir"]


def an_alias(machine: NewMachine, api: CloudflareApi, tree: DnsTree) -> None:
    tree.replace(f"mx1.{DOMAIN}", "A")
    tree.replace(f"mx1.{DOMAIN}", "AAAA")
    tree.replace(f"mx1.{DOMAIN}", "CNAME", "alias.example.org.")


TROUBLES: list[tuple[str, Callable[[NewMachine, CloudflareApi, DnsTree], None], str]] = [
    (DOMAIN, bad_token, "zone holder: the token"),
    (DOMAIN, read_only, "zone holder: example.org"),
    (
        DOMAIN,
        existing_mail,
        "existing mail: mail for example.org goes to mx.elsewhere.example now - move its mailboxes",
    ),
    (DOMAIN, no_mail_wanted, "example.org says that it takes no mail (null MX"),
    (DOMAIN, no_authority, "certificate authority: https://203.0.113.98/dir"),
    (DOMAIN, an_alias, "host name: mx1.example.org is an alias of alias.example.org"),
    ("example.net", lambda *_: None, "domain: example.net is not in the DNS - register it"),
    ("nothing.org", lambda *_: None, "zone holder: nothing.org"),
]


@pytest.mark.parametrize(("domain", "prepare", "says"), TROUBLES, ids=[case[2][:40] for case in TROUBLES])
def test_trouble_stops_before_anything_is_written(
    machine: NewMachine,
    empty: CloudflareApi,
    dnstree: DnsTree,
    domain: str,
    prepare: Callable[[NewMachine, CloudflareApi, DnsTree], None],
    says: str,
) -> None:
    prepare(machine, empty, dnstree)
    done = machine.quickstart("--yes", domain=domain)
    assert done.status == 1, done.out + done.err
    assert says in done.err, done.err
    assert not machine.output.exists()
    assert not machine.state.exists()


def test_no_way_out_by_port_25_is_said_and_may_be_overruled(machine: NewMachine, empty: CloudflareApi) -> None:
    words = [word for word in machine.words("--yes") if word not in ("--dial", "203.0.113.25")]
    done = machine.shell.here(*words, "--dial", "203.0.113.99")
    assert done.status == 1
    assert "port 25 outbound: no mail server could be reached (203.0.113.99: Connection refused)" in done.err


def test_a_port_that_somebody_has_is_said(machine: NewMachine, empty: CloudflareApi, mx: Mx, pki: Pki) -> None:
    mx.listen(MX, 25, pki.issue(["mx1.example.org"]))
    done = machine.quickstart("--yes")
    assert f"ports: port 25 of {MX} is another program's - stop the other mail server" in done.err


@pytest.mark.parametrize(
    ("domain", "says"),
    [
        ("unsigned.org", "unsigned.org is not signed: no DANE"),
        ("nods.org", "nods.org is signed, but its parent has no DS record"),
        ("bogus.org", "bogus.org is signed"),
    ],
)
def test_dnssec_is_told_as_it_is(machine: NewMachine, empty: CloudflareApi, domain: str, says: str) -> None:
    done = machine.quickstart("--yes", domain=domain)
    assert says in " ".join(done.out.split()), done.out
