"""A zone's story through Cloudflare's API, with something going wrong at every call: S-CF-01 to S-CF-04, P-17, P-18."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from dnsops.base.errors import Deliberate, Exit
from dnsops.base.log import Log
from dnsops.base.moment import Moment
from dnsops.base.secrets import Secret
from dnsops.plan.safety import Limits
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.cloudflare_calls import Calls
from dnsops.reconcile import zone
from dnsops.reconcile.zone_files import Ledgers, WaysBack
from dnsops.reconcile.zone_report import status
from dnsops.reconcile.zone_target import Outcome, Terms
from dnsops.reconcile.zone_world import Eyes, World
from dnsops.records.rdata import Record, parse
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from dnsops.wanted.door import Wish
from tests.dnsops.plan.words import record
from tests.dnsops.reconcile.test_zone import FIRST, NOON, STRANGERS, THEN
from tests.lab.cloudflare_api import CloudflareApi
from tests.lab.meddling import Meddling

ZONE = "example.org"


@pytest.fixture(scope="module")
def server() -> Iterator[CloudflareApi]:
    with CloudflareApi([ZONE, "notexample.org"]) as api:
        yield api


@cache
def calls(token: Secret, url: str, timeout: float) -> Calls:
    return Calls(token, url, timeout)


class Machine:
    """One mail host with a token, and its zone at Cloudflare."""

    def __init__(self, api: CloudflareApi, directory: Path, token: str = "", timeout: float = 20) -> None:
        self.api, self.directory, self.timeout = api, directory, timeout
        self.token = Secret(token or api.token)

    def bare(self) -> Machine:
        """Strangers' records only, no faults, no memory."""
        self.calm()
        for entry in list(self.api.records(ZONE)):
            self.api.erase(ZONE, entry.id)
        for line in STRANGERS:
            one = record(line)
            fields: dict[str, Any] = {"content": str(one.data)}
            if one.type == "CAA":
                fields = {"data": {"flags": 0, "tag": "issue", "value": "ca.example"}}
            self.api.edit(ZONE, one.type, one.name, ttl=one.ttl, **fields)
        return self

    def calm(self) -> None:
        self.api.faults.clear()
        self.api.drop(0)
        self.api.rate()
        self.api.log.clear()

    def world(self) -> World:
        provider = Cloudflare(self.token, sleep=lambda _: None, calls=calls(self.token, self.api.url, self.timeout))
        ledgers, ways = Ledgers(self.directory), WaysBack(self.directory)
        now, log = Moment(NOON, "boot", 0.0), Log(quiet=True)
        return World(provider, ledgers, ways, self.eyes, lambda: now, log, Limits(), sleep=_no_sleep)

    @asynccontextmanager
    async def eyes(self) -> AsyncIterator[Eyes]:
        """Name servers that answer what the API holds."""
        dns = MemoryDns({ZONE: Security.SECURE})
        for one in self.records:
            there = frozenset(r.data for r in self.records if (r.name, r.type) == (one.name, one.type))
            dns.hold(one.name, one.type, there, one.ttl)
        yield Eyes(dns, dns)

    def apply(self, wishes: list[Wish], terms: Terms = Terms()) -> list[Outcome]:
        world = self.world()
        return asyncio.run(zone.apply(wishes, world, terms, world.ledgers.zones()))

    def plan(self, wishes: list[Wish]) -> list[Outcome]:
        world = self.world()
        return asyncio.run(zone.plan(wishes, world, world.ledgers.zones()))

    @property
    def records(self) -> set[Record]:
        held = self.api.records(ZONE)
        return {Record(one.name, one.type, one.served_ttl, parse(one.type, one.rdata.to_text())) for one in held}


class Scene:
    """The zone after the first apply, reached once and begun again from its copy."""

    def __init__(self, api: CloudflareApi, directory: Path) -> None:
        self.api, self.directory = api, directory
        Machine(api, directory).bare().apply(FIRST)
        self.entries = dict(api.store.entries[ZONE])

    def again(self, directory: Path, timeout: float = 20) -> Machine:
        shutil.copytree(self.directory, directory)
        self.api.store.entries[ZONE] = dict(self.entries)
        machine = Machine(self.api, directory, timeout=timeout)
        machine.calm()
        return machine


async def _no_sleep(seconds: float) -> None:
    return


@pytest.fixture
def machine(server: CloudflareApi, tmp_path: Path) -> Machine:
    return Machine(server, tmp_path / "dns").bare()


def names(records: set[Record]) -> set[tuple[str, str, str]]:
    return {(one.name, one.type, str(one.data)) for one in records}


def deliverable(there: set[Record], before: set[Record]) -> None:
    """P-18: hosts, MX and policies are there as before, none twice, nothing beside an alias."""
    for place in {(one.name, one.type) for one in before if one.name not in ("old.example.org", "mail.example.org")}:
        assert any((one.name, one.type) == place for one in there), place
    assert any(one.name == "mail.example.org" for one in there)
    for beginning in ("v=spf1", "v=DMARC1"):
        assert len([one for one in there if one.type == "TXT" and beginning in str(one.data)]) == 1
    aliases = {one.name for one in there if one.type == "CNAME"}
    assert not [one for one in there if one.name in aliases and one.type != "CNAME"]


