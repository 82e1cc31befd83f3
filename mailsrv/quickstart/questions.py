"""What a person is asked, in order, each with what we would guess; nothing is asked that is known. Pure.

    key         asked                                         guessed from
    hostname    what is this mail host's name?                the reverse name of our address, else mx1.DOMAIN
    provider    who holds the zone of DOMAIN?                 its name servers
    addresses   the host's public addresses?                  this machine's interfaces
    account     the first account?                            who is typing
    contact     whom may the certificate authority write to?  the first account's address

Fails by: `Misused` from `complete` for what has no guess and was not given, naming the option.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnsops.base.errors import Misused
from dnsops.records import names
from mailsrv.quickstart import answers

HOLDERS = {"ns.cloudflare.com": "cloudflare"}  # name servers -> provider
NOBODY = frozenset({"root", "daemon", "nobody", "mailsrv", ""})  # users who are no person


@dataclass(frozen=True, slots=True)
class Hints:
    """What this machine and the DNS tell. reverse: PTR names of our addresses.  servers: the domain's name servers."""

    addresses: tuple[str, ...] = ()
    reverse: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    user: str = ""


Texts = Mapping[str, str]
Guess = Callable[[str, Hints, Texts], str]


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `read` refuses what is no answer; `guess` gives the default, "" when there is none."""

    key: str
    option: str
    text: str
    guess: Guess
    read: Callable[[str], object]
    like: str


def guessed_hostname(domain: str, hints: Hints, known: Texts) -> str:
    """The reverse name when it is in the domain and no generic one: whoever set it meant this host."""
    fitting = [name for name in hints.reverse if names.under(name, domain) and name != domain]
    return fitting[0] if fitting else f"mx1.{domain}"


def guessed_provider(domain: str, hints: Hints, known: Texts) -> str:
    """By the name servers: all of them must be of one holder."""
    found = {holder_of(server) for server in hints.servers}
    return found.pop() if len(found) == 1 else ""


def holder_of(server: str) -> str:
    """Whose a name server is; "" when we do not know."""
    return next((kind for suffix, kind in HOLDERS.items() if names.under(server, suffix)), "")


def guessed_addresses(domain: str, hints: Hints, known: Texts) -> str:
    """Those of the interfaces, the first of each family."""
    first: dict[bool, str] = {}
    for one in hints.addresses:
        first.setdefault(":" in one, one)
    return ", ".join(first[family] for family in sorted(first))


def guessed_account(domain: str, hints: Hints, known: Texts) -> str:
    """Who is typing, when that is a person."""
    name = re.sub(r"[^a-z0-9._-]", "", hints.user.lower())
    return name if name not in NOBODY and name[0].isalnum() else "postmaster"


def guessed_contact(domain: str, hints: Hints, known: Texts) -> str:
    """The first account reads its mail."""
    return f"{known['account']}@{domain}" if known.get("account") else ""


QUESTIONS = (
    Question(
        "hostname", "--hostname", "The name of this mail host", guessed_hostname, answers.hostname, "mx1.example.org"
    ),
    Question(
        "provider",
        "--provider",
        "Who holds the zone (cloudflare, rfc2136:SERVER, zonefile:PATH)",
        guessed_provider,
        answers.provider,
        "cloudflare",
    ),
    Question(
        "addresses",
        "--addresses",
        "Its public addresses",
        guessed_addresses,
        answers.addresses,
        "192.0.2.25,2001:db8::25",
    ),
    Question("account", "--account", "The first account", guessed_account, answers.account, "user1"),
    Question(
        "contact",
        "--contact",
        "Mail address for the certificate authority",
        guessed_contact,
        answers.contact,
        "you@example.net",
    ),
)


def open_questions(known: Texts) -> tuple[Question, ...]:
    """Those that have no answer yet, in order."""
    return tuple(question for question in QUESTIONS if not known.get(question.key))


def complete(domain: str, known: Texts, hints: Hints) -> dict[str, str]:
    """The known answers and our guesses for the rest, each read once: for a run that nobody watches."""
    texts = dict(known)
    for question in open_questions(known):
        guess = question.guess(domain, hints, texts)
        if not guess:
            raise Misused(
                f"{question.text.lower()}: not given, and it cannot be guessed",
                question.option,
                f"write it like {question.option} {question.like}",
            )
        texts[question.key] = guess
    for question in QUESTIONS:
        question.read(texts[question.key])
    return texts
