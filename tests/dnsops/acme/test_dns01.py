"""dns-01 on real servers: delegated challenges, secondaries that lag, faults at every call, kill -9 at every step. S-ACME-02."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dnsops.acme.dns01 import Dns01
from dnsops.acme.door import Challenge
from dnsops.acme.journal import Journal, Out
from dnsops.base import files
from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.door import Change
from dnsops.providers.memory import Memory
from dnsops.records.rdata import Record, txt
from tests.dnsops.acme import issuing
from tests.dnsops.acme.issuing import NAMES, STRANGER
from tests.lab.acme import Pebble
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.dnstree import DnsTree
from tests.lab.pki import new_key

BOTH = (Challenge("dns-01", "example.org", "t1", "first"), Challenge("dns-01", "example.org", "t2", "second"))
KILLS = 1 if os.environ.get("KILLS") == "all" else 4


async def no_nap(seconds: float) -> None:
    """The servers are next door."""


def strange(tree: DnsTree) -> None:
    tree.replace(STRANGER[0], "TXT", f'"{STRANGER[1]}"')


def test_s_acme_02_two_values_at_one_name_and_a_strangers(clean_zone: DnsTree, tmp_path: Path) -> None:
    strange(clean_zone)
    solver = issuing.solver(issuing.knot(clean_zone), tmp_path)
    solver.show(BOTH)
    assert issuing.challenges_out(clean_zone) == {STRANGER, (STRANGER[0], "first"), (STRANGER[0], "second")}
    assert clean_zone.secure(STRANGER[0], "TXT")
    solver.remove(BOTH)
    solver.remove(BOTH)
    assert issuing.challenges_out(clean_zone) == {STRANGER}


def test_s_acme_02_a_delegated_challenge(pebble: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    """The CNAME leads into another signed zone, which the provider holds too."""
    clean_zone.replace("_acme-challenge.mx1.example.org", "CNAME", "mx1.challenges.nsec.org.")
    try:
        authority, solver = (
            issuing.authority(pebble.url, tmp_path),
            issuing.solver(issuing.knot(clean_zone), tmp_path),
        )
        assert authority.issue(issuing.wish("mx1.example.org"), solver)
        assert not [one for one in clean_zone.axfr("nsec.org") if one[0].startswith("mx1.challenges")]
    finally:
        clean_zone.replace("_acme-challenge.mx1.example.org", "CNAME")


def test_s_acme_02_ten_stale_ones_of_ours_are_swept(clean_zone: DnsTree, tmp_path: Path) -> None:
    strange(clean_zone)
    provider = issuing.knot(clean_zone)
    stale = [Out(STRANGER[0], f"stale-{number}", time.time() - 86400) for number in range(10)]
    Journal(tmp_path, issuing.log()[0]).add(stale)
    provider.write(Change(add=tuple(Record(one.place, "TXT", 60, txt(one.text)) for one in stale[:9])))
    issuing.solver(provider, tmp_path).sweep()
    assert issuing.challenges_out(clean_zone) == {STRANGER}
    assert Journal(tmp_path, issuing.log()[0]).load() == ()


def test_a_secondary_that_lags_is_waited_for(clean_zone: DnsTree, tmp_path: Path) -> None:
    clean_zone.lag()
    solver = issuing.solver(issuing.knot(clean_zone), tmp_path)
    shown = threading.Event()
    thread = threading.Thread(target=lambda: (solver.show(BOTH), shown.set()))
    thread.start()
    assert not shown.wait(1.5)
    clean_zone.follow()
    thread.join(20)
    assert shown.is_set()
    solver.remove(BOTH)


def test_a_secondary_that_never_follows_ends_in_later(clean_zone: DnsTree, pebble: Pebble, tmp_path: Path) -> None:
    clean_zone.lag()
    solver = replace(issuing.solver(issuing.knot(clean_zone), tmp_path), sleep=no_nap)
    with pytest.raises(Later, match=r"ns2\.example\.org \(192\.0\.2\.2\) not yet"):
        issuing.authority(pebble.url, tmp_path).issue(issuing.wish("mx1.example.org"), solver)
    assert issuing.challenges_out(clean_zone) == set(), "removed all the same"


def test_a_bogus_zone_is_not_believed(dnstree: DnsTree, tmp_path: Path) -> None:
    solver = Dns01(Memory(["bogus.org"]), tmp_path, issuing.log()[0], sleep=no_nap)
    with pytest.raises(Later, match=r"bogus\.org"):
        solver.show([Challenge("dns-01", "mx1.bogus.org", "t", "text")])


def test_a_resolver_with_a_cache_is_waited_for(
    pebble: Pebble, clean_zone: DnsTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine's own resolver, by its AD bit: it keeps "no such name", and the values of the order before."""
    monkeypatch.setenv("MAILSRV_RESOLVER", "ad")
    clean_zone.restart_resolver(cache=3)
    try:
        for _ in range(2):
            clean_zone.ask("_acme-challenge.mx1.example.org", "TXT")
            solver = issuing.solver(issuing.knot(clean_zone), tmp_path)
            assert issuing.authority(pebble.url, tmp_path).issue(issuing.wish("mx1.example.org"), solver)
    finally:
        clean_zone.restart_resolver(cache=0)


