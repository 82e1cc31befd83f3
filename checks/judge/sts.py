"""MTA-STS: is there a record, a policy that can be had, does it name all mail hosts, and do their certificates fit? Pure.

Standard: RFC 8461 3 and 4. Fails by: nothing; what is wrong is among the details.
"""

from __future__ import annotations

from checks.catalogue import by_id
from checks.facts.domain import Facts
from checks.finding import Finding, Status
from checks.judge import mx
from dnsops.base.errors import ForUser
from dnsops.records.txt.mtasts import Mode, Sts, announced

SHORT = 86400  # seconds: a policy that is forgotten within a day protects nobody


def finding(facts: Facts) -> Finding:
    """mta_sts of the domain."""
    answer = facts.looked(f"_mta-sts.{facts.domain}", "TXT")
    if not answer.answered:
        return _told(Status.NOT_TESTED, answer.why or answer.rcode or "nobody was asked")
    if announced(answer.texts) is None:
        wrong = any(text.lower().startswith("v=sts") for text in answer.texts)
        words = "there is a record, and nobody can use it" if wrong else "there is no record"
        return _told(Status.FAIL if wrong else Status.NOTICE, words)
    return _policy(facts)


def _policy(facts: Facts) -> Finding:
    fetched = facts.beyond.sts_policy
    if fetched is None:
        return _told(Status.NOT_TESTED, "the policy was not fetched")
    if fetched.body is None:
        return _told(Status.FAIL, f"{fetched.url}: {fetched.why or 'it cannot be had'}")
    try:
        policy = Sts.parse(fetched.body.encode("utf-8", "surrogateescape"))
    except ForUser as error:
        return _told(Status.FAIL, f"{fetched.url}: {error.where}: {error.what}")
    return _judged(facts, policy, fetched.content_type)


def _judged(facts: Facts, policy: Sts, content_type: str) -> Finding:
    enforced = policy.mode is Mode.ENFORCE
    wrong = [f"{host} is not among the policy's mail hosts" for host in mx.of(facts).hosts if not policy.covers(host)]
    wrong += [
        f"{host.name}: its certificate does not fit: {host.tls.trust_why or 'the name'}"
        for host in facts.hosts
        if host.tls.chain and not (host.tls.trusted and host.tls.name_matches)
    ]
    if wrong and policy.mode is not Mode.NONE:
        return _told(Status.FAIL if enforced else Status.NOTICE, *wrong)
    remarks = [] if enforced else [f"mode: {policy.mode.value} asks for nothing"]
    if policy.max_age < SHORT:
        remarks.append(f"max_age: {policy.max_age} seconds are too few to protect")
    if content_type.partition(";")[0].strip().lower() != "text/plain":
        remarks.append(f"its content type is {content_type or 'missing'}, not text/plain")
    return _told(Status.NOTICE if remarks else Status.GOOD, *remarks)


def _told(status: Status, *details: str) -> Finding:
    verdict = {Status.GOOD: "good", Status.NOT_TESTED: "not-tested"}.get(status, "bad")
    worst = Status.NOT_TESTED if status is Status.NOT_TESTED else None
    return by_id("mta_sts").finding(status, verdict, worst=worst, details=details)
