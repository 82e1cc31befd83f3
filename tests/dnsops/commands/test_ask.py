"""`mailsrv ask`: the verdict, the reason and the exit status, for people and for programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from dnsops.commands.ask import document
from dnsops.records import rdata
from dnsops.resolve.answer import Answer, Consensus, Security, Server, Told, Zone

OWNER = "_25._tcp.mx1.example.org"


def mailsrv(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mailsrv", "ask", *words]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, **variables}, check=False
    )


@pytest.mark.lab
@pytest.mark.parametrize(
    "words, status, said",
    [
        ((OWNER, "TLSA"), 0, ["secure: proven", f"{OWNER} 60 TLSA 3 1 1 abab", "libunbound"]),
        (("_25._tcp.mx1.nods.org", "TLSA"), 0, ["insecure: the zone is not signed"]),
        (("_25._tcp.mx1.missig.org", "tlsa"), 1, ["bogus: ", "no signatures", "10 RRSIGs Missing"]),
        (("nope.example.org",), 0, ["secure: ", "there is no such name"]),
        (("mx1.example.org", "MX"), 0, ["secure: ", "has no MX records"]),
        (("_25._tcp.alias.example.org", "TLSA"), 0, ["alias of   _dane.example.org"]),
        (("x.wild.example.org", "TLSA"), 0, ["wildcard   *.wild.example.org"]),
        ((OWNER, "TLSA", "--authorities"), 0, ["192.0.2.2 ", "2001:db8::1", "(TTL 60)"]),
    ],
)
def test_for_people(dnstree: object, words: tuple[str, ...], status: int, said: list[str]) -> None:
    done = mailsrv(*words)
    assert done.returncode == status, done.stderr
    assert [word for word in said if word not in done.stdout] == []
    assert "\x1b" not in done.stdout


@pytest.mark.lab
def test_for_programs(dnstree: object) -> None:
    found = json.loads(mailsrv("_25._tcp.mx1.bogus.org", "TLSA", "--json").stdout)
    assert (found["verdict"], found["records"], found["ede"]) == ("bogus", [], [{"code": 6, "name": "DNSSEC Bogus"}])
    found = json.loads(mailsrv(OWNER, "TLSA", "--json", "--authorities").stdout)
    assert [one["address"] for one in found["authorities"]] == ["192.0.2.1", "2001:db8::1", "192.0.2.2"]
    assert {tuple(one["records"]) for one in found["authorities"]} == {tuple(found["records"])}


@pytest.mark.lab
def test_the_fallback_says_who_it_believes(dnstree: object) -> None:
    done = mailsrv(OWNER, "TLSA", MAILSRV_RESOLVER="ad")
    assert done.returncode == 0
    assert "the AD bit of 127.0.0.1" in done.stdout


@pytest.mark.parametrize(
    "words, said",
    [
        (("a..b",), "two dots in a row"),
        (("example.org", "FOO"), "no such record type: FOO"),
        (("example.org", "ANY"), "ANY is no type of records"),
        (("",), "an empty name"),
        ((), "Missing argument 'NAME'"),
        (("example.org", "A", "B"), "unexpected extra argument"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], said: str) -> None:
    done = mailsrv(*words)
    assert done.returncode == 64
    assert said in done.stderr
    assert done.stdout == ""


def test_wrong_settings_name_their_variable() -> None:
    done = mailsrv("example.org", MAILSRV_TRUST_ANCHOR="/nowhere/root.key", MAILSRV_RESOLVER="libunbound")
    assert done.returncode == 78
    assert "MAILSRV_TRUST_ANCHOR: /nowhere/root.key cannot be read" in done.stderr


def test_the_document_holds_every_part() -> None:
    items = frozenset({rdata.parse("TLSA", "3 1 1 " + "ab" * 32)})
    answer = Answer(OWNER, "TLSA", Security.SECURE, items=items, ttl=60, canonical=OWNER, by="x", zone="example.org")
    told = (Told(Server("ns1.example.org", "192.0.2.1"), items, 60), Told(Server("ns2.example.org", ""), why="silent"))
    found = document(answer, (Zone("example.org", ()), Consensus(told)))
    assert " ".join(found) == (
        "name type verdict meaning rcode canonical zone wildcard ttl records why ede by zone_why authorities"
    )
    assert found["authorities"] == [
        {
            "server": "ns1.example.org",
            "address": "192.0.2.1",
            "records": ["3 1 1 " + "ab" * 32],
            "ttl": 60,
            "why": "",
            "unreachable": False,
        },
        {"server": "ns2.example.org", "address": "", "records": None, "ttl": 0, "why": "silent", "unreachable": False},
    ]
