"""`mailsrv cert issue` with a real authority (pebble), real name servers and a server that shows what it is given: first
certificate, renewal with TLSA records out, kill -9 at every step. After each: a certificate, no challenge left behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dnsops.certs.chain import association, from_pem
from dnsops.certs.generations import Generations
from dnsops.reconcile.certificate_report import SCHEMA
from tests.conftest import without
from tests.dnsops.acme.webserver import serving
from tests.journeys import strace
from tests.journeys.shell import HOST, OWNER, Done, Shell
from tests.journeys.strace import DEAD, SYNCS, killing
from tests.lab.acme import Pebble
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import ROOT
from tests.lab.mx import Mx
from tests.lab.network import MX, MX6, PRIMARY, SECONDARY
from tests.lab.pki import Credentials, Pki
from tests.lab.program import wait_until

NAME = "mta-sts.example.org"
MOST = 20


@pytest.fixture
def words(rfc2136: tuple[str, ...], pebble: Pebble, pki: Pki) -> tuple[str, ...]:
    """Words that let a certificate be issued here."""
    there = ("--directory", pebble.url, "--roots", str(pki.ca), "--contact", "user1@example.org")
    return ("cert", "issue", HOST, "--name", NAME, *there, *rfc2136)


@pytest.fixture
def quick(clean_zone: DnsTree) -> DnsTree:
    return clean_zone


def result(done: Done) -> dict[str, Any]:
    document = json.loads(done.out)
    jsonschema.validate(document, SCHEMA)
    (one,) = document["results"]
    return dict(one)


def kept(shell: Shell) -> Generations:
    return Generations(shell.state / "certs")


def challenges(tree: DnsTree) -> set[str]:
    return {name for name, _, data in tree.axfr("example.org") if name.startswith("_acme-challenge")}


def test_the_first_certificate_and_nothing_to_do_after_it(shell: Shell, words: tuple[str, ...], quick: DnsTree) -> None:
    would = shell.here(*words, "--json", "--dry-run")
    assert (would.status, result(would)["action"]) == (2, "order")
    done = shell.here(*words, "--json")
    assert done.status == 0, done
    told = result(done)
    assert (told["action"], told["issued"], told["switched"], told["names"]) == ("switch", True, True, [HOST, NAME])
    current, upcoming = kept(shell).current(HOST), kept(shell).next(HOST)
    assert current
    assert current.chain
    assert set(current.chain.names) == {HOST, NAME}
    assert upcoming
    assert upcoming.chain is None
    assert challenges(quick) == set()
    again = shell.here(*words, "--json")
    assert (again.status, result(again)["action"]) == (0, "none")
    assert "valid until" in shell.here(*words).out


def test_a_command_learns_of_the_pair_once(shell: Shell, words: tuple[str, ...], tmp_path: Path) -> None:
    words = (
        *words,
        "--install",
        f"sh -c 'openssl x509 -noout -subject -in $MAILSRV_CHAIN; cat $MAILSRV_KEY >> {tmp_path}/told'",
    )
    assert result(shell.here(*words, "--json"))["installed"] is True
    assert result(shell.here(*words, "--json"))["installed"] is False
    assert (tmp_path / "told").read_text().count("BEGIN PRIVATE KEY") == 1


def test_install_by_hand_and_without_a_pair(shell: Shell, words: tuple[str, ...], tmp_path: Path) -> None:
    by_hand = ("cert", "install", HOST, "--certs", str(shell.state / "certs"), "--", "cp", "-t", str(tmp_path))
    nothing = shell.here(*by_hand, "/etc/hostname")
    assert (nothing.status, "no current pair" in nothing.err) == (1, True)
    assert shell.here(*words).status == 0
    assert shell.here(*by_hand, "/etc/hostname").status == 0
    assert (tmp_path / "hostname").exists()
    failed = shell.here(*by_hand, "/nowhere")
    assert (failed.status, "exit status 1" in failed.err) == (1, True)


def test_without_a_provider_by_http_only_names_that_lead_here(
    shell: Shell, words: tuple[str, ...], quick: DnsTree
) -> None:
    quick.replace(NAME, "A", MX)
    quick.replace(NAME, "AAAA", MX6)
    quick.replace("www.example.org", "A", "198.51.100.1")
    by_http = (*words[:-4], "--name", "www.example.org", "--json")
    with serving(shell.state):
        done = shell.here(*by_http)
    assert done.status == 0, done
    told = result(done)
    current = kept(shell).current(HOST)
    assert current
    assert current.chain
    assert set(current.chain.names) == {HOST, NAME}
    assert "www.example.org: it leads elsewhere, to 198.51.100.1" in told["findings"][0]["what"]


def test_the_kinds_of_keys(shell: Shell, words: tuple[str, ...]) -> None:
    assert shell.here(*words, "--key-type", "rsa3072").status == 0
    assert "RSA 3072" in shell.here("cert", "show", "--certs", str(shell.state / "certs")).out
    assert shell.here(*words, "--key-type", "p384", "--force").status == 0
    assert shell.here(*words, "--key-type", "p384", "--force").status == 0


def test_a_configuration_says_it_all_and_the_timer_runs_it(
    shell: Shell, rfc2136: tuple[str, ...], pebble: Pebble, pki: Pki, quick: DnsTree
) -> None:
    file = shell.home / "mailsrv.yml"
    file.write_text(
        f"hostname: {HOST}\ndomains: [example.org, other.test]\n"
        f"dns: {{provider: rfc2136, server: {PRIMARY}, key_file: {quick.tsig_file}}}\n"
        f"acme: {{directory: '{pebble.url}', roots: {pki.ca}, contact: user1@example.org}}\n"
    )
    done = shell.here("timers", "run", "certificate", "--config", str(file))
    assert done.status == 0, done
    current = kept(shell).current(HOST)
    assert current
    assert current.chain
    labels = ("mta-sts", "autoconfig", "autodiscover", "mail", "ua-auto-config")
    assert set(current.chain.names) == {HOST, *(f"{label}.example.org" for label in labels)}
    told = result(shell.here("cert", "issue", "--json", "--config", str(file)))
    assert told["action"] == "none"
    assert len(told["findings"]) == len(labels), "other.test is nobody's zone here, and that holds nobody up"
    file.write_text("hostname: mx1.example.org\nacme: {issue: false}\n")
    assert shell.here("cert", "issue", "--config", str(file)).status == 0


def test_what_is_wrong_with_the_way_in_is_no_failed_try(shell: Shell, words: tuple[str, ...], quick: DnsTree) -> None:
    wrong = shell.home / "wrong.key"
    wrong.write_text("hmac-sha256:lab:bm90IHRoZSByaWdodCBrZXk=")
    done = shell.here(*words[:-1], str(wrong))
    assert done.status == 1, done
    assert shell.here(*words, "--json").status == 0, "mended, it is tried at once"


class Served:
    """A mail host that shows the pair that its reload found, and an eye that compares it with the records all the time."""

    def __init__(self, mx: Mx, tree: DnsTree, shell: Shell, home: Path) -> None:
        self.mx, self.tree, self.shell = mx, tree, shell
        self.bell = home / "reload"
        self.mismatches: list[str] = []
        self.looks = 0
        self.calm = threading.Lock()  # held while nobody may look
        self._end = threading.Event()

    def load(self) -> None:
        current = kept(self.shell).current(HOST)
        assert current
        credentials = Credentials(current.key_path.read_bytes(), current.chain_path.read_bytes())
        for address in (MX, MX6):
            self.mx.switch((address, 25), credentials)
        chain = from_pem(credentials.chain, "")
        self.record = str(association(chain.certificates[0]))

    def watch(self) -> None:
        while not self._end.is_set():
            with self.calm:
                self.look()
            time.sleep(0.02)

    def look(self) -> None:
        if self.bell.exists():
            self.bell.unlink()
            self.load()
        held = self.tree.texts(OWNER, "TLSA", PRIMARY)
        self.looks += 1
        if held and self.record not in held:
            self.mismatches.append(f"{self.record} is served, {held} are there")

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self.watch)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()


def _short(tree: DnsTree, server: str) -> bool:
    return all(rrset.ttl == 1 for rrset in tree.ask(OWNER, "TLSA", server).answer if rrset.rdtype.name == "TLSA")


@pytest.fixture
def served(shell: Shell, words: tuple[str, ...], mx: Mx, quick: DnsTree, tmp_path: Path, pki: Pki) -> Iterator[Served]:
    """The first certificate is served, the records of both keys are ripe."""
    assert shell.here(*words).status == 0
    for address in (MX, MX6):
        mx.listen(address, 25, pki.issue([HOST]))
    host = Served(mx, quick, shell, tmp_path)
    host.load()
    tlsa = ("tlsa", "reconcile", "--json", "--host", HOST, "--source", "mailsrv:", "--ttl", "60", *words[-4:])
    assert shell.here(*tlsa).status == 0
    quick.replace(OWNER, "TLSA", *quick.texts(OWNER, "TLSA", "192.0.2.1"), ttl=1)
    for server in (PRIMARY, SECONDARY):  # a TTL that was once seen is waited for
        wait_until(partial(_short, quick, server), "the short TTL")
    end = time.monotonic() + 40
    while not (seen := json.loads(shell.here(*tlsa).out)["results"][0])["ready"]:
        assert time.monotonic() < end, seen
        time.sleep(0.5)
    with host.watched():
        yield host
    assert host.mismatches == []
    assert host.looks > 3


def test_a_renewal_with_records_out_switches_when_they_are_ripe(
    shell: Shell, words: tuple[str, ...], served: Served
) -> None:
    before = kept(shell).current(HOST)
    announced = kept(shell).next(HOST)
    assert before
    assert announced
    done = shell.here(*words, "--force", "--json", "--port", "25", "--install", f"touch {served.bell}")
    assert done.status == 0, done
    told = result(done)
    assert (told["issued"], told["switched"], told["installed"]) == (True, True, True)
    current = kept(shell).current(HOST)
    assert current
    assert current.spki == announced.spki != before.spki
    assert challenges(served.tree) == set()


# kill -9

PLACES = {
    "acme": 2,
    f"certs/{HOST}/0001": 2,
    f"certs/{HOST}": 2,
}  # directories that a first run writes to, and how often (a thread)


@pytest.mark.parametrize("place", PLACES)
def test_killed_at_any_write_the_next_run_brings_it_to_the_end(
    tmp_path: Path, words: tuple[str, ...], quick: DnsTree, place: str
) -> None:
    if reason := strace.why_not():
        without("strace", reason)
    for number in range(1, MOST):
        shell = Shell(tmp_path / str(number), {})
        shell.home.mkdir()
        done = shell.child(*words, prefix=killing(SYNCS, number, shell.state / place))
        assert done.status in (*DEAD, 0), done
        finished(shell, words, quick)
        if done.status == 0:
            break
    assert PLACES[place] <= number - 1 < MOST, "so often it was killed"


@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_time_while_the_authority_is_at_it(
    shell: Shell, words: tuple[str, ...], quick: DnsTree, seed: int
) -> None:
    child = shell.start(*words)
    time.sleep(random.Random(seed).uniform(0.4, 3.0))
    child.kill()
    child.communicate()
    finished(shell, words, quick)


class Renewal:
    """A renewal that begins again and again from the same state: keys, ledgers and records as `served` left them."""

    def __init__(self, shell: Shell, words: tuple[str, ...], served: Served) -> None:
        self.shell, self.served, self.copy = shell, served, shell.home / "before"
        self.words = (*words, "--json", "--port", "25", "--install", f"touch {served.bell}")
        self.texts = served.tree.texts(OWNER, "TLSA", PRIMARY)
        self.before, self.announced = kept(shell).current(HOST), kept(shell).next(HOST)
        shutil.copytree(shell.state, self.copy, symlinks=True)

    def again(self) -> None:
        """Never a moment without a record of what is served: records of both keys first, then the key."""
        tree = self.served.tree
        with self.served.calm:
            tree.replace(OWNER, "TLSA", *self.texts, ttl=1)
            for server in (PRIMARY, SECONDARY):
                wait_until(partial(_short, tree, server), "the records of before")
            shutil.rmtree(self.shell.state)
            shutil.copytree(self.copy, self.shell.state, symlinks=True)
            self.served.load()

    def die_at(self, number: int) -> int:
        """Its exit status. 0: at none, and `steps` is how many there were."""
        module = (sys.executable, "-m", "tests.journeys.dying", str(number), str(self.shell.home / "steps"))
        prefix = ("env", f"PYTHONPATH={ROOT}", *module)
        done = self.shell.child(*self.words, "--force", whole=prefix)
        assert done.status in (*DEAD, 0), done
        return done.status

    @property
    def steps(self) -> int:
        return int((self.shell.home / "steps").read_text())

    def ends_well(self) -> None:
        """The next runs bring it to the end: the announced key is served, each record is of a key that we have."""
        for words in (self.words, (*self.words, "--force")):
            done = self.shell.here(*words)
            assert done.status == 0, done
            current = kept(self.shell).current(HOST)
            assert current
            if self.announced and current.spki == self.announced.spki:
                break
        else:
            raise AssertionError("the key that was announced is not served")
        assert current.chain
        assert kept(self.shell).next(HOST)
        assert challenges(self.served.tree) == set()


KILLS = 5  # in the suite, another few each time; KILLS=all: at every step, ten minutes


def test_killed_at_any_step_of_a_renewal_the_served_key_stays_matched(
    shell: Shell, words: tuple[str, ...], served: Served
) -> None:
    renewal = Renewal(shell, words, served)
    assert renewal.die_at(0) == 0
    renewal.ends_well()
    total = renewal.steps
    print(f"{total} steps")
    stride = 1 if os.environ.get("KILLS") == "all" else max(1, -(-total // KILLS))
    deaths = 0
    for number in range(1 + os.getpid() % stride, total + 1, stride):
        renewal.again()
        deaths += renewal.die_at(number) in DEAD
        renewal.ends_well()
        assert served.mismatches == [], number
    assert deaths >= min(KILLS, total) // 2, f"of {total} steps"


def finished(shell: Shell, words: tuple[str, ...], tree: DnsTree) -> None:
    done = shell.here(*words, "--json")
    assert done.status == 0, done
    current = kept(shell).current(HOST)
    assert current
    assert current.chain
    assert current.chain.spki == current.spki
    assert kept(shell).next(HOST)
    assert challenges(tree) == set()
    assert shell.here(*words, "--json", "--dry-run").status == 0
