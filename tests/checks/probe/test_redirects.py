"""Where a redirect may lead."""

from __future__ import annotations

import pytest

from checks.probe.redirects import LONGEST, follow
from dnsops.base.errors import ForUser

HERE = "https://autoconfig.example.org/mail/config-v1.1.xml"


@pytest.mark.parametrize(
    "url, location, after",
    [
        (HERE, "/b?c=1#d", "https://autoconfig.example.org/b?c=1"),
        (HERE, "b", "https://autoconfig.example.org/mail/b"),
        (HERE, "//b.example", "https://b.example/"),
        (HERE, "https://B.example:443/x", "https://b.example/x"),
        ("http://a.example/", "https://b.example/", "https://b.example/"),
        ("http://a.example/", "http://b.example/", "http://b.example/"),
    ],
)
def test_where_it_leads(url: str, location: str, after: str) -> None:
    assert follow(url, location) == after


@pytest.mark.parametrize(
    "location",
    [
        "", "http://b.example/", "https://b.example:8443/", "https://u:p@b.example/", "https://u@b.example/", "file:///etc/passwd",
        "gopher://b.example/", "https://127.0.0.1/", "https://[::1]/", "https://[", "https://localhost/", "https://b.example:x/",
        "https://b.example/\r\nHost: a", "/a b", "/" + "a" * LONGEST, "https://b_c.example/", "/\u00e4",
    ],
)  # fmt: skip
def test_where_it_may_not(location: str) -> None:
    with pytest.raises(ForUser):
        follow(HERE, location)
