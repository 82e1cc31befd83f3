"""Cloudflare fails at every single call of a write, in every way we know: nothing doubles, nothing is lost, and a second run ends it."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import cache

import pytest

from dnsops.base.errors import ForUser, Later
from dnsops.base.secrets import Secret
from dnsops.providers.cloudflare import Cloudflare
from dnsops.providers.cloudflare_calls import Calls
from dnsops.providers.door import Change
from tests.dnsops.providers.places import STRANGERS, ZONE, record, stand
from tests.lab.cloudflare_api import CloudflareApi

NEW = record("_25._tcp.mx.example.org", "TLSA", "3 1 1 " + "ab" * 32)
NEWS = (NEW, record("a.notexample.org", "TXT", '"new"'), record("b.example.org", "A", "192.0.2.66"))
OLD = record("_465._tcp.mx.example.org", "TLSA", "3 1 1 " + "cd" * 32)
CHANGE = Change(add=NEWS, remove=(OLD,))
SLOW = ("time-out", 30)
CALLS = 11  # two pages of zones, two looks for delegations; reads and batches: 2 + 1, 1 + 1; to remove: 1 + 1
HTML = "<html><body>Error 520: the web server is returning an unknown error</body></html>"

Fault = Callable[[CloudflareApi, int, int], None]


def answers(**fault: object) -> Fault:
    def arm(api: CloudflareApi, skip: int, times: int) -> None:
        api.fail([{**fault, "skip": skip if first == 0 else 0} for first in range(times)])

    return arm


def lost(api: CloudflareApi, skip: int, times: int) -> None:
    """Carried out, and then the connection breaks: only for changes, so skip counts those."""
    api.drop(times, skip)


FAULTS: dict[str, Fault] = {
    "500": answers(status=500),
    "502 as a page": answers(status=502, body=HTML),
    "200 as a page": answers(status=200, body=HTML),
    "200 without success": answers(status=200, code=10000 + 13, message="something odd"),
    "403 of a bot wall": answers(status=403, body=HTML),
    "429 for a second": answers(status=429, code=10429, headers={"Retry-After": "1"}),
    "429 for five minutes": answers(status=429, code=10429, headers={"Retry-After": "300"}),
    "429 with Ratelimit": answers(status=429, code=10429, headers={"Ratelimit": '"default";r=0;t=7'}),
    "429 without a word": answers(status=429, code=10429),
    "409": answers(status=409, code=1009),
    "a closed connection": answers(hang=0.001),
    "time-out": answers(hang=0.4),
    "lost answer": lost,
}


@cache
def calls(token: Secret, url: str, timeout: float) -> Calls:
    """A client costs 30 ms, most of it for reading the list of authorities."""
    return Calls(token, url, timeout)


def provider(api: CloudflareApi, naps: list[float], timeout: float = 20) -> Cloudflare:
    token = Secret(api.token)
    return Cloudflare(token, sleep=naps.append, calls=calls(token, api.url, timeout))


def prepared(api: CloudflareApi) -> dict[str, object]:
    """Strangers' records and an old one of ours; gives the strangers as they are."""
    for zone in (ZONE, "notexample.org"):
        for entry in list(api.records(zone)):
            api.erase(zone, entry.id)
    for stranger in STRANGERS:
        stand(api, stranger)
    strangers = {entry.id: entry for entry in api.records(ZONE)}
    provider(api, []).write(Change(add=(OLD,)))
    calm(api)
    return strangers


def calm(api: CloudflareApi) -> None:
    """No faults any more, and a fresh quota; the records stay."""
    api.faults.clear()
    api.drop(0)
    api.rate()
    api.log.clear()


def ended_well(api: CloudflareApi, strangers: dict[str, object]) -> None:
    ours = [entry for zone in (ZONE, "notexample.org") for entry in api.records(zone) if entry.id not in strangers]
    assert sorted((entry.name, entry.type) for entry in ours) == sorted((new.name, new.type) for new in NEWS)
    assert all(entry.comment == f"mailsrv {entry.type.lower()}" for entry in ours)
    assert {entry.id: entry for entry in api.records(ZONE) if entry.id in strangers} == strangers


def run(api: CloudflareApi, naps: list[float], timeout: float = 20) -> bool:
    """Whether the write came to its end; otherwise it said Later."""
    try:
        provider(api, naps, timeout).write(CHANGE)
    except Later as later:
        return later.after <= timedelta(0)
    return True


@pytest.mark.parametrize(
    "fault, times", [(fault, times) for fault in FAULTS for times in (1, 30) if (fault, times) != SLOW]
)
def test_a_fault_at_every_call_of_a_write(api: CloudflareApi, fault: str, times: int) -> None:
    for call in itertools.count():
        strangers, naps = prepared(api), []
        FAULTS[fault](api, call, times)
        ended = run(api, naps, 0.25 if fault == "time-out" else 20)
        untouched = len(api.faults) + api.dropping.times == times
        calm(api)
        assert all(nap <= 30 for nap in naps), "no pause is longer than half a minute"
        assert sum(naps) <= 60
        assert ended or run(api, naps), "the second run ends what the first began"
        ended_well(api, strangers)
        if untouched:
            break
    assert call >= (3 if fault == "lost answer" else CALLS), "it failed at each of them"


