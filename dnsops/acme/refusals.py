"""What an authority's "no" means for a person: one table, from the error types of RFC 8555 6.7 to what to do now. Pure.

`of(problem)` gives the exception to raise: `Later` where waiting helps (rate limits, its own failures), `Refusal` otherwise.
Standards: RFC 8555 6.7, RFC 8657, RFC 9773 7.4 (alreadyReplaced), draft-ietf-acme-profiles (invalidProfile).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from dnsops.acme.words import Problem
from dnsops.base.errors import ForUser, Later

HOUR = 3600.0
ADVICE = {
    "accountDoesNotExist": "move its file in STATE/acme away, so that a new account is registered; CAA records may name the old one",
    "alreadyReplaced": "order it without saying which certificate it replaces",
    "badCSR": "the authority takes no such request: look at acme.key_type and at the names",
    "badPublicKey": "the authority takes no such key: set acme.key_type to p256 or rsa3072",
    "badSignatureAlgorithm": "the authority takes no ES256 for accounts: name another one in acme.directory",
    "caa": "change the CAA records so that they allow this authority and this account (RFC 8659, RFC 8657)",
    "connection": "let port 80 (http-01) or 443 (tls-alpn-01) of every address of the name be reached from outside",
    "dns": "look at the name's delegation and at every name server of it: the authority could not ask them",
    "dnssec": "repair the zone's DNSSEC: `mailsrv ask NAME TXT` says what is wrong",
    "externalAccountRequired": "set acme.eab to the key that the authority gave you",
    "incorrectResponse": "something else than our answer is shown there: a proxy, another server, a stranger's record",
    "invalidContact": "set acme.contact to an address that receives mail",
    "invalidProfile": "set acme.profile to one that the authority has",
    "malformed": "this is between our program and the authority: please report it",
    "rejectedIdentifier": "the authority does not issue for this name: see its policy",
    "tls": "look at what port 443 of every address of the name shows",
    "unauthorized": "look at what stands at the name: the authority did not find our answer there, or does not let us",
    "unsupportedContact": "set acme.contact to a mail address",
    "unsupportedIdentifier": "the authority does not issue for such names",
    "userActionRequired": "read what the authority wants you to agree to, and visit the address",
}
WAIT = {"rateLimited": HOUR, "serverInternal": 60.0, "badNonce": 60.0}


class Refusal(ForUser):
    """The authority said no; `problem` is how."""

    def __init__(self, problem: Problem, what: str, where: str, advice: str) -> None:
        super().__init__(what, where, advice)
        self.problem = problem


def of(problem: Problem, where: str, after: float | None = None) -> ForUser | Later:
    """What to raise. where: what was asked for, for people.  after: seconds, as its Retry-After asked."""
    verb = "cannot answer now" if problem.status >= 500 else "refused"
    said = f"the authority {verb}: {sentence(problem)}"
    if problem.kind in WAIT or problem.status in (429, 500, 502, 503, 504):
        wait = WAIT.get(problem.kind, HOUR if problem.status == 429 else 60.0) if after is None else max(after, 1.0)
        return Later(f"{where}: {said}", timedelta(seconds=wait))
    return Refusal(problem, said, where, _advice(problem))


def of_several(problems: Iterable[Problem], where: str) -> ForUser | Later:
    """One exception for what several names failed by; waiting helps only when it helps all of them."""
    found = list(problems)
    if len(found) == 1:
        return of(found[0], where)
    hopeless = [one for one in found if one.kind not in WAIT]
    first = hopeless[0] if hopeless else found[0]
    return of(Problem(first.kind, "", first.status, "", tuple(found)), where)


def sentence(problem: Problem) -> str:
    """`mx1.example.org: DETAIL (caa); ...`"""
    own = problem.detail or (f"status {problem.status}" if problem.status and not problem.more else "")
    parts = [f"{problem.name}: {own}" if problem.name and own else own or problem.name]
    parts += [sentence(one) for one in problem.more]
    text = "; ".join(part for part in parts if part) or "without a reason"
    return f"{text} ({problem.kind})" if problem.kind and not problem.more else text


def _advice(problem: Problem) -> str:
    kinds = [problem.kind, *(one.kind for one in problem.more)]
    found = dict.fromkeys(ADVICE[kind] for kind in kinds if kind in ADVICE)
    advice = "; ".join(found) or "see what the authority says of it"
    return f"{advice}: {problem.instance}" if problem.instance.startswith("https://") else advice
