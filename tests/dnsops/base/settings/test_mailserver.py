"""Aliases, groups, catch-alls, app passwords and patterns: what loads, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base import settings
from dnsops.base.settings import Flaws
from dnsops.records import names

HOUSE = """\
hostname: mx1.example.org
domains: [example.org]
accounts:
  - name: user1
    password_hash: "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1"
    scram_keys: "{SCRAM-SHA-256}4096,c2FsdHNhbHQ=,c3RvcmVk,c2VydmVy"
    app_passwords: [{name: phone, password_hash: "{SSHA512}abcd", expires: 2030-12-31}]
    addresses: [user1@example.org]
  - {name: bob, password: !env BOB, addresses: bob@example.org, enabled: false, quota: 10 GiB}
aliases:
  - {address: info@example.org, to: [user1, partner@example.net]}
  - {address: bob@example.org, to: [bob, away@example.net]}
groups: [{address: team@example.org, members: [user1, bob], members_may_send: true}]
catch_all: {Example.org: user1}
subaddress_separator: "+-"
postmaster: user1
"""


def load(folder: Path, text: str) -> settings.Settings:
    file = folder / "m.yml"
    file.write_text(text, encoding="utf-8")
    return settings.load(file, names.host)


def test_a_whole_directory_loads(tmp_path: Path) -> None:
    house = load(tmp_path, HOUSE)
    assert house.accounts[0].app_passwords[0].expires == "2030-12-31"
    assert not house.accounts[1].enabled
    assert house.aliases[0].to == ("user1", "partner@example.net")
    assert house.groups[0].members_may_send
    assert house.catch_all == {"example.org": "user1"}
    assert (house.subaddress_separator, house.postmaster) == ("+-", "user1")
    assert all(line.key for line in settings.show(house))


WRONG = [
    ("to: [user1, p", "to: [user2, p", "aliases[0].to[0]: there is no account user2 - write one of: user1, bob"),
    ("members: [user1", "members: [x@example.org", "groups[0].members[0]: there is no account x@example.org"),
    (
        "catch_all: {Example.org: user1}",
        "catch_all: {example.net: user1}",
        "catch_all.example.net: example.net is not one of `domains`",
    ),
    (
        "catch_all: {Example.org: user1}",
        "catch_all: {example.org: nobody}",
        "catch_all.example.org: there is no account nobody",
    ),
    ("postmaster: user1", "postmaster: root", "postmaster: there is no account root"),
    (
        "to: [bob, away",
        "to: [user1, away",
        "aliases[1].address: is an address of the account bob - add bob to `to`, or remove it",
    ),
    ("address: team@", "address: user1@", "groups[0].address: is an address of the account user1"),
    ("address: team@", "address: INFO@", "groups[0].address: INFO@example.org is there twice"),
    ("name: bob", "name: user1@example.org", "accounts[1].name: is an address of the account user1"),
    ('"$6$salt', '"{ROT13}salt', "accounts[0].password_hash: the scheme {ROT13} is not known"),
    ('"$6$salt', '"$y$j9T$salt', "accounts[0].password_hash: the scheme $y$ is not known"),
    ('"{SCRAM-SHA-256}4096', '"{SSHA}4096', "accounts[0].scram_keys: not SCRAM keys"),
    ('"{SSHA512}abcd"', '"{NTLM}abcd"', "accounts[0].app_passwords[0].password_hash: the scheme {NTLM} is not known"),
    ("2030-12-31", "2030-13-31", "accounts[0].app_passwords[0].expires: "),
    ("quota: 10 GiB", "quota: ten", "accounts[1].quota: "),
    ('separator: "+-"', 'separator: "@"', "subaddress_separator: "),
    (
        "addresses: bob@example.org",
        "addresses: bob@example.org, may_send_as: 're:(a'",
        "accounts[1].may_send_as[0]: not a pattern: it ends where a )",
    ),
]


@pytest.mark.parametrize("right, wrong, said", WRONG, ids=[row[1][:30] for row in WRONG])
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, right: str, wrong: str, said: str) -> None:
    assert HOUSE.count(right) == 1
    with pytest.raises(Flaws) as caught:
        load(tmp_path, HOUSE.replace(right, wrong))
    assert said in str(caught.value)
    assert "svn8UoSV" not in str(caught.value)


def test_our_own_words_about_domains(tmp_path: Path) -> None:
    house = load(
        tmp_path,
        "hostname: mx1.example.org\ntransport: {domains: {Partner.Example.net.: require}, fetch_from: 10.0.0.0/8}\n",
    )
    assert house.transport.domains == {"partner.example.net": "require"}
    assert house.transport.fetch_from == ("10.0.0.0/8",)
    assert house.transport.dane
    assert house.transport.mta_sts
    with pytest.raises(Flaws, match=r"m\.yml:2"):
        load(tmp_path, "hostname: mx1.example.org\ntransport: {domains: {partner.example.net: perhaps}}\n")
