"""What may be given as a domain."""

from __future__ import annotations

import pytest

from checks.run import domain_of
from dnsops.base.errors import ForUser


@pytest.mark.parametrize(
    "text, domain",
    [
        ("example.org", "example.org"),
        ("Example.ORG.", "example.org"),
        ("joe@example.org", "example.org"),
        ('"a@b"@example.org', "example.org"),
        ("joe@Bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_domain_or_an_address_in_any_spelling(text: str, domain: str) -> None:
    assert domain_of(text) == domain


@pytest.mark.parametrize("text", ["", "joe@", "a..b", "x" * 64 + ".org", "exa mple.org", "exam\x1bple.org"])
def test_what_is_no_domain(text: str) -> None:
    with pytest.raises(ForUser):
        domain_of(text)
