"""RFC 8461 3.1 and 3.2, to the letter: what is a record, what is a policy, whom a pattern means."""

from __future__ import annotations

import pytest

from dnsops.base.errors import ForUser
from dnsops.records.txt.mtasts import LARGEST, LONGEST_AGE, Announcement, Mode, Sts, announced

GOOD = "version: STSv1\nmode: enforce\nmx: mail.example.com\nmx: *.example.net\nmx: backupmx.example.com\nmax_age: 604800\n"


@pytest.mark.parametrize(
    "text,number",
    [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z"),  # RFC 8461 A.1
        ("v=STSv1;id=1", "1"),
        ("v=STSv1 ;\tid=1 ; ", "1"),
        ("v=STSv1; x=y; id=1; z.a-b_c=%21", "1"),
        ("v=STSv1; id=1; id=2", "1"),
        ("v=STSv1; id=" + "a" * 32, "a" * 32),
    ],
)
def test_records(text: str, number: str) -> None:
    found = Announcement.parse(text)
    assert found.id == number
    assert Announcement.parse(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "", "v=STSv1", "v=STSv1;", "v=STSv1; ;", "v=STSv2; id=1;", "v=stsv1; id=1;", "id=1; v=STSv1;", "v=STSv1; id=;",
        "v=STSv1; id=" + "a" * 33, "v=STSv1; id=a-b", "v=STSv1; id=1 2", "v=STSv1; id =1", "v=STSv1 id=1", "v=STSv1; ID=1",
        "v=STSv1;; id=1", "v=STSv1; id=1; x", "v=STSv1; id=1; =y", "v=STSv1; id=1; x=", "v=STSv1; id=1; x=a=b", "v=STSv1; id=1\r\n",
        "v=STSv1; id=1; " + "x" * 33 + "=1", "v=STSv1; id=\u0661;", "v=STSv1; x=1", " v=STSv1; id=1", "v=STSv1; id=1;" + " " * 5000,
    ],
)  # fmt: skip
def test_what_is_no_record(text: str) -> None:
    with pytest.raises(ForUser):
        Announcement.parse(text)
    assert announced([text]) is None


def test_exactly_one_record_counts() -> None:
    """RFC 8461 3.1: others at the name do not matter, two of ours are none."""
    one = "v=STSv1; id=1;"
    assert announced(["v=spf1 -all", one, "v=STSv10; id=2;"]) == Announcement("1")
    assert announced([one, "v=STSv1; id=2;"]) is None
    assert announced([one, "v=STSv1; broken"]) is None
    assert announced([]) is None


def test_a_policy() -> None:
    """RFC 8461 3.2's own example."""
    found = Sts.parse(GOOD.encode())
    assert found == Sts(Mode.ENFORCE, ("mail.example.com", "*.example.net", "backupmx.example.com"), 604800)
    assert str(found) == GOOD.replace("\n", "\r\n")


@pytest.mark.parametrize(
    "text,policy",
    [
        ("version: STSv1\r\nmode: testing\r\nmx: a.b\r\nmax_age: 1", Sts(Mode.TESTING, ("a.b",), 1)),
        ("version: STSv1\nmode: testing\r\nmx: a.b\nmax_age: 1\r\n", Sts(Mode.TESTING, ("a.b",), 1)),  # CRLF and LF mixed
        ("mx:a.b\nmax_age:  0\t\nmode:testing\nversion:STSv1  ", Sts(Mode.TESTING, ("a.b",), 0)),
        ("version: STSv1\nmode: none\nmax_age: 86400", Sts(Mode.NONE, (), 86400)),
        ("version: STSv1\nmode: testing\nmode: enforce\nmx: A.B\nmx: a.b\nmax_age: 1\nmax_age: 2\nx-y: z w: v\n",
         Sts(Mode.TESTING, ("a.b",), 1)),
        ("version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 9999999999", Sts(Mode.ENFORCE, ("a.b",), LONGEST_AGE)),
        ("version: STSv1\nmode: enforce\nmx: a.b\nnote: für alle\nmax_age: 5", Sts(Mode.ENFORCE, ("a.b",), 5)),
    ],
)  # fmt: skip
def test_policies(text: str, policy: Sts) -> None:
    assert Sts.parse(text.encode()) == policy
    assert Sts.parse(str(policy).encode()) == policy


def changed(old: str, new: str) -> bytes:
    assert old in GOOD
    return GOOD.replace(old, new, 1).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\n", b"<html>hello</html>", changed("version: STSv1\n", ""), changed("STSv1", "STSv2"), changed("STSv1", "stsv1"),
        changed("mode: enforce\n", ""), changed("enforce", "Enforce"), changed("enforce", "strict"), changed("mode: ", "mode "),
        changed("max_age: 604800\n", ""), changed("604800", "-1"), changed("604800", "1e6"), changed("604800", "1 000"),
        changed("604800", "10" + "0" * 12), changed("604800", "\u0661"), changed("604800", ""),  # S-STS-05: max_age 10^12
        changed("mail.example.com", "*"), changed("mail.example.com", "*."), changed("mail.example.com", "*.*.example.com"),
        changed("mail.example.com", "m*.example.com"), changed("mail.example.com", "mail..com"), changed("mail.example.com", ".com"),
        changed("mail.example.com", "mail.example.com."), changed("mail.example.com", "a b.com"), changed("mail.example.com", "[192.0.2.1]"),
        changed("mail.example.com", "bücher.example"), changed("mail.example.com", "x" * 64 + ".com"), changed("mail.example.com", "localhost"),
        changed("mode: enforce\n", "mode: enforce\n\n"), changed("mode: enforce\n", "mode: enforce\r\r\n"),
        changed("mode: enforce\n", " mode: enforce\n"), changed("mode: enforce\n", "mode: enforce\0\n"),
        b"version: STSv1\nmode: enforce\nmax_age: 1\n", b"version: STSv1\nmode: testing\nmax_age: 1\n",
        GOOD.encode() + b"x: a\x01b\n", GOOD.encode() + b"x: a\rb\n", GOOD.encode() + b"x: a\x7fb\n", GOOD.encode() + b"\xff", GOOD.encode() + b"x: y\n" * 2000, GOOD.encode() + b"x" * LARGEST,
        GOOD.encode() + b"".join(b"mx: m%d.example.com\n" % n for n in range(300)), GOOD.encode("utf-16"),
    ],
)  # fmt: skip
def test_what_is_no_policy(data: bytes) -> None:
    with pytest.raises(ForUser):
        Sts.parse(data)


@pytest.mark.parametrize(
    "host,covered",
    [
        ("mail.example.com", True), ("MAIL.Example.Com", True), ("a.example.net", True), ("example.net", False),
        ("a.b.example.net", False), ("xexample.net", False), ("mail.example.com.evil.org", False), ("*.example.net", True),
        ("", False), ("net", False),
    ],
)  # fmt: skip
def test_whom_a_pattern_means(host: str, covered: bool) -> None:
    """RFC 8461 4.1: one whole label on the left, as in certificates."""
    assert Sts.parse(GOOD.encode()).covers(host) is covered
