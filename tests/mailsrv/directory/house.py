"""A small house for the directory's tests: its configuration as a file would have it."""

from __future__ import annotations

from pathlib import Path

from dnsops.base.settings import Settings, tree
from dnsops.base.settings.load import check
from dnsops.records import names
from mailsrv.directory.book import Book

TEXT = """
hostname: mx1.example.org
domains: [example.org, bücher.example]
accounts:
  - {name: user1, password_hash: "{PLAIN}foobar", addresses: [user1@example.org, User1Real@example.org],
     may_send_as: ["shop-*@example.org", "re:(sales|info)[0-9]*@example\\\\.org", "*@bücher.example"]}
  - {name: bob, password_hash: "{PLAIN}builder", addresses: [bob@example.org, mary-ann@example.org]}
  - {name: mary, password_hash: "{PLAIN}lamb", addresses: [mary@example.org, "user1+boss@example.org"]}
  - {name: päivi, password_hash: "{PLAIN}yö", addresses: [päivi@bücher.example]}
  - {name: gone, password_hash: "{PLAIN}x", addresses: [gone@example.org], enabled: false}
aliases:
  - {address: info@example.org, to: [user1, Partner@Example.NET]}
  - {address: both@example.org, to: [info@example.org, bob]}
  - {address: a@example.org, to: [b@example.org]}
  - {address: b@example.org, to: [a@example.org]}
  - {address: lost@example.org, to: [nobody@bücher.example]}
  - {address: bob@example.org, to: [bob, bob@away.test]}
groups:
  - {address: team@example.org, members: [user1, bob, mary], members_may_send: true}
  - {address: quiet@example.org, members: [user1, mary]}
catch_all: {example.org: mary}
subaddress_separator: "+-"
"""


def settings(text: str = TEXT) -> Settings:
    """The settings of a text."""
    return check(tree.parse(text.encode(), Path("/nowhere/m.yml")), names.host)


def book(text: str = TEXT) -> Book:
    return Book.of(settings(text))
