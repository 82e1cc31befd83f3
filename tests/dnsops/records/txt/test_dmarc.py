"""DMARC records by RFC 9989 4.7 and 4.8, and those that RFC 7489 had."""

from __future__ import annotations

from typing import Any

import pytest

from dnsops.base.errors import ForUser
from dnsops.records.txt.dmarc import LONGEST, MOST_URIS, Policy, Uri, is_policy

READ: list[tuple[str, dict[str, Any]]] = [
    ("v=DMARC1", {}),
    ("v=DMARC1;", {}),
    ("v = DMARC1 ; p = Reject ;", {"p": "reject"}),
    ("V=DMARC1; p=none; sp=quarantine; np=reject", {"p": "none", "sp": "quarantine", "np": "reject"}),
    ("v=DMARC1; adkim=s; aspf=S; psd=y; t=y", {"adkim": "s", "aspf": "s", "psd": "y", "testing": True}),
    ("v=DMARC1; adkim=x; aspf=; psd=maybe; t=yes", {}),  # 4.7: errors make way for defaults
    ("v=DMARC1;p=reject;;x;=;y=", {"p": "reject", "others": (("y", ""),)}),
    ("v=DMARC1; p=reject; pct=20; rf=afrf; ri=3600", {"p": "reject", "others": (("pct", "20"), ("rf", "afrf"), ("ri", "3600"))}),
    ("v=DMARC1; fo=1:d:s", {"fo": ("1", "d", "s")}),
    ("v=DMARC1; fo=2:d", {}),
    ("v=DMARC1; p=monitor", {"spoilt": True}),
    ("v=DMARC1; p=reject; sp=none; sp=none", {"p": "reject", "spoilt": True}),
    ("v=DMARC1; p=", {"spoilt": True}),
    (
        "v=DMARC1; p=none; rua=mailto:a@b.org!10m , https://x.org/r,mailto:nobody,mailto:a%0A@b,ftp;ruf=mailto:a%2Bx@b.org?subject=y",
        {
            "p": "none",
            "rua": (Uri("mailto:a@b.org", 10 << 20), Uri("https://x.org/r")),
            "ruf": (Uri("mailto:a%2Bx@b.org?subject=y"),),
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize("text,tags", READ)
def test_a_record_is_read_and_written_back(text: str, tags: dict[str, Any]) -> None:
    policy = Policy.parse(text)
    assert policy == Policy(**tags)
    if not policy.spoilt:
        assert Policy.parse(str(policy)) == policy


@pytest.mark.parametrize(
    "text",
    ["", "v=DMARC", "v=DMARC12; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", " v=DMARC1", "v=DMARC1 p=none", "v=spf1 -all",
     "v=DMARC1; " + "x" * LONGEST],
)  # fmt: skip
def test_what_does_not_begin_with_its_version_is_no_record(text: str) -> None:
    assert not is_policy(text)
    with pytest.raises(ForUser):
        Policy.parse(text)


@pytest.mark.parametrize(
    "text,applies,own,there,absent",
    [
        ("v=DMARC1; p=reject", True, "reject", "reject", "reject"),
        ("v=DMARC1; p=reject; sp=none", True, "reject", "none", "none"),
        ("v=DMARC1; p=none; np=reject", True, "none", "none", "reject"),
        ("v=DMARC1; p=none; sp=quarantine; np=reject", True, "none", "quarantine", "reject"),
        # 4.10.1: without a valid p, or with a wrong sp or np, p=none if reports are wanted, else no DMARC at all
        ("v=DMARC1", False, "none", "none", "none"),
        ("v=DMARC1; rua=mailto:a@b.org", True, "none", "none", "none"),
        ("v=DMARC1; p=x; sp=reject; rua=mailto:a@b.org", True, "none", "none", "none"),
        ("v=DMARC1; p=reject; np=x; rua=mailto:a@b.org", True, "none", "none", "none"),
        ("v=DMARC1; p=reject; np=x", False, "none", "none", "none"),
        ("v=DMARC1; p=x; rua=nobody", False, "none", "none", "none"),
        ("v=DMARC1; sp=reject", False, "none", "none", "none"),
    ],
)
def test_what_is_asked_for(text: str, applies: bool, own: str, there: str, absent: str) -> None:
    policy = Policy.parse(text)
    requests = policy.request(False, True), policy.request(True, True), policy.request(True, False)
    assert (policy.applies, *requests) == (applies, own, there, absent)


def test_a_thousand_addresses_are_bounded() -> None:
    many = ",".join(f"mailto:a{n}@b.org" for n in range(400))
    assert len(Policy.parse(f"v=DMARC1; p=none; rua={many}").rua) == MOST_URIS


@pytest.mark.parametrize(
    "uri,mailbox",
    [
        ("mailto:a@b.org", "a@b.org"),
        ("MAILTO:a%2Bb@c.org?subject=x", "a+b@c.org"),
        ("https://a@b.org/", ""),
        ("mailto:a%0d%0ab@c.org", ""),
        ("mailto:@c.org", ""),
    ],
)
def test_the_mailbox_of_an_address(uri: str, mailbox: str) -> None:
    assert Uri(uri).mailbox == mailbox
