"""A key is rolled: announced, certified, waited for, served, its predecessor retired - and nobody is refused meanwhile."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from dnsops.base import files
from tests.conftest import without
from tests.journeys import strace
from tests.journeys.keyserver import KeyServer
from tests.journeys.mailhost import MailHost
from tests.journeys.shell import HOST, OWNER, Shell
from tests.journeys.strace import DEAD, RENAMES, SYNCS, killing
from tests.journeys.test_tlsa_through import BOTH
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.demo import Watch
from tests.lab.dnstree import DnsTree
from tests.lab.mx import Mx
from tests.lab.network import MX6
from tests.lab.pki import Credentials, Pki
from tests.lab.postfix import Receiver, Sender
from tests.lab.program import wait_until

ROLL = ("tlsa", "roll", HOST, "--provider", "cloudflare", "--ttl", "60")


def certify(shell: Shell, pki: Pki, word: str = "next") -> Path:
    """What a CA gives for our next key."""
    pem = (shell.state / "certs" / HOST / word / "key.pem").read_bytes()
    key = load_pem_private_key(pem, None)
    issued = pki.issue([HOST], key)  # type: ignore[arg-type]
    path = shell.home / "issued.pem"
    path.write_bytes(issued.chain)
    return path


@pytest.fixture
def first_pair(shell: Shell, cloudflare: CloudflareApi, pki: Pki) -> Shell:
    """The first pair is there and announced nowhere yet."""
    shell.here(*ROLL, "--csr")
    shell.here(*ROLL, "--chain", str(certify(shell, pki)), "--no-probe")
    return shell


@pytest.fixture
def server(first_pair: Shell, mx: Mx, tmp_path: Path) -> Iterator[KeyServer]:
    with KeyServer(mx, first_pair.state, tmp_path / "reload") as running:
        yield running


def test_a_request_for_the_announced_key_and_nothing_else_is_printed(shell: Shell, cloudflare: CloudflareApi) -> None:
    requests = [shell.here(*ROLL, "--csr") for _ in range(2)]
    parsed = [x509.load_pem_x509_csr(request.out.encode()) for request in requests]
    assert [request.status for request in requests] == [0, 0]
    key = load_pem_private_key((shell.state / "certs" / HOST / "next" / "key.pem").read_bytes(), None)
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert {request.public_key().public_bytes(*form) for request in parsed} == {key.public_key().public_bytes(*form)}
    assert list(cloudflare.log) == []


def test_a_chain_for_another_key_is_refused(shell: Shell, cloudflare: CloudflareApi, mail_host: MailHost) -> None:
    chain, _ = mail_host.issue("stranger").write(shell.home, "stranger")
    done = shell.here(*ROLL, "--chain", str(chain))
    assert done.status == 1
    assert "key mismatch" in done.err
    assert list(cloudflare.log) == []


def test_a_whole_roll_by_one_command_on_a_real_postfix(
    first_pair: Shell, pki: Pki, dnstree: DnsTree, lab: Path, postfix: Sender
) -> None:
    shell, pair = first_pair, first_pair.state / "certs" / HOST / "current"
    with ExitStack() as stack:
        receiver = stack.enter_context(Receiver(lab, pair / "chain.pem", pair / "key.pem"))
        first = Credentials(b"", (pair / "chain.pem").read_bytes()).association
        announced = shell.here(*ROLL, "--json")
        assert (announced.status, announced.document["results"][0]["wanted"]) == (0, [first])
        dnstree.wait_for(OWNER, "TLSA", announced.document["results"][0]["published"] or dnstree.texts(OWNER, "TLSA"))
        reload = f"postfix -c {receiver.home / 'etc'} reload"
        with Watch(f"[{HOST}]") as watch:
            rolled = shell.child(
                *ROLL, "--chain", str(certify(shell, pki)), "--reload", reload, "--wait", "--every", "0.3"
            )
        assert rolled.status == 0, rolled.err
        assert watch.refused == 0
        assert sum(watch.verdicts.values()) > 5
        second = Credentials(b"", (pair / "chain.pem").read_bytes()).association
        assert second != first
        assert first not in dnstree.texts(OWNER, "TLSA")
        assert second in dnstree.texts(OWNER, "TLSA")
        assert len(dnstree.texts(OWNER, "TLSA")) == 2, "the key after it is announced already"
        assert postfix.finger(f"[{HOST}]").value == "Verified"
        steps = [line for line in rolled.err.splitlines() if OWNER in line]
        assert "the next key is served now" in rolled.err
        assert [step for step in steps if "would" in step] == []


def test_a_roll_without_wait_takes_one_step_and_a_second_runner_says_75(server: KeyServer, first_pair: Shell) -> None:
    shell = first_pair
    with files.lock(shell.state / "tlsa.lock"):
        done = shell.child(*ROLL)
        assert (done.status, "is at it already" in done.err) == (75, True)
        as_json = shell.here("tlsa", "reconcile", "--json", "--host", HOST, "--source", "mailsrv:")
        assert (as_json.status, "is at it already" in json.loads(as_json.out)["error"]) == (75, True)
    assert shell.here(*ROLL, "--json").action in ("none", "wait")


def test_a_reload_that_fails_is_said_and_both_records_stay(
    server: KeyServer, first_pair: Shell, pki: Pki, dnstree: DnsTree
) -> None:
    shell = first_pair
    served = server.spki
    words = ["--chain", str(certify(shell, pki)), "--wait", "--every", "0.3"]
    done = shell.child(*ROLL, *words, "--reload", "sh -c 'echo no such unit; exit 5'")
    assert done.status == 1
    assert "exit status 5 (no such unit)" in done.err
    assert "does not show its new key after the reload" in done.err
    assert server.spki == served
    assert Credentials(b"", server.serving.chain).association in dnstree.texts(OWNER, "TLSA")
    again = shell.child(*ROLL, "--reload", server.command, "--wait", "--every", "0.3")
    assert (again.status, server.reloads) == (0, 1), again.err
    assert server.spki != served


def test_show_tells_what_is_published_who_says_it_and_what_the_ports_show(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = ["--host", HOST, "--source", shell.certificate(mail_host.issue("old")), "--provider", "cloudflare"]
    assert shell.here("tlsa", "reconcile", *words).status == 0
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)
    good = shell.child("tlsa", "show", "--host", HOST)
    assert good.status == 0
    for text in (
        OWNER,
        "proven by DNSSEC",
        "DANE-EE",
        "ns1.example.org (192.0.2.1)",
        "ns2.example.org",
        "matches 3 1 1",
    ):
        assert text in " ".join(good.out.split())
    mail_host.serve("new", (MX6,))
    bad = shell.here("tlsa", "show", "--host", HOST, "--json")
    shown = json.loads(bad.out)["results"][0]["ports"][0]["shown"]
    assert (bad.status, [bool(face["matches"]) for face in shown]) == (1, [True, False])
    assert shell.here("tlsa", "show", "--host", "mx1.bogus.org").status in (1, 75)
    assert not list(shell.state.rglob("*bogus*"))


def test_plan_says_2_while_changes_are_pending_and_0_without(
    shell: Shell, cloudflare: CloudflareApi, dnstree: DnsTree, mail_host: MailHost
) -> None:
    words = ["--host", HOST, "--source", shell.certificate(mail_host.issue("old")), "--provider", "cloudflare"]
    pending = shell.here("tlsa", "plan", *words)
    assert (pending.status, "would publish 3 1 1" in pending.out) == (2, True)
    assert (list(cloudflare.log), shell.state.exists()) == ([], False)
    assert shell.here("tlsa", "reconcile", "--dry-run", "--json", *words).action == "publish"
    assert shell.here("tlsa", "reconcile", *words).status == 0
    dnstree.wait_for(OWNER, "TLSA", {mail_host.issue("old").association}, BOTH)
    before = {path: path.read_bytes() for path in shell.state.rglob("*") if path.is_file()}
    settled = shell.here("tlsa", "plan", *words)
    assert (settled.status, "in sync" in settled.out) == (0, True)
    assert {path: path.read_bytes() for path in shell.state.rglob("*") if path.is_file()} == before


def test_a_switch_of_keys_killed_at_any_write(
    first_pair: Shell, server: KeyServer, cloudflare: CloudflareApi, dnstree: DnsTree, pki: Pki
) -> None:
    """Whatever dies: what is served is matched by what is published, and in the end the next key is served."""
    if reason := strace.why_not():
        without("strace", reason)
    shell, kept = first_pair, first_pair.home / "kept"
    words = [*ROLL, "--reload", server.command]
    _until_ripe(shell, words)
    shell.here(*words, "--chain", str(certify(shell, pki)), "--reload", "false", "--csr")
    shutil.copytree(shell.state, kept, symlinks=True)
    standing = dnstree.texts(OWNER, "TLSA")
    old = server.spki

    def begin() -> None:
        shutil.rmtree(shell.state)
        shutil.copytree(kept, shell.state, symlinks=True)
        for entry in cloudflare.records("example.org", "TLSA", OWNER):
            if entry.rdata.to_text(chunksize=0) not in standing:
                cloudflare.erase("example.org", entry.id)
        dnstree.wait_for(OWNER, "TLSA", standing)
        server.reload()
        assert server.spki == old

    def after() -> None:
        for _ in range(4):
            assert Credentials(b"", server.serving.chain).association in dnstree.texts(OWNER, "TLSA")
            if server.spki != old:
                return
            shell.here(*words)
            time.sleep(0.1)
        raise AssertionError("the next key is never served")

    ledgers, home = shell.state / "tlsa", shell.state / "certs" / HOST
    writes = [(RENAMES, None), (SYNCS, ledgers), (RENAMES, home / "next"), (SYNCS, home)]  # the ledger, then the key
    for calls, path in writes:
        begin()
        died = shell.child(*words, prefix=killing(calls, path=path))
        assert died.status in DEAD, (calls, path, died)
        after()


def _until_ripe(shell: Shell, words: list[str]) -> None:
    """Run until the announced key may be served."""
    wait_until(
        lambda: bool(shell.here(*words, "--json").document["results"][0]["ready"]), f"{HOST}'s next key to be ripe"
    )
