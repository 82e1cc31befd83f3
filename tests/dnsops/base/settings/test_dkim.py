"""The settings of DKIM: what they are without a word, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.settings import Settings, tree
from dnsops.base.settings.load import check


def settings(text: str) -> Settings:
    return check(tree.parse(f"hostname: a.example.org\n{text}".encode(), Path("/etc/mailsrv/mailsrv.yml")))


DOMAINS = [
    ("", ()),
    ("domains: [a.org, b.org]", ("a.org", "b.org")),
    ("domains: [a.org, b.org]\ndkim: {domains: c.org}", ("c.org",)),
    ("domains: [a.org]\ndkim: {sign: false}", ()),
]


@pytest.mark.parametrize("text,wanted", DOMAINS)
def test_all_domains_sign_unless_somebody_says_otherwise(text: str, wanted: tuple[str, ...]) -> None:
    assert settings(text).signing_domains == wanted


def test_without_a_word_keys_live_as_long_as_the_readme_says() -> None:
    dkim = settings("").dkim
    assert (dkim.algorithms, dkim.rotate_every, dkim.hold) == (
        ("rsa", "ed25519"),
        timedelta(days=90),
        timedelta(days=7),
    )
    assert (dkim.revoked, dkim.publish_retired_keys) == (timedelta(0), False)


REFUSED = [
    ("dkim: {algorithms: []}", "dkim.algorithms: needs at least one value"),
    ("dkim: {algorithms: rsa1024}", "no such value"),
    ("dkim: {algorithms: [rsa, rsa]}", "rsa is there twice"),
    ("dkim: {hold: soon}", "not a length of time"),
    ("dkim: {domains: [a.org, a.org]}", "a.org is there twice"),
    ("dkim: {hold: 30s, rotate_every: 20s}", "keys would change faster than their records leave"),
]


@pytest.mark.parametrize("text,why", REFUSED)
def test_what_cannot_be_meant_is_refused(text: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        settings(text)
