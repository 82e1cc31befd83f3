"""Where backups go and who can read them, as the configuration may say it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsops.base.settings import Flaws, Settings, references, tree
from dnsops.base.settings.load import check

KEY = "age1y8sjyqjzywjrcwwq7cun925ast8tquqtum7mp8urlw25rgjh8veqdgwkc5"


def loaded(text: str) -> Settings:
    return check(tree.parse(f"hostname: a.example.org\n{text}".encode(), Path("/etc/mailsrv/m.yml")))


@pytest.mark.parametrize(
    "written,place",
    [
        ("/var/backups", "/var/backups"),
        ("beside", "/etc/mailsrv/beside"),
        ("s3://mail", "s3://mail"),
        ("s3://mail/a/b.c/", "s3://mail/a/b.c"),
    ],
)
def test_a_place_is_a_directory_or_a_bucket(written: str, place: str) -> None:
    assert loaded(f"backup: {{place: '{written}'}}").backup.place == place


@pytest.mark.parametrize(
    "text,said",
    [
        ("place: 's3://'", "not a place in an S3 store"),
        ("place: 's3://Mail/x'", "not a place in an S3 store"),
        ("place: 's3://mail/../x'", "not a place in an S3 store"),
        ("place: 's3://mail/a b'", "not a place in an S3 store"),
        ("recipients: bob", "not an age recipient"),
        (f"recipients: AGE-SECRET-KEY-1{'Q' * 58}", "that is the secret half"),
        ("secret_key: s3cr3t", "a secret stands in plain text here"),
        ("access_key: !file a", "`secret_key` is missing"),
        ("endpoint: 'http://s3.example.net'", "anyone on the way could read it"),
        ("keep: 0", "must be at least 1"),
    ],
)
def test_what_is_none_is_said_and_no_secret_repeated(text: str, said: str) -> None:
    with pytest.raises(Flaws, match=said) as caught:
        loaded(f"backup: {{{text}}}")
    assert "Q" * 58 not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_one_recipient_or_several() -> None:
    assert loaded(f"backup: {{recipients: {KEY}}}").backup.recipients == (KEY,)
    assert loaded(f"backup: {{recipients: [{KEY}, ssh-ed25519 {'A' * 68} me@here]}}").backup.recipients[0] == KEY


def test_the_secrets_that_a_configuration_names_each_once() -> None:
    text = "backup: {access_key: !file a, secret_key: !file a}\ndns: {provider: cloudflare, token: !credential cf}"
    assert sorted((one.kind, one.name) for one in references(loaded(text))) == [
        ("credential", "cf"),
        ("file", "/etc/mailsrv/a"),
    ]
