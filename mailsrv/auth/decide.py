"""What becomes of a message, by what is known of its origin and by what others say of it. Pure.

    Every step proposes something and says why; the strongest proposal holds: accept < junk < later < refuse.

    author     From that names nobody, or several                          rules.no_author
    dmarc      fail: as its domain asks, one step weaker when it tests     rules.dmarc
               unless a trusted sealer of an ARC chain saw it pass         rules.trusted_sealers
               not known now: later, unless nothing could come of it
    spf        fail or not known now, where DMARC says nothing             rules.spf_fail
               and no signature of the author's domain holds
    sender     the administrator's word for a domain, or an account's:     rules.senders, rules.account_senders
               it takes the place of all of the above
    hints      lists of addresses, a scanner, the account's own filter     each as it says

Standards: RFC 9989 5.4 and 4.7 (t), RFC 7208 8.4 and 8.6, RFC 7372 (codes), RFC 8617. Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from dnsops.base.printable import printable
from dnsops.records import names
from mailsrv.auth.sealers import vouched
from mailsrv.auth.verdicts import Authentication, Dmarc, Result, Spf, Wish
from mailsrv.smtp.replies import Reply
from mailsrv.spam.hints import Hint, Says

if TYPE_CHECKING:
    from dnsops.base.settings.inbound import Inbound

LONGEST_WHY = 200
MOST_KEPT = 1024  # of origins, what follows from them


class Action(Enum):
    """What to do, the weakest first."""

    ACCEPT = "it is taken"
    JUNK = "it is taken, into Junk"
    LATER = "it is to be sent again later"
    REFUSE = "it is refused"

    __hash__ = object.__hash__


STRENGTH = {action: at for at, action in enumerate(Action)}
WISHES = {Wish.NONE: Action.ACCEPT, Wish.QUARANTINE: Action.JUNK, Wish.REJECT: Action.REFUSE}
SAID = {
    Says.ACCEPT: Action.ACCEPT,
    Says.JUNK: Action.JUNK,
    Says.LATER: Action.LATER,
    Says.REFUSE: Action.REFUSE,
    Says.NOTHING: None,
}
TESTED = {Wish.NONE: Wish.NONE, Wish.QUARANTINE: Wish.NONE, Wish.REJECT: Wish.QUARANTINE}  # RFC 9989 4.7, t=y


@dataclass(frozen=True, slots=True)
class Rules:
    """`Inbound`, as values. senders: domain -> what; account_senders: account -> domain -> what."""

    dmarc: str = "enforce"  # or quarantine, ignore
    spf_fail: Action = Action.JUNK
    no_author: Action = Action.JUNK
    senders: Mapping[str, Action] = field(default_factory=dict)
    account_senders: Mapping[str, Mapping[str, Action]] = field(default_factory=dict)
    trusted_sealers: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        return id(self)  # there is one of them, until the configuration changes


@dataclass(frozen=True, slots=True)
class Reason:
    """One step: what was looked at, what came out, the sentence for a person, and what it proposes (None: nothing).

    outweighed: the administrator's or the account's word stands in its place.
    """

    what: str
    outcome: str
    why: str = ""
    proposes: Action | None = None
    reply: Reply | None = None
    outweighed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """reply: what the client is told, None when the message is taken."""

    action: Action
    reasons: tuple[Reason, ...] = ()
    reply: Reply | None = None


def rules(inbound: Inbound) -> Rules:
    """The settings as rules."""
    return Rules(
        inbound.dmarc,
        _action(inbound.spf_fail),
        _action(inbound.no_author),
        {domain: _action(word) for domain, word in inbound.senders.items()},
        {
            account: {domain: _action(word) for domain, word in words.items()}
            for account, words in inbound.account_senders.items()
        },
        frozenset(inbound.trusted_sealers),
    )


def decide(authentication: Authentication, hints: Iterable[Hint], rules: Rules, account: str = "") -> Decision:
    """The decision on one message; with `account`, on its delivery there."""
    own = account if account in rules.account_senders else ""
    of_origin = _of_origin if authentication.arc.seals else _kept_of_origin  # what sealers say may be long
    return _strongest((*of_origin(authentication, rules, own), *map(_hint, hints)))


def _of_origin(authentication: Authentication, rules: Rules, account: str) -> tuple[Reason, ...]:
    """All steps but the hints. account: "" for one without words of its own."""
    known = [*_told(authentication), _author(authentication.dmarc, rules), _dmarc(authentication, rules)]
    known.append(_spf(authentication, rules))
    word = _sender(authentication.dmarc, rules, account)
    if word is not None:
        known = [_outweighed(reason) for reason in known]
    return tuple(step for step in (*known, word) if step is not None)


_kept_of_origin = lru_cache(MOST_KEPT)(_of_origin)


def _strongest(reasons: tuple[Reason, ...]) -> Decision:
    counted = [one for one in reasons if one.proposes is not None and not one.outweighed]
    if not counted:
        return Decision(Action.ACCEPT, reasons)
    first = max(counted, key=lambda one: STRENGTH[one.proposes or Action.ACCEPT])
    return Decision(first.proposes or Action.ACCEPT, reasons, first.reply)


def _told(found: Authentication) -> Iterable[Reason]:
    """What proposes nothing, and yet belongs into the explanation."""
    yield Reason("iprev", found.iprev.result.value, found.iprev.why or found.iprev.name)
    yield Reason("spf helo", found.helo.result.value, found.helo.why)
    for one in found.dkim:
        yield Reason(f"dkim {one.domain}", one.result.value, one.why)
    if found.arc.result is not Result.NONE:
        sealers = ", ".join(seal.domain for seal in found.arc.seals)
        yield Reason("arc", found.arc.result.value, found.arc.why or f"sealed by {sealers}")


def _author(dmarc: Dmarc, rules: Rules) -> Reason | None:
    if dmarc.result is not Result.PERMERROR:
        return None
    why = dmarc.why or "From names no single author"
    reply = Reply(550, "5.7.1", f"this mail is not taken: {why}")
    return Reason("author", "no single one", why, rules.no_author, _refusal(rules.no_author, reply))


def _dmarc(found: Authentication, rules: Rules) -> Reason | None:
    dmarc = found.dmarc
    if dmarc.result is Result.PERMERROR:
        return None
    if rules.dmarc == "ignore":
        return Reason("dmarc", dmarc.result.value, "the rules ignore DMARC")
    match dmarc.result:
        case Result.FAIL:
            return _failed(found, rules)
        case Result.TEMPERROR:
            return _unknown(dmarc)
        case Result.PASS:
            return Reason("dmarc", "pass", f"{dmarc.domain} is proven", Action.ACCEPT)
    return Reason("dmarc", dmarc.result.value, dmarc.why)


def _failed(found: Authentication, rules: Rules) -> Reason:
    dmarc = found.dmarc
    sealer = vouched(found.arc, dmarc.domain, rules.trusted_sealers)
    if sealer:
        return Reason("dmarc", "fail", f"{sealer}, whom the rules trust, saw it pass before", Action.ACCEPT)
    wish = TESTED[dmarc.wish] if dmarc.testing else dmarc.wish
    action = WISHES[wish]
    why = f"{dmarc.domain} asks for {dmarc.wish.value}" + (", and tests that" if dmarc.testing else "")
    if action is Action.REFUSE and rules.dmarc == "quarantine":
        action, why = Action.JUNK, f"{why}; the rules refuse nothing for DMARC"
    reply = Reply(550, "5.7.26", f"the DMARC policy of {dmarc.domain} refuses this mail: {dmarc.why}")
    return Reason("dmarc", "fail", why, action, _refusal(action, reply))


def _unknown(dmarc: Dmarc) -> Reason:
    """Later, where something could come of it: never weaker because the DNS is silent."""
    harmless = (dmarc.found and dmarc.wish is Wish.NONE) or dmarc.by_spf or dmarc.by_dkim
    if harmless:
        return Reason("dmarc", "temperror", f"{dmarc.why}; whatever it is, nothing would come of it", Action.ACCEPT)
    reply = Reply(451, "4.7.0", f"DMARC of {dmarc.domain} cannot be checked now: {dmarc.why}")
    return Reason("dmarc", "temperror", dmarc.why, Action.LATER, reply)


def _spf(found: Authentication, rules: Rules) -> Reason:
    """RFC 7208 8.4, where DMARC leaves it to us and nothing else speaks for the message."""
    spf, dmarc = found.mail, found.dmarc
    if spf.result not in (Result.FAIL, Result.TEMPERROR) or rules.spf_fail is Action.ACCEPT:
        return Reason("spf mail", spf.result.value, spf.why)
    if dmarc.result in (Result.PASS, Result.FAIL, Result.TEMPERROR):
        return Reason("spf mail", spf.result.value, "DMARC decides")
    if any(_speaks_for(one.domain, dmarc.domain) for one in found.passed):
        return Reason("spf mail", spf.result.value, "a signature of the author's domain holds")
    if spf.result is Result.TEMPERROR:
        reply = Reply(451, "4.7.24", f"SPF of {spf.domain} cannot be checked now")
        return Reason("spf mail", "temperror", spf.why, Action.LATER, reply)
    return Reason("spf mail", "fail", spf.why, rules.spf_fail, _refusal(rules.spf_fail, _spf_refusal(spf)))


def _spf_refusal(spf: Spf) -> Reply:
    return Reply(550, "5.7.23", f"the SPF record of {spf.domain} does not allow your address: {spf.why}")


def _speaks_for(signer: str, author: str) -> bool:
    return bool(signer and author) and (names.under(author, signer.lower()) or names.under(signer.lower(), author))


def _sender(dmarc: Dmarc, rules: Rules, account: str) -> Reason | None:
    """The word on a domain, the account's before the administrator's, the closest domain's before that above it.

    Nobody is taken in for a domain that From names beside another.
    """
    domain = dmarc.domain
    for whose, words in (
        (f"the account {account}", rules.account_senders.get(account, {})),
        ("the configuration", rules.senders),
    ):
        about = names.longest_suffix(domain, list(words)) if domain else None
        if about is not None:
            action = words[about]
            if action is Action.ACCEPT and dmarc.result is Result.PERMERROR:
                return None
            reply = Reply(550, "5.7.1", f"mail from {domain} is not taken here")
            return Reason("sender", domain, f"{whose} says so of {about}", action, _refusal(action, reply))
    return None


def _outweighed(reason: Reason | None) -> Reason | None:
    if reason is None or reason.proposes is None:
        return reason
    return Reason(reason.what, reason.outcome, reason.why, reason.proposes, reason.reply, outweighed=True)


def _hint(hint: Hint) -> Reason:
    return _said(hint.source, hint.says, hint.why[:LONGEST_WHY])


@lru_cache(MOST_KEPT)
def _said(source: str, says: Says, told: str) -> Reason:
    why, action = printable(told), SAID[says]
    reply: Reply | None = None
    if action is Action.REFUSE:
        reply = Reply(550, "5.7.1", f"this mail is not taken: {why or source}")
    elif action is Action.LATER:
        reply = Reply(451, "4.7.1", f"not now, try again: {why or source}")
    return Reason(source, says.name.lower(), why, action, reply)


def _refusal(action: Action, reply: Reply) -> Reply | None:
    return reply if action is Action.REFUSE else None


def _action(word: str) -> Action:
    return Action[word.upper()]
