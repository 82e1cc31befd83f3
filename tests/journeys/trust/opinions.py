"""Two opinions of one message, ours and rspamd's, in the same words."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from dnsops.resolve.validator import Validator
from mailsrv.auth.signatures import signatures
from mailsrv.auth.story import Means, Origin, authenticate
from mailsrv.auth.verdicts import Authentication, Result
from tests.journeys.trust.letters import Case

AT_ONCE = 8
# rspamd's symbols; what it says nothing of it has passed over
DKIM = {
    "R_DKIM_ALLOW": "pass",
    "R_DKIM_REJECT": "fail",
    "R_DKIM_PERMFAIL": "error",
    "R_DKIM_TEMPFAIL": "later",
}
SPF = {
    "R_SPF_ALLOW": "pass",
    "R_SPF_FAIL": "fail",
    "R_SPF_SOFTFAIL": "softfail",
    "R_SPF_NEUTRAL": "neutral",
    "R_SPF_NA": "none",
    "R_SPF_PERMFAIL": "permerror",
    "R_SPF_DNSFAIL": "temperror",
}
DMARC = {
    "DMARC_POLICY_ALLOW": "pass",
    "DMARC_POLICY_REJECT": "fail",
    "DMARC_POLICY_QUARANTINE": "fail",
    "DMARC_POLICY_SOFTFAIL": "fail",
    "DMARC_NA": "none",
    "DMARC_BAD_POLICY": "permerror",
    "DMARC_DNSFAIL": "temperror",
}
CLASSES = {Result.PASS: "pass", Result.FAIL: "fail", Result.TEMPERROR: "later"}


ARC = {
    "ARC_ALLOW": "pass",
    "ARC_REJECT": "fail",
    "ARC_INVALID": "fail",
    "ARC_DNSFAIL": "temperror",
    "ARC_NA": "none",
}


@dataclass(frozen=True)
class Opinion:
    """dkim: a word for each signature, sorted, one for each key.  spf, dmarc, arc: RFC 8601's words.

    policy: what the author's domain asks for; "" where DMARC comes to no verdict.
    """

    dkim: tuple[str, ...]
    spf: str
    dmarc: str
    policy: str
    arc: str


@dataclass(frozen=True)
class Difference:
    """One method of which two opinions differ. NOTHING: a signature of which one says nothing."""

    case: Case
    method: str
    ours: str
    theirs: str


NOTHING = "nothing"


def differences(case: Case, ours: Opinion, theirs: Opinion) -> Iterator[Difference]:
    """Where they differ; a DMARC verdict that differs because SPF or DKIM do is no difference of its own."""
    ours_only, theirs_only = Counter(ours.dkim) - Counter(theirs.dkim), Counter(theirs.dkim) - Counter(ours.dkim)
    for mine, yours in zip_longest(sorted(ours_only), sorted(theirs_only), fillvalue=NOTHING):
        yield Difference(case, "dkim", mine, yours)
    for method in ("spf", "dmarc", "policy", "arc"):
        mine, yours = getattr(ours, method), getattr(theirs, method)
        if mine != yours and not (method == "policy" and "" in (mine, yours)) and not _follows(method, ours, theirs):
            yield Difference(case, method, mine, yours)


def _follows(method: str, ours: Opinion, theirs: Opinion) -> bool:
    verdicts = {ours.dmarc, theirs.dmarc} == {"pass", "fail"}
    return method == "dmarc" and verdicts and (ours.dkim, ours.spf) != (theirs.dkim, theirs.spf)


def ours(cases: Sequence[Case]) -> list[Opinion]:
    return [_our(found) for found in asyncio.run(_authenticated(cases))]


async def _authenticated(cases: Sequence[Case]) -> list[Authentication]:
    room = asyncio.Semaphore(AT_ONCE)
    async with Validator() as resolver:

        async def one(case: Case) -> Authentication:
            async with room:
                means = Means(resolver, signatures, "mx.us.example")
                origin = Origin(case.address, case.helo, case.sender)
                return await authenticate(case.content, origin, means, datetime.now(UTC))

        return await asyncio.gather(*map(one, cases))


def _our(found: Authentication) -> Opinion:
    signatures = {(CLASSES.get(one.result, "error"), one.domain, one.selector) for one in found.dkim}
    dmarc = found.dmarc
    policy = dmarc.wish.value if dmarc.result in (Result.PASS, Result.FAIL) else ""
    words = tuple(sorted(word for word, *_ in signatures))
    return Opinion(words, found.mail.result.value, dmarc.result.value, policy, found.arc.result.value)


def rspamds(cases: Sequence[Case], port: int) -> Iterator[Opinion]:
    for case in cases:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"IP": case.address, "Helo": case.helo, "From": case.sender, "Rcpt": "user1@us.example"}
        connection.request("POST", "/checkv2", case.content, headers)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        yield _rspamds({name: symbol.get("options", []) for name, symbol in answer["symbols"].items()})


def _rspamds(symbols: Mapping[str, list[str]]) -> Opinion:
    def word(words: Mapping[str, str]) -> str:
        return next((said for name, said in words.items() if name in symbols), NOTHING)

    dkim = tuple(sorted(said for name, said in DKIM.items() for _ in symbols.get(name, [])))
    # R_DKIM_NA has no options; DMARC's symbols have the policy as their second
    policy = next((symbols[name][1] for name in DMARC if len(symbols.get(name, [])) > 1), "")
    return Opinion(dkim, word(SPF), word(DMARC), policy, word(ARC))
