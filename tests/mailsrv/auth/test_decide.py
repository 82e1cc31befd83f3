"""What becomes of a message: every row of the rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dnsops.base.settings.inbound import Inbound
from mailsrv.auth.decide import Action, Decision, Rules, decide, rules
from mailsrv.auth.verdicts import Arc, Authentication, Dkim, Dmarc, Iprev, Result, Seal, Spf, Wish
from mailsrv.spam.hints import Hint, Says

ACCEPT, JUNK, LATER, REFUSE = Action.ACCEPT, Action.JUNK, Action.LATER, Action.REFUSE
NONE, PASS, FAIL, TEMP, PERM = Result.NONE, Result.PASS, Result.FAIL, Result.TEMPERROR, Result.PERMERROR
ORG = "example.org"
WHY = "no identifier that passed SPF or DKIM is aligned with From"
SEALED = Arc(PASS, (Seal(1, "list.net", "s", f"i=1; x; dmarc=pass header.from={ORG}"),))


def dmarc(result: Result, wish: Wish = Wish.NONE, **more: Any) -> Dmarc:
    found = "" if result in (NONE, PERM) else ORG
    return Dmarc(result, **{"domain": ORG, "found": found, "wish": wish, "why": "" if result is PASS else WHY, **more})


def spf(result: Result, domain: str = ORG) -> Spf:
    return Spf(result, domain, f"a@{domain}", why="-all matched")


REJECT, QUARANTINE, NOTHING = (dmarc(FAIL, wish) for wish in (Wish.REJECT, Wish.QUARANTINE, Wish.NONE))
NO_DMARC = dmarc(NONE)
UNKNOWN = dmarc(TEMP, found="")


@dataclass(frozen=True)
class Row:
    """What is known, the rules where they differ, and what becomes of it; `code`: of the reply."""

    name: str
    action: Action
    dmarc: Dmarc = NO_DMARC
    spf: Spf = field(default_factory=lambda: spf(NONE))
    dkim: tuple[Dkim, ...] = ()
    arc: Arc = field(default_factory=lambda: Arc(NONE))
    rules: dict[str, Any] = field(default_factory=dict)
    hints: tuple[Hint, ...] = ()
    account: str = ""
    code: str = ""


# fmt: off
TABLE = [
    Row("nothing is known", ACCEPT),
    Row("DMARC passes", ACCEPT, dmarc(PASS, Wish.REJECT)),
    Row("DMARC passes though SPF fails", ACCEPT, dmarc(PASS, Wish.REJECT), spf(FAIL)),
    Row("RFC 9989 5.4: p=none changes nothing", ACCEPT, NOTHING, spf(FAIL)),
    Row("p=quarantine", JUNK, QUARANTINE),
    Row("p=reject", REFUSE, REJECT, code="550 5.7.26"),
    Row("RFC 9989 4.7: reject, t=y", JUNK, replace(REJECT, testing=True)),
    Row("RFC 9989 4.7: quarantine, t=y", ACCEPT, replace(QUARANTINE, testing=True)),
    Row("RFC 9989 4.7: none, t=y", ACCEPT, replace(NOTHING, testing=True)),
    # rules.dmarc
    Row("quarantine at most: reject", JUNK, REJECT, rules={"dmarc": "quarantine"}),
    Row("quarantine at most: quarantine", JUNK, QUARANTINE, rules={"dmarc": "quarantine"}),
    Row("quarantine at most: reject, t=y", JUNK, replace(REJECT, testing=True), rules={"dmarc": "quarantine"}),
    Row("ignored", ACCEPT, REJECT, rules={"dmarc": "ignore"}),
    Row("ignored, and not known", ACCEPT, UNKNOWN, rules={"dmarc": "ignore"}),
    # not known now
    Row("S-DNS-01: no policy to be known", LATER, UNKNOWN, code="451 4.7.0"),
    Row("S-DNS-01: the identifier is not known", LATER, dmarc(TEMP, Wish.REJECT), code="451 4.7.0"),
    Row("S-DNS-01: ... of a quarantine", LATER, dmarc(TEMP, Wish.QUARANTINE), code="451 4.7.0"),
    Row("not known, and nothing would come of it", ACCEPT, dmarc(TEMP, Wish.NONE)),
    Row("no policy to be known, but SPF proves the author", ACCEPT, replace(UNKNOWN, by_spf=True)),
    Row("no policy to be known, but DKIM proves the author", ACCEPT, replace(UNKNOWN, by_dkim=True)),
    Row("not known is no way around the quarantine rule", LATER, UNKNOWN, rules={"dmarc": "quarantine"}, code="451 4.7.0"),
    # ARC
    Row("a trusted sealer saw it pass", ACCEPT, REJECT, arc=SEALED, rules={"trusted_sealers": frozenset({"list.net"})}),
    Row("... and SPF failing on the way is no harm", ACCEPT, REJECT, spf(FAIL), arc=SEALED, rules={"trusted_sealers": frozenset({"list.net"})}),
    Row("a sealer whom nobody trusts", REFUSE, REJECT, arc=SEALED, code="550 5.7.26"),
    Row("a trusted sealer, a broken chain", REFUSE, REJECT, arc=replace(SEALED, result=FAIL), rules={"trusted_sealers": frozenset({"list.net"})}, code="550 5.7.26"),
    Row("a trusted sealer, another author", REFUSE, replace(REJECT, domain="bank.test"), arc=SEALED, rules={"trusted_sealers": frozenset({"list.net"})}, code="550 5.7.26"),
    # S-AUTHN-08: no single author
    Row("no author", JUNK, dmarc(PERM, domain="")),
    Row("no author, refused", REFUSE, dmarc(PERM, domain=""), rules={"no_author": REFUSE}, code="550 5.7.1"),
    Row("no author, accepted", ACCEPT, dmarc(PERM, domain=""), rules={"no_author": ACCEPT}),
    Row("no author, and SPF fails", REFUSE, dmarc(PERM, domain=""), spf(FAIL), rules={"spf_fail": REFUSE}, code="550 5.7.23"),
    # SPF alone
    Row("SPF fails, no DMARC", JUNK, NO_DMARC, spf(FAIL)),
    Row("SPF fails, refused", REFUSE, NO_DMARC, spf(FAIL), rules={"spf_fail": REFUSE}, code="550 5.7.23"),
    Row("SPF fails, noted", ACCEPT, NO_DMARC, spf(FAIL), rules={"spf_fail": ACCEPT}),
    Row("SPF fails, the author signed", ACCEPT, NO_DMARC, spf(FAIL), (Dkim(PASS, ORG),)),
    Row("SPF fails, the author's organization signed", ACCEPT, dmarc(NONE, domain="news.example.org"), spf(FAIL), (Dkim(PASS, ORG),)),
    Row("SPF fails, somebody signed", JUNK, NO_DMARC, spf(FAIL), (Dkim(PASS, "evil.test"),)),
    Row("SPF fails, a signature that does not hold", JUNK, NO_DMARC, spf(FAIL), (Dkim(FAIL, ORG),)),
    *(Row(f"SPF says {result.value}", ACCEPT, NO_DMARC, spf(result)) for result in (PASS, Result.SOFTFAIL, Result.NEUTRAL, PERM, NONE)),
    Row("S-DNS-01: SPF is not known", LATER, NO_DMARC, spf(TEMP), code="451 4.7.24"),
    Row("S-DNS-01: ... of a rule that refuses", LATER, NO_DMARC, spf(TEMP), rules={"spf_fail": REFUSE}, code="451 4.7.24"),
    Row("SPF is not known, and only noted", ACCEPT, NO_DMARC, spf(TEMP), rules={"spf_fail": ACCEPT}),
    Row("SPF is not known, DMARC passes", ACCEPT, dmarc(PASS), spf(TEMP)),
    Row("SPF is not known, the author signed", ACCEPT, NO_DMARC, spf(TEMP), (Dkim(PASS, ORG),)),
    # somebody's word
    Row("the administrator takes a domain", ACCEPT, REJECT, spf(FAIL), rules={"senders": {ORG: ACCEPT}}),
    Row("... and what is below it", ACCEPT, replace(REJECT, domain="a.example.org"), rules={"senders": {ORG: ACCEPT}}),
    Row("... and not what ends like it", REFUSE, replace(REJECT, domain="anexample.org"), rules={"senders": {ORG: ACCEPT}}, code="550 5.7.26"),
    Row("... and later is not needed", ACCEPT, UNKNOWN, rules={"senders": {ORG: ACCEPT}}),
    Row("the administrator junks a domain", JUNK, dmarc(PASS), rules={"senders": {ORG: JUNK}}),
    Row("... instead of refusing it", JUNK, REJECT, rules={"senders": {ORG: JUNK}}),
    Row("the administrator refuses a domain", REFUSE, dmarc(PASS), rules={"senders": {ORG: REFUSE}}, code="550 5.7.1"),
    Row("the closest word counts", ACCEPT, replace(REJECT, domain="a.example.org"), rules={"senders": {ORG: REFUSE, "a.example.org": ACCEPT}}),
    Row("no author is taken for anybody", JUNK, dmarc(PERM), rules={"senders": {ORG: ACCEPT}}),
    Row("an account takes a domain", ACCEPT, QUARANTINE, rules={"account_senders": {"user1": {ORG: ACCEPT}}}, account="user1"),
    Row("... for itself alone", JUNK, QUARANTINE, rules={"account_senders": {"user1": {ORG: ACCEPT}}}, account="user2"),
    Row("an account before the administrator", JUNK, dmarc(PASS), rules={"senders": {ORG: ACCEPT}, "account_senders": {"user1": {ORG: JUNK}}}, account="user1"),
    # hints
    Row("a list says refuse", REFUSE, dmarc(PASS), hints=(Hint("zen", Says.REFUSE, "listed"),), code="550 5.7.1"),
    Row("a scanner says junk", JUNK, dmarc(PASS), hints=(Hint("scanner", Says.JUNK),)),
    Row("a scanner says later", LATER, dmarc(PASS), hints=(Hint("scanner", Says.LATER, "busy"),), code="451 4.7.1"),
    Row("a list takes nothing back", REFUSE, REJECT, hints=(Hint("dnswl", Says.ACCEPT),), code="550 5.7.26"),
    Row("later before junk", LATER, QUARANTINE, hints=(Hint("scanner", Says.LATER),), code="451 4.7.1"),
    Row("refuse before later", REFUSE, UNKNOWN, hints=(Hint("zen", Says.REFUSE, "listed"),), code="550 5.7.1"),
    Row("the administrator's word is not about hints", REFUSE, REJECT, rules={"senders": {ORG: ACCEPT}}, hints=(Hint("virus", Says.REFUSE, "Eicar"),), code="550 5.7.1"),
]
# fmt: on


def decision(row: Row) -> Decision:
    found = Authentication(mail=row.spf, dkim=row.dkim, arc=row.arc, dmarc=row.dmarc)
    return decide(found, row.hints, Rules(**row.rules), row.account)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_becomes_of_it(row: Row) -> None:
    found = decision(row)
    assert found.action is row.action, found.reasons
    assert (f"{found.reply.code} {found.reply.enhanced}" if found.reply else "") == row.code
    assert (found.reply is not None) is (found.action in (REFUSE, LATER))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_some_step_says_so_and_every_reply_is_one_line(row: Row) -> None:
    found = decision(row)
    counted = [one.proposes for one in found.reasons if not one.outweighed and one.proposes]
    assert found.action is ACCEPT or found.action in counted
    assert found.reply is None or bytes(found.reply).count(b"\n") == 1


def test_every_step_is_told_in_order() -> None:
    found = decide(
        Authentication(
            Iprev(PASS, "mx.example.net"),
            Spf(NONE, helo=True),
            spf(FAIL),
            (Dkim(FAIL, "example.org", why="the body has changed"),),
            SEALED,
            REJECT,
        ),
        [Hint("zen", Says.ACCEPT, "not listed")],
        Rules(senders={ORG: ACCEPT}),
    )
    assert [(one.what, one.outcome, one.why, one.proposes, one.outweighed) for one in found.reasons] == [
        ("iprev", "pass", "mx.example.net", None, False),
        ("spf helo", "none", "", None, False),
        ("dkim example.org", "fail", "the body has changed", None, False),
        ("arc", "pass", "sealed by list.net", None, False),
        ("dmarc", "fail", "example.org asks for reject", REFUSE, True),
        ("spf mail", "fail", "DMARC decides", None, False),
        ("sender", "example.org", "the configuration says so of example.org", ACCEPT, False),
        ("zen", "accept", "not listed", ACCEPT, False),
    ]


def test_what_a_client_is_told() -> None:
    found = decision(Row("", REFUSE, REJECT))
    assert bytes(found.reply or b"") == (
        b"550 5.7.26 the DMARC policy of example.org refuses this mail: no identifier that passed SPF or DKIM is aligned with From\r\n"
    )
    odd = decision(Row("", REFUSE, hints=(Hint("zen", Says.REFUSE, "a\r\n250 ok\x1b[31m" + "x" * 999),)))
    assert bytes(odd.reply or b"").count(b"\r\n") == 1


def test_the_rules_are_the_settings() -> None:
    assert rules(Inbound()) == Rules()
    settings = Inbound(
        dmarc="quarantine",
        spf_fail="refuse",
        no_author="accept",
        trusted_sealers=["List.Net."],  # type: ignore[arg-type]
        senders={"Example.ORG": "junk"},
        account_senders={"user1": {"b.org": "accept"}},
    )
    assert rules(settings) == Rules(
        "quarantine", REFUSE, ACCEPT, {ORG: JUNK}, {"user1": {"b.org": ACCEPT}}, frozenset({"list.net"})
    )
