"""What is asked, what is guessed, what is no answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dnsops.base.errors import Misused
from mailsrv.quickstart import answers
from mailsrv.quickstart.questions import QUESTIONS, Hints, complete, holder_of, open_questions

DOMAIN = "example.org"


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (answers.domain, " Example.ORG. ", "example.org"),
        (answers.domain, "Bücher.example", "xn--bcher-kva.example"),
        (answers.hostname, "MX1.example.org", "mx1.example.org"),
        (answers.provider, "Cloudflare", "cloudflare"),
        (answers.provider, "rfc2136:ns1.example.org", "rfc2136:ns1.example.org"),
        (answers.provider, "zonefile: /var/zones/x.zone", "zonefile:/var/zones/x.zone"),
        (answers.contact, "You@Example.NET", "you@example.net"),
        (answers.account, "User1", "user1"),
        (answers.addresses, "2001:db8::25, 192.0.2.25 192.0.2.25", ("192.0.2.25", "2001:db8::25")),
    ],
)
def test_answers_are_read_into_one_spelling(read: Callable[[str], object], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "says"),
    [
        (answers.domain, "localhost", "not a full host name"),
        (answers.domain, "192.0.2.1", "is an address"),
        (answers.domain, "a..b", "DOMAIN"),
        (answers.hostname, "mx_1.example.org", "letters, digits and hyphens"),
        (answers.provider, "route66", "there is no provider 'route66'"),
        (answers.provider, "rfc2136", "rfc2136 needs its place"),
        (answers.provider, "zonefile:", "zonefile needs its place"),
        (answers.contact, "nobody", "not a mail address"),
        (answers.contact, "me@localhost", "not a mail address"),
        (answers.account, "Jörg", "many servers take no other addresses"),
        (answers.account, "-x", "not a name for an account"),
        (answers.account, "x" * 65, "not a name for an account"),
        (answers.addresses, "", "no address is given"),
        (answers.addresses, "mx1", "not an IP address: 'mx1'"),
        (answers.addresses, "127.0.0.1", "no address that others can reach"),
        (answers.addresses, "fe80::1", "no address that others can reach"),
        (answers.addresses, " ".join(f"192.0.2.{n}" for n in range(17)), "more than 16"),
    ],
)
def test_what_is_no_answer_is_said_with_what_to_write(read: Callable[[str], object], text: str, says: str) -> None:
    with pytest.raises(Misused) as refused:
        read(text)
    assert says in str(refused.value)
    assert refused.value.where.startswith(("--", "DOMAIN"))


@pytest.mark.parametrize(
    ("key", "hints", "guess"),
    [
        ("hostname", Hints(), "mx1.example.org"),
        ("hostname", Hints(reverse=("static-1.isp.example", "mail.example.org")), "mail.example.org"),
        ("hostname", Hints(reverse=("example.org",)), "mx1.example.org"),
        ("provider", Hints(servers=("amy.ns.cloudflare.com", "bob.ns.cloudflare.com")), "cloudflare"),
        ("provider", Hints(servers=("amy.ns.cloudflare.com", "ns1.example.org")), ""),
        ("provider", Hints(), ""),
        ("addresses", Hints(("192.0.2.25", "192.0.2.26", "2001:db8::25")), "192.0.2.25, 2001:db8::25"),
        ("addresses", Hints(), ""),
        ("account", Hints(user="Alice"), "alice"),
        ("account", Hints(user="root"), "postmaster"),
        ("account", Hints(user="_x"), "postmaster"),
        ("contact", Hints(), "alice@example.org"),
    ],
)
def test_guesses(key: str, hints: Hints, guess: str) -> None:
    question = next(one for one in QUESTIONS if one.key == key)
    assert question.guess(DOMAIN, hints, {"account": "alice"}) == guess
    if guess:
        question.read(guess)


def test_a_name_that_only_looks_like_a_holder_is_none() -> None:
    assert holder_of("amy.ns.cloudflare.com") == "cloudflare"
    assert holder_of("evilns.cloudflare.com.example") == ""


def test_only_what_is_open_is_asked() -> None:
    known = {"hostname": "mx1.example.org", "provider": "cloudflare"}
    assert [question.key for question in open_questions(known)] == ["addresses", "account", "contact"]
    assert open_questions({question.key: "x" for question in QUESTIONS}) == ()


def test_a_run_that_nobody_watches_takes_every_guess() -> None:
    hints = Hints(("192.0.2.25",), ("mx.example.org",), ("amy.ns.cloudflare.com",), "alice")
    assert complete(DOMAIN, {}, hints) == {
        "hostname": "mx.example.org",
        "provider": "cloudflare",
        "addresses": "192.0.2.25",
        "account": "alice",
        "contact": "alice@example.org",
    }


@pytest.mark.parametrize("missing", ["provider", "addresses"])
def test_what_cannot_be_guessed_names_its_option(missing: str) -> None:
    known = {"provider": "cloudflare", "addresses": "192.0.2.25"} | {missing: ""}
    with pytest.raises(Misused) as refused:
        complete(DOMAIN, known, Hints())
    assert refused.value.where == f"--{missing}"


def test_a_given_answer_is_read_too() -> None:
    with pytest.raises(Misused, match="no provider"):
        complete(DOMAIN, {"provider": "x"}, Hints(("192.0.2.25",)))
