"""What may be done is known before it is done: at every provider, with every kind of right that is missing."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.door import Access, Change, Grade, Held
from dnsops.providers.exchange import Exchange, Server
from dnsops.providers.rfc2136 import Rfc2136
from dnsops.providers.several import check, read_zones
from dnsops.providers.tsig import Key
from dnsops.providers.zonefiles import ZoneFiles
from tests.dnsops.providers import places
from tests.dnsops.providers.places import STRANGERS, ZONE, NameServer, Place, facts
from tests.lab.cloudflare_api import CloudflareApi


def grades(found: Sequence[Access]) -> list[tuple[str, Grade]]:
    return [(access.zone, access.grade) for access in found]


def at(api: CloudflareApi, token: str) -> Cloudflare:
    return Cloudflare(Secret(token), api.url, sleep=lambda _: None)


def test_a_provider_tells_its_rights_and_changes_nothing_by_it(place: Place) -> None:
    found = check(place.provider, [ZONE])
    assert {access.grade for access in found if access.zone == ZONE} <= {Grade.FINE, Grade.UNKNOWN}
    assert place.facts() == facts(STRANGERS)


def test_a_zone_that_is_not_there_is_lacking(place: Place) -> None:
    found = check(place.provider, ["example.com"])
    [lacking] = [access for access in found if access.zone]
    assert (lacking.zone, lacking.grade) == ("example.com", Grade.LACKING)


@pytest.mark.parametrize("server", ["knot", "bind", "bind_signing"])
def test_asking_a_name_server_for_rights_moves_no_serial(request: pytest.FixtureRequest, server: str) -> None:
    running: NameServer = request.getfixturevalue(server)
    provider = running.place.provider
    before = running.zone().get_soa().serial
    assert grades(check(provider, [ZONE, "mx.example.org"])) == [(ZONE, Grade.FINE)] * 2
    assert running.zone().get_soa().serial == before


@pytest.mark.parametrize("server", ["knot", "bind", "bind_signing"])
def test_a_key_that_may_not_write_is_lacking(request: pytest.FixtureRequest, server: str) -> None:
    running: NameServer = request.getfixturevalue(server)
    reader = Rfc2136(Exchange(Server("127.0.0.1", running.port), Key("reader", "hmac-sha256", Secret(places.SECRET))))
    stranger = Rfc2136(Exchange(Server("127.0.0.1", running.port), Key("nobody", "hmac-sha256", Secret(places.SECRET))))
    for provider in (reader, stranger):
        [access] = check(provider, [ZONE])
        assert access.grade is Grade.LACKING
        assert access.advice


def test_s_cf_01_a_token_tells_what_it_may(api: CloudflareApi) -> None:
    narrow = api.grant([ZONE])
    assert grades(at(api, narrow).check([ZONE])) == [(ZONE, Grade.FINE)]
    reading = api.grant([ZONE], write=False)
    [access] = at(api, reading).check([ZONE])
    assert access.grade is Grade.LACKING
    assert "can read its records, and not change them" in str(access)
    assert "Zone.DNS:Edit" in access.advice
    [wrong] = at(api, narrow).check(["example.com"])[1:]
    assert wrong.what == "the token does not see this zone"
    assert {request.method for request in api.log} == {"GET", "POST"}
    assert api.records(ZONE) == []


def test_s_cf_01_a_token_that_is_broader_than_needed_is_a_warning(api: CloudflareApi) -> None:
    wide, fine = at(api, api.token).check([ZONE, "www.notexample.org"])[0], at(api, api.token).check([ZONE])[-1]
    assert wide.grade is Grade.WIDE
    assert "the token also sees" in wide.what
    assert fine.grade is Grade.FINE


def test_s_cf_01_a_token_that_nobody_knows_is_lacking(api: CloudflareApi) -> None:
    [access] = at(api, "lab" + "0" * 40).check([ZONE])
    assert (access.zone, access.grade) == ("", Grade.LACKING)


@pytest.mark.parametrize(
    "days, grade, word", [(-1, Grade.LACKING, "expired"), (3, Grade.WIDE, "expires"), (100, None, "")]
)
def test_s_cf_01_a_token_says_when_it_ends(api: CloudflareApi, days: int, grade: Grade | None, word: str) -> None:
    ends = datetime.now(UTC) + timedelta(days=days)
    token = api.grant([ZONE], expires=f"{ends:%Y-%m-%dT%H:%M:%SZ}")
    about = [access for access in at(api, token).check([ZONE]) if not access.zone]
    assert [access.grade for access in about] == ([grade] if grade else [])
    assert all(f"the token {word} on" in access.what for access in about)


def test_s_cf_01_a_disabled_token_is_lacking_and_an_accounts_token_is_not(api: CloudflareApi) -> None:
    token = api.grant([ZONE])
    api.fail([{"status": 401, "code": 1000, "message": "Invalid API Token", "path": "verify"}])
    assert grades(at(api, token).check([ZONE])) == [(ZONE, Grade.FINE)]
    assert ("", Grade.LACKING) in grades(at(api, api.grant([ZONE], status="disabled")).check([ZONE]))


@pytest.mark.faults
def test_an_api_that_says_neither_yes_nor_no_is_asked_later(api: CloudflareApi) -> None:
    token = api.grant([ZONE])
    for path in ("dns_records$", "batch"):
        for fault in ({"status": 500, "body": "oops"}, {"status": 429, "code": 10429}, {"status": 503, "code": 10013}):
            api.fail([{"path": path, **fault}])
            with pytest.raises(Later):
                at(api, token).check([ZONE])


def test_files_that_cannot_be_replaced_are_lacking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "example.org.zone").write_text(places.TEXT)
    (tmp_path / "example.net.zone").write_text("no zone")
    provider = ZoneFiles(tmp_path)
    found = check(provider, [ZONE, "example.net", "example.com"])
    assert grades(found) == [(ZONE, Grade.FINE), ("example.net", Grade.LACKING), ("example.com", Grade.LACKING)]
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert grades(check(provider, [ZONE])) == [(ZONE, Grade.LACKING)]


class Counting:
    """A provider that only reads, slowly, and knows how many read at once."""

    def __init__(self) -> None:
        self.lock, self.now, self.most, self.calls = threading.Barrier(4), 0, 0, 0

    def read(self, name: str, type_name: str = "", below: bool = False) -> tuple[Held, ...]:
        self.calls += 1
        if name == "bad.example":
            raise ForUser("no zone here holds it", name)
        if below:
            self.lock.wait(10)
        return ()

    def write(self, change: Change) -> None: ...


def test_zones_are_read_beside_each_other_and_a_bad_one_hinders_nobody() -> None:
    provider = Counting()
    names = ["a.example", "b.example", "bad.example", "c.example", "d.example", "a.example"]
    found = read_zones(provider, names)
    assert list(found) == names[:-1]
    assert isinstance(found["bad.example"], ForUser)
    assert [found[name] for name in ("a.example", "d.example")] == [(), ()]
    assert provider.calls == 5
    assert grades(check(provider, ["a.example", "bad.example"])) == [
        ("a.example", Grade.UNKNOWN),
        ("bad.example", Grade.LACKING),
    ]


def test_fifty_zones_are_a_call_each_and_the_zones_are_listed_once(api: CloudflareApi) -> None:
    provider = at(api, api.token)
    names = api.zones[:50]
    assert all(not isinstance(found, ForUser | Later) for found in read_zones(provider, names).values())
    listings = [request for request in api.log if request.path.endswith("/zones")]
    assert len(listings) == 2  # of 50 a page
    assert len(api.log) - len(listings) == len(names)
