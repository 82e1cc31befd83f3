"""The configuration's accounts and the register's, together: what may stand beside what."""

from __future__ import annotations

import pytest

from dnsops.base.errors import Misconfigured
from dnsops.base.secrets import Secret
from dnsops.base.settings.mailserver import Account, Alias
from mailsrv.directory.accounts import Outcome
from mailsrv.directory.book import Book
from mailsrv.directory.joined import joined
from mailsrv.directory.register import Entries
from tests.mailsrv.directory import house

HASH = Secret("{PLAIN}foobar")


def entries(name: str = "user3", *addresses: str, aliases: dict[str, tuple[str, ...]] | None = None) -> Entries:
    made = Account(name=name, password_hash=HASH, addresses=addresses or (f"{name}@example.org",))
    return Entries((made,), tuple(Alias(address=address, to=to) for address, to in (aliases or {}).items()))


def test_both_get_mail() -> None:
    book = Book.of(joined(house.settings(), entries(aliases={"sales@example.org": ("user3", "bob@example.org")})))
    assert book.resolve("user1@example.org").outcome is Outcome.KNOWN
    assert [one.account for one in book.resolve("user3+x@example.org").deliveries] == ["user3"]
    assert [one.account for one in book.resolve("sales@example.org").deliveries] == ["user3", "bob"]


def test_nothing_kept_is_the_configuration_itself() -> None:
    settings = house.settings()
    assert joined(settings, Entries()) is settings


@pytest.mark.parametrize(
    "kept, said",
    [
        (entries("user1", "other@example.org"), "the account user1, in the database: user1 is there twice"),
        (entries("USER1", "other@example.org"), "the account USER1, in the database: USER1 is there twice"),
        (entries("user3", "User1@example.org"), "User1@example.org is there twice"),
        (entries("user3", "team@example.org"), "groups[0].address, in the configuration: is an address of the account"),
        (entries("user3", "user3@example.net"), "the account user3: example.net is not one of `domains`"),
        (entries("user3", "user3@BÜCHER.example"), ""),
        (entries(aliases={"info@example.org": ("user3",)}), "the alias info@example.org, in the database: info"),
        (
            entries(aliases={"x@example.org": ("nobody",)}),
            "the alias x@example.org, in the database: there is no account",
        ),
        (entries(aliases={"x@elsewhere.test": ("user3",)}), "the alias x@elsewhere.test: elsewhere.test is not one of"),
        (entries(aliases={"user1@example.org": ("user3",)}), "is an address of the account user1"),
        (entries(aliases={"user3@example.org": ("user3", "bob")}), ""),
    ],
)
def test_what_does_not_go_together_is_said(kept: Entries, said: str) -> None:
    if not said:
        assert joined(house.settings(), kept).accounts[-1].name == "user3"
        return
    with pytest.raises(Misconfigured) as caught:
        joined(house.settings(), kept)
    assert said in str(caught.value)
    assert "foobar" not in str(caught.value)
