"""Whatever stands in the DNS or comes in a certificate, a judge has a verdict, soon; and never two for one record."""

from __future__ import annotations

import random

import pytest

from checks.facts import Lookup, Question, Tls
from checks.judge import caa, caa_grammar, certificates, dmarc_grammar, dmarc_policy, spf_grammar, spf_policy, spf_tree
from dnsops.base.flow import run
from tests.checks.judge import scenes

SEEDS = range(300)
PIECES = (
    *(
        "v=spf1 ",
        "include:",
        "redirect=",
        "exists:%{ir}",
        "all",
        "-",
        "?",
        "a",
        "mx/24//64",
        "ip4:1.2.3.4",
        "ip6:::1/",
        ";",
        "=",
    ),
    *("v=DMARC1", "; ", "p=reject", "sp=none", "rua=mailto:a@b.c", "!10m", ",", "fo=1:d", "rf=a-", "pct=1000", " "),
    *(
        '0 issue "',
        "ca.example",
        "; validationmethods=",
        "ca-x",
        '"',
        "\\",
        "\\233",
        "iodef",
        "mailto:",
        "+1;ext=",
        "\t",
        "\n",
        "é",
    ),
    *("x.org", "%", "%%", "{", "}", ".", ":", "/", "0", "9" * 30, "a" * 300),
)


def spoilt(seed: int) -> str:
    dice = random.Random(seed)
    return "".join(dice.choice(PIECES) for _ in range(dice.randrange(1, 30)))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_record_of_anything_has_a_verdict(seed: int) -> None:
    text = spoilt(seed)

    def ask(question: Question) -> Lookup:
        return Lookup(question.name, question.type, records=(spoilt(seed + len(question.name)), "v=spf1 " + text))

    for record in (text, "v=spf1 " + text, "v=spf1 -all " + text):
        assert run(spf_policy.judge("x.org", record), ask).points in (0, 2, 10)
        assert run(spf_tree.count("x.org", record), ask).asked <= spf_tree.MOST_QUESTIONS
    found = dmarc_policy.Found(("v=DMARC1; p=reject; " + text,), "x.org")
    assert run(dmarc_policy.judge(found, lambda domain: domain), ask).points in (0, 2, 10)
    for one in (text, '0 issue "' + text + '"'):
        record_ = caa_grammar.parse(one)
        assert record_ is None or isinstance(caa_grammar.wrong(record_), str)
        assert caa.finding("x.org", Lookup("x.org", "CAA", records=(one,))).points in (0, 10)


LONG = (
    "v=spf1 " + "a " * 30000,
    "v=spf1 " + "include:x.org " * 4000,
    "v=spf1 a:" + "a." * 30000,
    "v=spf1 exists:" + "%{d}" * 15000,
    "v=spf1 x=" + "-" * 60000,
    "v=spf1" + " " * 60000 + ";",
    "v=DMARC1;" + " " * 60000 + ";",
    "v=DMARC1; p=reject; rua=" + "mailto:a@b.c," * 4000,
    "v=DMARC1; p=reject; rf=" + "a-" * 30000,
    "v=DMARC1; p=reject; fo=" + "0:" * 30000,
    "v=DMARC1; p=reject" + "; sp=none" * 6000,
    '0 issue "' + "a-" * 30000 + '"',
    '0 issue "' + "a." * 30000 + '"',
    '0 issue "' + ";a=b" * 15000 + '"',
    '0 contactphone "+' + "0-" * 30000 + '"',
    '0 iodef "mailto:a@' + "a-." * 20000 + '"',
    '0 contactemail "' + "a" * 60000 + '"',
)


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:24])
def test_a_long_record_is_judged_soon(text: str) -> None:
    """An expression that goes back and forth would be here for ever."""

    def ask(question: Question) -> Lookup:
        return Lookup(question.name, question.type, records=(text,))

    run(spf_policy.judge("x.org", text), ask)
    run(spf_tree.count("x.org", text), ask)
    dmarc_grammar.tags(text)
    spf_grammar.terms(text)
    record = caa_grammar.parse(text)
    if record is not None:
        caa_grammar.wrong(record)


@pytest.mark.parametrize("seed", range(60))
def test_a_certificate_of_anything_is_judged(seed: int) -> None:
    dice = random.Random(seed)
    der = bytearray(scenes.certificate(scenes.HOST))
    for _ in range(dice.randrange(1, 6)):
        der[dice.randrange(len(der))] = dice.randrange(256)
    shown = bytes(der[: dice.randrange(1, len(der))]) if seed % 3 == 0 else bytes(der)
    found = certificates.findings(Tls(scenes.HOST, reachable=True, chain=(shown,)), anchored=False)
    assert [one.id for one in found] == ["cert_trust", "cert_pubkey", "cert_signature", "cert_hostmatch"]