def test_s_cf_01_a_token_without_rights_fails_before_the_first_write(server: CloudflareApi, tmp_path: Path) -> None:
    tokens = {
        "read only": server.read_only_token,
        "another zone": server.grant(["notexample.org"]),
        "unknown": "lab" + "0" * 40,
    }
    for name, token in tokens.items():
        machine = Machine(server, tmp_path / name, token).bare()
        before = machine.records
        try:
            done = machine.apply(FIRST)
        except Deliberate as error:
            said = str(error)
        else:
            said = str(done[0].error)
            assert status(done, False) is Exit.FINDINGS
        assert any(word in said for word in ("not change them", "no zone of the", "can not list", "does not know")), (
            said
        )
        assert token not in said
        assert machine.records == before


Fault = Callable[[CloudflareApi, int], None]


def answers(times: int = 1, **fault: object) -> Fault:
    def arm(api: CloudflareApi, skip: int) -> None:
        api.fail([{**fault, "skip": skip if first == 0 else 0} for first in range(times)])

    return arm


FAULTS: dict[str, Fault] = {
    "500 once": answers(status=500),
    "500 for long": answers(30, status=500),
    "429 for a second": answers(status=429, code=10429, headers={"Retry-After": "1"}),
    "429 for five minutes": answers(status=429, code=10429, headers={"Retry-After": "300"}),
    "success: false": answers(status=200, code=10013, message="something odd"),
    "a page of HTML": answers(2, status=520, body="<html><body>Error 520</body></html>"),
    "a time-out": answers(hang=0.4),
    "a lost answer": lambda api, skip: api.drop(1, skip),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_s_cf_02_and_04_a_fault_at_every_call_and_a_cut_after_it(
    server: CloudflareApi, tmp_path: Path, fault: str
) -> None:
    wanted, scene = _finished(server, tmp_path), Scene(server, tmp_path / "scene")
    for call in itertools.count():
        machine = scene.again(tmp_path / str(call), 0.25 if "time-out" in fault else 20)
        before = machine.records
        FAULTS[fault](server, call)
        with suppress(Deliberate):
            machine.apply(THEN)
        untouched = any(one.skip for one in server.faults) or server.dropping.times > 0
        machine.calm()
        deliverable(machine.records, before)
        assert status(machine.apply(THEN), False) is Exit.OK
        assert status(machine.plan(THEN), True) is Exit.OK
        assert names(machine.records) == wanted
        if untouched:
            assert call >= (3 if "lost" in fault else 8), "it was really at every call"
            return


def _finished(server: CloudflareApi, tmp_path: Path) -> set[tuple[str, str, str]]:
    machine = Machine(server, tmp_path / "finished").bare()
    machine.apply(FIRST)
    machine.apply(THEN)
    return names(machine.records)


def _spf(api: CloudflareApi) -> None:
    for entry in api.records(ZONE, type="TXT", name=ZONE):
        if "v=spf1" in entry.content:
            api.erase(ZONE, entry.id)
    api.edit(ZONE, "TXT", ZONE, content='"v=spf1 include:human.example.net mx ~all"')


def _moved(api: CloudflareApi) -> None:
    for entry in api.records(ZONE, name="old.example.org"):
        api.erase(ZONE, entry.id)
    api.edit(ZONE, "A", "old.example.org", content="192.0.2.200")


def _same(api: CloudflareApi) -> None:
    if not api.records(ZONE, name="new.example.org"):
        api.edit(ZONE, "A", "new.example.org", content="192.0.2.2")


EDITS: dict[str, tuple[Callable[[CloudflareApi], None], str, str]] = {
    "another SPF record": (_spf, ZONE, "include:human.example.net"),
    "our record points elsewhere": (_moved, "old.example.org", "192.0.2.200"),
    "the same record": (_same, "new.example.org", "192.0.2.2"),
}


@pytest.mark.parametrize("edit, name, data", EDITS.values(), ids=EDITS)
def test_s_cf_03_a_human_edits_between_any_two_calls(server: CloudflareApi, tmp_path: Path, edit: Callable[[CloudflareApi], None], name: str, data: str) -> None:  # fmt: skip
    scene = Scene(server, tmp_path / "scene")
    for call in itertools.count():
        machine = scene.again(tmp_path / str(call))
        with Meddling(server, call, partial(edit, server)) as human:
            machine.apply(THEN)
        there = [one for one in machine.records if one.name == name and data in str(one.data)]
        assert there or not human.was_there, f"what a human wrote before call {call} is gone"
        spf = [one for one in machine.records if one.type == "TXT" and "v=spf1" in str(one.data)]
        assert len(spf) == 1
        machine.apply(THEN)
        assert [one for one in machine.records if one.name == name and data in str(one.data)] or not human.was_there
        assert status(machine.plan(THEN), True) is Exit.OK
        if not human.was_there:
            assert call > 8
            return


@pytest.mark.parametrize("fields", [{"proxied": True}, {"ttl": 1}, {"comment": ""}])
def test_s_cf_03_a_record_of_ours_changed_in_the_dashboard(machine: Machine, fields: dict[str, Any]) -> None:
    machine.apply(FIRST)
    entry = machine.api.records(ZONE, name="mx1.example.org")[0]
    machine.api.store.change(ZONE, lambda draft: draft.change(entry.id, fields, patch=True))
    before = machine.records
    plan = machine.plan(FIRST)[0].plan
    assert plan
    said = [(item.step.name, item.why) for item in plan.items if item.record.name == "mx1.example.org"]
    assert said[0][0] == ("CONFLICT" if fields.get("proxied") else "KEEP"), said
    machine.apply([wish for wish in FIRST if wish.record.name != "old.example.org"])
    assert {one for one in before if one.name != "old.example.org"} == machine.records
