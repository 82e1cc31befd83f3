"""The TLS reporting record, read and written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsops.base.errors import ForUser
from dnsops.records.txt import tlsrpt
from dnsops.records.txt.tlsrpt import TlsRpt

GOOD = [
    ("v=TLSRPTv1;rua=mailto:reports@example.com", ("mailto:reports@example.com",)),  # RFC 8460 3.1.1
    ("v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt", ("https://reporting.example.com/v1/tlsrpt",)),  # 3.1.2
    ("v=TLSRPTv1; rua=mailto:a@b.c , https://d/e ;", ("mailto:a@b.c", "https://d/e")),
    ("v=TLSRPTv1 ; x-new=a=b ; rua=mailto:a@b.c", ("mailto:a@b.c",)),
    ("v=TLSRPTv1; rua=mailto:a%2Cb%21c@d.e", ("mailto:a%2Cb%21c@d.e",)),
]
BAD = [
    "",
    "v=TLSRPTv1",
    "v=TLSRPTv1;",
    "v=tlsrptv1; rua=mailto:a@b.c",
    "v=TLSRPTv2; rua=mailto:a@b.c",
    "rua=mailto:a@b.c; v=TLSRPTv1",
    "v=TLSRPTv1; rua=",
    "v=TLSRPTv1; rua=a@b.c",
    "v=TLSRPTv1; rua=mailto:a@b.c; rua=mailto:d@e.f",
    "v=TLSRPTv1; rua=mailto:a@b.c,",
    "v=TLSRPTv1;; rua=mailto:a@b.c",
    "v=TLSRPTv1; rua mailto:a@b.c",
    "v=TLSRPTv1; rua=mailto:a@b.c" + " " * 5000,
]


@pytest.mark.parametrize("text, rua", GOOD)
def test_records_that_say_where(text: str, rua: tuple[str, ...]) -> None:
    assert TlsRpt.parse(text).rua == rua


@pytest.mark.parametrize("text", BAD)
def test_records_that_say_nothing(text: str) -> None:
    with pytest.raises(ForUser):
        TlsRpt.parse(text)


def test_it_is_written_as_the_dns_wants_it() -> None:
    record = TlsRpt((tlsrpt.mailto("tls-reports@example.org"),))
    assert str(record) == "v=TLSRPTv1; rua=mailto:tls-reports@example.org"
    assert TlsRpt.parse(str(record)) == record


@given(st.lists(st.emails().map(tlsrpt.mailto), min_size=1, max_size=3))
def test_written_and_read_again_is_the_same(uris: list[str]) -> None:
    record = TlsRpt(tuple(uris))
    assert TlsRpt.parse(str(record)) == record


def test_a_thousand_destinations_are_cut() -> None:
    text = "v=TLSRPTv1; rua=" + ",".join(f"mailto:{n}@b.c" for n in range(200))
    assert len(TlsRpt.parse(text).rua) == tlsrpt.MOST


FOUND = [  # RFC 8460 3: other records are discarded, of several none counts
    ([], None),
    (["v=spf1 -all", "v=TLSRPTv1;rua=mailto:a@b.c"], "mailto:a@b.c"),
    (["v=TLSRPTv1;rua=mailto:a@b.c", "v=TLSRPTv1;rua=mailto:d@e.f"], None),
    (["v=TLSRPTv1;rua=oops"], None),
    (["v=TLSRPTv1beta;rua=mailto:a@b.c"], None),
]


@pytest.mark.parametrize("texts, uri", FOUND)
def test_the_record_among_others(texts: list[str], uri: str | None) -> None:
    record = tlsrpt.found(texts)
    assert (record.rua[0] if record else None) == uri


def test_schemes_that_nobody_knows_are_passed_over() -> None:
    record = TlsRpt(("ftp://a/b", "MAILTO:a@b.c", "https://d/e"))
    assert record.usable == ("MAILTO:a@b.c", "https://d/e")


def test_its_name() -> None:
    assert tlsrpt.owner("Bücher.example.") == "_smtp._tls.xn--bcher-kva.example"