def test_adds_are_there_before_anything_goes(api: CloudflareApi) -> None:
    prepared(api)
    provider(api, []).write(CHANGE)
    bodies = [request.body for request in api.log if request.method == "POST"]
    kinds = ["deletes" if body.get("deletes") else "posts" for body in bodies]
    assert kinds == ["posts", "posts", "deletes"], "one batch a zone, and never both in one"


@pytest.mark.parametrize(
    "headers, naps, after",
    [
        ({"Retry-After": "1"}, [1.0], None),
        ({"Retry-After": "30"}, [30.0], None),
        ({"Retry-After": "31"}, [], 31),
        ({"Retry-After": "300"}, [], 300),
        ({"Ratelimit": '"default";r=0;t=12'}, [12.0], None),
        ({"Ratelimit": '"default";r=0;t=240'}, [], 240),
        ({"Retry-After": "2", "Ratelimit": '"default";r=0;t=240'}, [2.0], None),
        ({"Retry-After": "-5"}, [], 60),
        ({"Retry-After": "9" * 400}, [], 60),
        ({"Retry-After": "999999"}, [], 3600),
        ({}, [], 60),
    ],
)
def test_we_wait_as_long_as_asked_or_say_later(
    api: CloudflareApi, headers: dict[str, str], naps: list[float], after: int | None
) -> None:
    api.fail([{"status": 429, "code": 10429, "headers": headers}])
    slept: list[float] = []
    writing = contextlib.nullcontext() if after is None else pytest.raises(Later)
    with writing as later:
        provider(api, slept).write(Change(add=(NEW,)))
    assert slept == naps
    assert later is None or later.value.after == timedelta(seconds=after or 0)


def test_a_real_quota_ends_in_later(api: CloudflareApi) -> None:
    api.rate(quota=3, window=250)
    with pytest.raises(Later) as later:
        provider(api, []).write(CHANGE)
    assert timedelta(seconds=200) < later.value.after <= timedelta(seconds=260)


DENIALS = [
    (403, 9109, "Unauthorized to access requested resource", "POST", "can not edit zone example.org", "Zone.DNS:Edit"),
    (403, 10000, "Authentication error", "POST", "can not edit zone example.org", "Zone.DNS:Edit"),
    (403, 10000, "Authentication error", "GET", "can not list zones", "Zone.Zone:Read"),
    (401, 10000, "Authentication error", "GET", "can not list zones", "Zone.Zone:Read"),
    (400, 6003, "Invalid request headers", "GET", "does not know this token", "API token"),
    (403, 9103, "Unknown X-Auth-Key or X-Auth-Email", "GET", "does not know this token", "API token"),
    (400, 1004, "DNS Validation Error", "POST", "refused: DNS Validation Error (1004)", ""),
]


@pytest.mark.parametrize("status, code, message, method, what, advice", DENIALS)
def test_what_a_person_must_do_is_said_at_once(
    api: CloudflareApi, status: int, code: int, message: str, method: str, what: str, advice: str
) -> None:
    naps: list[float] = []
    api.fail([{"status": status, "code": code, "message": message, "method": method}])
    with pytest.raises(ForUser) as refusal:
        provider(api, naps).write(Change(add=(NEW,)))
    assert what in str(refusal.value)
    assert advice in str(refusal.value)
    assert naps == []


def test_a_read_only_token_and_a_wrong_one(api: CloudflareApi) -> None:
    reader = Cloudflare(Secret(api.read_only_token), api.url)
    assert reader.read("mx.example.org") == ()
    with pytest.raises(ForUser, match=r"can not edit zone example\.org.*Zone\.DNS:Edit"):
        reader.write(Change(add=(NEW,)))
    with pytest.raises(ForUser, match="can not list zones: Invalid access token"):
        Cloudflare(Secret("x" * 40), api.url).read("mx.example.org")
    with pytest.raises(ForUser, match="does not know this token"):
        Cloudflare(Secret("short"), api.url).read("mx.example.org")


@pytest.mark.parametrize("code", [81057, 81058])
def test_already_there_is_believed_only_after_reading(api: CloudflareApi, code: int) -> None:
    api.fail([{"status": 400, "code": code, "method": "POST"}])
    provider(api, []).write(Change(add=(NEW,)))
    assert len(api.records(ZONE, "TLSA")) == 1, "it was not there, whatever was said: so it was sent again"
    api.fail([{"status": 400, "code": code, "method": "POST"}] * 10)
    with pytest.raises(Later):
        provider(api, []).write(Change(add=(OLD,)))


def test_somebody_removes_it_first(api: CloudflareApi) -> None:
    strangers = prepared(api)
    api.fail([{"status": 404, "code": 81044, "message": "Record does not exist.", "method": "POST", "skip": 2}])
    provider(api, []).write(CHANGE)
    ended_well(api, strangers)


def test_nobody_listens(api: CloudflareApi) -> None:
    naps: list[float] = []
    token = Secret(api.token)
    with pytest.raises(Later, match="no connection to Cloudflare"):
        Cloudflare(token, "http://127.0.0.1:9/client/v4", naps.append).read("mx.example.org")
    assert naps == sorted(naps)
    assert naps
