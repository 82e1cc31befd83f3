"""Each rule, good and bad: what it takes, and that it says why and how to mend it."""

from __future__ import annotations

import random

import pytest

from checks.catalogue.letters import BODY, HEAD, LETTERS
from checks.deliverability.judging import lost
from checks.finding import Status
from tests.checks.deliverability.letters import GOOD, attached, edited, field, finding, page, scored

BULK = b"List-Id: <news.example.org>"
UNSUBSCRIBE = BULK + b"\r\nList-Unsubscribe: <https://example.org/u?1>, <mailto:u@example.org>"
NO_DATE = b"".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(b"Date:"))
NO_ID = b"".join(line for line in GOOD.splitlines(keepends=True) if not line.startswith(b"Message-ID:"))

BAD = [
    ("from", edited((b"From: news@example.org", b"From: news")), 20),
    ("from", edited((b"From: news@example.org", b'From: "boss@bank.test" <news@example.org>')), 10),
    ("from", field(b"From: other@example.org"), 20),
    ("from", edited((b"From: news@example.org", b"X-From: nobody")), 20),
    ("date", NO_DATE, 10),
    ("date", edited((b" Nov 2026", b" Dec 2026")), 7),
    ("date", edited((b" Nov 2026", b" Oct 2026")), 4),
    ("date", edited((b" Nov 2026", b" Foo 2026")), 10),
    ("id", NO_ID, 5),
    ("id", edited((b"Message-ID: <token123@example.org>", b"Message-ID: token123")), 4),
    ("id", edited((b"<token123@example.org>", b"<token123@localhost>")), 2),
    ("to", edited((b"To: you@example.net", b"X-To: you")), 4),
    ("to", edited((b"To: you@example.net", b"To: undisclosed-recipients:;")), 3),
    ("to", edited((b"To: you@example.net", b"To: " + b", ".join(b"u%d@example.net" % n for n in range(30)))), 3),
    ("subject", edited((b"Subject: A message to be scored", b"Subject:")), 5),
    ("subject", edited((b"Subject: A message to be scored", b"Subject: RE: BUY THIS NOW!!")), 5),
    ("once", field(b"To: somebody@example.net"), 10),
    ("header", field("X-Name: Jürgen".encode()), 3),
    ("header", field(b"X-Bell: \x07"), 5),
    ("header", field(b"X-Long: " + b"x" * 1200), 3),
    ("unsubscribe", field(BULK), 10),
    ("unsubscribe", field(BULK + b"\r\nList-Unsubscribe: <mailto:u@example.org>"), 4),
    ("unsubscribe", field(b"List-Unsubscribe: nowhere"), 10),
    ("one_click", field(UNSUBSCRIBE), 5),
    ("one_click", field(UNSUBSCRIBE + b"\r\nList-Unsubscribe-Post: yes"), 5),
    ("empty", page("", plain="a\n"), 10),
    ("mime", edited((b"MIME-Version: 1.0\r\n", b"")), 3),
    ("mime", edited((b"charset=us-ascii", b"charset=us-ascii"), (b"Hello,", "Grüße,".encode())), 3),
    ("mime", edited((b"charset=us-ascii", b"charset=utf-8"), (b"Hello,", b"Gr\xfc\xdfe,")), 3),
    ("mime", edited((b"Encoding: 7bit", b"Encoding: uuencode")), 5),
    ("plain", edited((b"Content-Type: text/plain", b"Content-Type: text/html")), 10),
    ("alike", page("<p>" + " ".join(f"another{n}" for n in range(100)) + "</p>"), 5),
    ("balance", page("<img src=a alt=a><img src=b alt=b>"), 4),
    ("balance", page('<span style="font-size: 0px">cheap pills</span>'), 3),
    ("links", page('<a href="http://192.0.2.1/pay">pay</a>'), 6),
    ("links", page('<a href="https://evil.test/">www.bank.example</a>'), 8),
    ("links", page('<a href="https://bank.example@evil.test/">pay</a>'), 5),
    ("links", page('<a href="nowhere">here</a>'), 3),
    ("links", page('<a href="https://[::1/">here</a>'), 3),
    ("links", page('<a href="ftp://example.org/">here</a>'), 3),
    ("shorteners", page('<a href="https://bit.ly/abc">here</a>'), 3),
    (
        "alt",
        page('<img src="a.png"> and words enough to read, so that the picture is not alone in the page at all.' * 3),
        3,
    ),
    ("tags", page("<script>alert(1)</script>"), 4),
    ("tags", page('<a href="javascript:alert(1)" onclick="x()">here</a><iframe src=x></iframe>'), 10),
    ("files", attached("invoice.pdf.exe"), 10),
    ("files", attached("sheet.xlsm"), 6),
    ("files", attached("invoice.js.zip"), 8),
    ("size", GOOD + b"x" * 70 + b"\r\n" + (b"y" * 76 + b"\r\n") * 160_000, 2),
    ("size", page("<p>word word word word</p>" * 6000), 2),
]


@pytest.mark.parametrize("name, content, cost", BAD, ids=[f"{one[0]}-{n}" for n, one in enumerate(BAD)])
def test_what_is_wrong_costs_and_is_told_with_its_fix(name: str, content: bytes, cost: int) -> None:
    found = finding(scored(content), name)
    assert lost(found) == cost, found
    assert found.details
    assert found.fix


def test_each_rule_of_header_and_body_was_broken_once() -> None:
    assert {rule.id.removeprefix("letter_") for rule in (*HEAD, *BODY)} - {name for name, _, _ in BAD} == {"reach"}


def test_a_good_message_has_ten_points() -> None:
    report = scored(GOOD)
    assert report.score == 100
    assert {one.id for one in report.findings} == {rule.id for rule in LETTERS}
    assert all(one.status in (Status.GOOD, Status.NOT_TESTED) for one in report.findings)


@pytest.mark.parametrize(
    "name, content",
    [
        ("unsubscribe", field(UNSUBSCRIBE)),
        ("one_click", field(UNSUBSCRIBE + b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click")),
        ("links", page('<a href="https://example.org/?a=1">www.example.org</a> <a href="mailto:a@example.org">me</a>')),
        ("alt", page('<img src="a.png" alt="a > b">')),
        ("files", attached("invoice.pdf")),
    ],
)
def test_what_is_right_costs_nothing(name: str, content: bytes) -> None:
    assert lost(finding(scored(content), name)) == 0


def test_no_message_makes_it_fail_or_slow() -> None:
    rng, pieces = (
        random.Random(1),
        [b"<", b"<a ", b'"', b"'", b">", b"=", b"href=", b"\r\n", b"--b", b"\0", b"\xff", b"&#9;", b"on", b":"],
    )
    for seed in range(200):
        rng.seed(seed)
        content = b"".join(rng.choice(pieces) for _ in range(rng.randrange(400)))
        for whole in (content, page("").replace(b"<html>", content, 1), GOOD[: rng.randrange(len(GOOD))] + content):
            assert 0 <= scored(whole).score <= 100


@pytest.mark.parametrize(
    "piece", ["<a ", '<a "', "<a '", "<a b=", "&#1", "<!--", '<a href="', "a ", "<img>", "https://", "x@"]
)
def test_a_megabyte_of_the_same_is_read_to_its_end(piece: str) -> None:
    """What is not linear would take hours here."""
    assert 0 <= scored(page(piece * ((1 << 20) // len(piece)))).score <= 100