def test_what_root_writes_belongs_to_who_owns_the_state(pebble: Pebble, clean_zone: DnsTree, tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    solver = issuing.solver(issuing.knot(clean_zone), tmp_path)
    issuing.authority(pebble.url, tmp_path).issue(issuing.wish("mx1.example.org"), solver)
    found = list((tmp_path / "acme").rglob("*"))
    assert {path.name for path in found} >= {"account.json", "challenges.json", "challenges.lock", "lock"}
    assert {path.stat().st_uid for path in found} == {65534}
    assert {path.stat().st_mode & 0o077 for path in found} == {0}


def test_while_one_shows_another_waits(clean_zone: DnsTree, tmp_path: Path) -> None:
    first = issuing.solver(issuing.knot(clean_zone), tmp_path)
    first.show(BOTH)
    second = issuing.solver(issuing.knot(clean_zone), tmp_path)
    for act in (second.sweep, lambda: second.show(BOTH)):
        with pytest.raises(Later, match="at it already"):
            act()
    assert len(issuing.challenges_out(clean_zone)) == 2
    first.remove(BOTH)
    second.sweep()


# faults at every call

FAULTS: dict[str, Callable[[CloudflareApi, int], None]] = {
    "500": lambda api, call: api.fail([{"status": 500, "skip": call if one == 0 else 0} for one in range(30)]),
    "429": lambda api, call: api.fail(
        [{"status": 429, "code": 10429, "headers": {"Retry-After": "300"}, "skip": call if one == 0 else 0}
         for one in range(30)]
    ),
    "lost": lambda api, call: api.drop(30, call),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_every_call_of_the_provider(
    fault: str, pebble: Pebble, cloudflare_api: CloudflareApi, tmp_path: Path
) -> None:
    """It fails for good at call k; afterwards a second run gets the certificate, and nothing of the first stays."""
    cloudflare_api.edit("example.org", "TXT", STRANGER[0], content=f'"{STRANGER[1]}"')
    provider = Cloudflare(Secret(cloudflare_api.token), sleep=lambda _: None)
    solver, authority = issuing.solver(provider, tmp_path), issuing.authority(pebble.url, tmp_path)
    for call in range(30):
        FAULTS[fault](cloudflare_api, call)
        failed = issued(lambda: authority.issue(issuing.wish(*NAMES[:2]), solver))
        untouched = len(cloudflare_api.faults) + cloudflare_api.dropping.times == 30
        cloudflare_api.faults.clear()
        cloudflare_api.drop(0)
        cloudflare_api.rate()
        solver.sweep()
        left = {(one.name, one.content.strip('"')) for one in cloudflare_api.records("example.org", "TXT")}
        assert {one for one in left if one[0].startswith("_acme")} == {STRANGER}
        if untouched:
            assert not failed
            break
    assert call >= 2
    assert issuing.names_of(authority.issue(issuing.wish(*NAMES[:2]), solver)) == set(NAMES[:2])


def issued(act: Callable[[], bytes]) -> str:
    """ "" when it was; else why not."""
    try:
        return "" if act() else "nothing"
    except (Later, ForUser) as error:
        return str(error)


# kill -9

STEPS = ("http.client.send", "os.rename", "socket.connect", "socket.sendto", "socket.sendmsg")


def killed_at(step: int, act: Callable[[], object]) -> bool:
    """Whether a child that does it died at its step-th message or rename. The hook dies with the child."""
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event: str, _: object) -> None:
            nonlocal count
            if event in STEPS:
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        status = 1
        try:
            sys.addaudithook(watch)
            act()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.waitstatus_to_exitcode(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("by", ["knot", "cloudflare"])
def test_s_acme_02_kill_9_at_every_step_of_an_issuance(
    by: str, pebble: Pebble, cloudflare_api: CloudflareApi, clean_zone: DnsTree, tmp_path: Path
) -> None:
    if by == "knot":
        strange(clean_zone)
        provider = issuing.knot(clean_zone)
    else:
        cloudflare_api.edit("example.org", "TXT", STRANGER[0], content=f'"{STRANGER[1]}"')

    def issue() -> bytes:
        holder = provider if by == "knot" else Cloudflare(Secret(cloudflare_api.token), sleep=lambda _: None)
        return issuing.authority(pebble.url, tmp_path).issue(
            issuing.wish(*NAMES[:2], key=key), issuing.solver(holder, tmp_path)
        )

    account, step, dirty = "", 1 + os.getpid() % KILLS, 0
    key = new_key()
    while killed_at(step, issue):
        dirty += len(issuing.challenges_out(clean_zone)) > 1
        issuing.solver(provider if by == "knot" else Cloudflare(Secret(cloudflare_api.token)), tmp_path).sweep()
        assert issuing.challenges_out(clean_zone) == {STRANGER}
        uri = issuing.authority(pebble.url, tmp_path).account_uri
        assert account in ("", uri), "the account is the same one"
        account, step = uri, step + KILLS
    assert step > 20
    assert dirty, "some died with records out"
    assert issuing.challenges_out(clean_zone) == {STRANGER}
    assert issuing.names_of(issue()) == set(NAMES[:2])


def test_a_damaged_journal_is_said_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "acme" / "challenges.json"
    files.private_directory(path.parent)
    for number in range(0, 200, 7):
        path.write_bytes(b'{"version": 1, "out": [{"place": "_acme-challenge.example.org", "text": "x"'[: number % 80])
        log, said = issuing.log()
        assert Journal(tmp_path, log).load() == ()
        assert "acme.journal.damaged" in said.getvalue()
        assert path.with_name("challenges.json.damaged").exists()


def test_a_record_that_nobody_lets_us_remove_stops_nothing(tmp_path: Path) -> None:
    """Its zone is not the provider's any more: said each time, and forgotten after a month."""
    log, said = issuing.log()
    memory = Memory(["example.org"])
    ours, lost = Out("_acme-challenge.example.org", "ours", 1e9), Out("_acme-challenge.example.net", "lost", 1e9)
    memory.write(Change(add=(Record(ours.place, "TXT", 60, txt("ours")),)))
    Journal(tmp_path, log).add([lost, ours])
    solver = Dns01(memory, tmp_path, log, now=lambda: 1e9 + 86400)
    solver.sweep()
    assert memory.read(ours.place, "TXT") == ()
    assert Journal(tmp_path, log).load() == (lost,)
    assert "acme.challenges.left" in said.getvalue()
    replace(solver, now=lambda: 1e9 + 40 * 86400).sweep()
    assert Journal(tmp_path, log).load() == ()


def test_a_write_that_arrives_after_its_removal_is_removed_again(tmp_path: Path) -> None:
    """Killed with the request on its way: the first sweep finds nothing yet."""
    memory, late = Memory(["example.org"]), Out("_acme-challenge.example.org", "late", 1e9)
    Journal(tmp_path, issuing.log()[0]).add([late])
    solver = Dns01(memory, tmp_path, issuing.log()[0], now=lambda: 1e9 + 1)
    solver.sweep()
    memory.write(Change(add=(Record(late.place, "TXT", 60, txt(late.text)),)))
    replace(solver, now=lambda: 1e9 + 300).sweep()
    assert memory.read(late.place, "TXT") == ()
    assert Journal(tmp_path, issuing.log()[0]).load() == ()


def test_a_zone_that_is_not_the_providers_leaves_nothing_behind(dnstree: DnsTree, tmp_path: Path) -> None:
    memory = Memory(["example.org"])
    solver = Dns01(memory, tmp_path, issuing.log()[0])
    with pytest.raises(ForUser, match=r"nsec\.org"):
        solver.show([*BOTH, Challenge("dns-01", "mx1.nsec.org", "t", "third")])
    assert memory.read("_acme-challenge.example.org", "TXT") == ()
    assert Journal(tmp_path, issuing.log()[0]).load() == ()
    solver.remove(BOTH)
