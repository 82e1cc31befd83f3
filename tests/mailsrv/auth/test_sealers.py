"""What a trusted sealer's results say of DMARC, and what only looks so."""

from __future__ import annotations

import pytest

from mailsrv.auth.sealers import vouched
from mailsrv.auth.verdicts import Arc, Result, Seal

PASS = "i=1; mx.list.net; spf=pass smtp.mailfrom=a@b; dmarc=pass (p=reject) header.from=example.org"


def chain(*seals: tuple[str, str], result: Result = Result.PASS) -> Arc:
    return Arc(result, tuple(Seal(n, domain, "s", results) for n, (domain, results) in enumerate(seals, 1)))


@pytest.mark.parametrize(
    "arc,trusted,sealer",
    [
        (chain(("list.net", PASS)), {"list.net"}, "list.net"),
        (chain(("mx.list.net", PASS)), {"list.net"}, "mx.list.net"),
        (chain(("LIST.net", PASS)), {"list.net"}, "LIST.net"),
        (chain(("evillist.net", PASS)), {"list.net"}, ""),
        (chain(("list.net", PASS)), set(), ""),
        (chain(), {"list.net"}, ""),
        (chain(("list.net", PASS), result=Result.FAIL), {"list.net"}, ""),
        (chain(("list.net", PASS), result=Result.TEMPERROR), {"list.net"}, ""),
        # the latest sealer must be trusted, and all down to the one that says so
        (chain(("list.net", PASS), ("evil.test", "i=2; x; dmarc=fail")), {"list.net"}, ""),
        (chain(("evil.test", PASS), ("list.net", "i=2; x; dmarc=fail; arc=pass")), {"list.net"}, ""),
        (chain(("a.net", PASS), ("list.net", "i=2; x; dmarc=fail; arc=pass")), {"list.net", "a.net"}, "a.net"),
        (chain(("evil.test", "i=1; x; none"), ("list.net", PASS)), {"list.net"}, "list.net"),
    ],
)
def test_who_vouches(arc: Arc, trusted: set[str], sealer: str) -> None:
    assert vouched(arc, "example.org", trusted) == sealer


@pytest.mark.parametrize(
    "results,so",
    [
        (PASS, True),
        ("i=1; x; dmarc = pass header.from = Example.ORG", True),
        ("i=1; x; DMARC/1=PASS header.from=example.org", True),
        ("i=1; x;\r\n\tdmarc=pass (a (nested; dmarc=fail) one)\r\n\theader.from=example.org;", True),
        ('i=1; x; dmarc=pass reason="a; b" header.from=example.org', True),
        ("i=1; x; dmarc=pass header.from=a@example.org", True),
        ("i=1; x; dmarc=pass header.from=example.com", False),
        ("i=1; x; dmarc=pass header.from=example.org.evil.test", False),
        ("i=1; x; dmarc=pass", False),
        ("i=1; x; dmarc=fail header.from=example.org", False),
        ("i=1; x; dmarc=passable header.from=example.org", False),
        ("i=1; x; xdmarc=pass header.from=example.org", False),
        ("i=1; x; spf=fail reason=dmarc=pass header.from=example.org", False),
        ("i=1; x (; dmarc=pass header.from=example.org); spf=fail", False),
        ("i=1; x (\\); dmarc=pass header.from=example.org); spf=fail", False),
        ('i=1; x; spf=fail reason="; dmarc=pass header.from=example.org"', False),
        ('i=1; x; spf=fail reason="\\"; dmarc=pass header.from=example.org"', False),
        ("i=1; x; dmarc=pass x.header.from=example.org", False),
        ("i=1; x;" + " spf=none;" * 200 + PASS, False),
        ("", False),
    ],
)
def test_what_a_seal_says(results: str, so: bool) -> None:
    assert bool(vouched(chain(("list.net", results)), "example.org", {"list.net"})) is so


@pytest.mark.parametrize(
    "text", ["(" * 100000, '"' * 99999, "\\" * 99999, ";" * 99999, "dmarc=pass " * 9999, " " * 99999]
)
def test_much_is_bounded(text: str) -> None:
    assert vouched(chain(("list.net", text)), "example.org", {"list.net"}) == ""
