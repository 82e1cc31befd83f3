"""The decision for one hop, from all that is known about it. Pure.

    TLSA that can be matched ─────────> dane: one of them must match, whatever MTA-STS says (RFC 8461 2)
    MTA-STS enforce, host listed ─────> mta-sts: a certificate for the host       not listed ──> not this host
    MTA-STS testing ──────────────────> testing: the same, but failures are only told
    TLSA, none of which can be matched ──> encrypt (RFC 7672 2.2)
    else ─────────────────────────────> opportunistic
    the administrator's word for a domain (`transport.domains`) goes before all of this

Fails by: `No`, a value: why this host must not have the mail now.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from dnsops.records.txt.mtasts import Mode, Sts
from mailsrv.transport.dane import Dane, NoDane, texts
from mailsrv.transport.found import Found
from mailsrv.transport.host import Host
from mailsrv.transport.outcome import PolicyType, Trouble
from mailsrv.transport.policy import OPPORTUNISTIC, Policy


class Rule(Enum):
    """The administrator's word for a domain; the value is that of the setting."""

    REQUIRE = "require"  # proven by DANE or MTA-STS, or not at all
    DANE = "dane"
    ENCRYPT = "encrypt"
    OPPORTUNISTIC = "opportunistic"


@dataclass(frozen=True, slots=True)
class No:
    """Not to this host, not now. `policy` is the one that says so, as the TLS report wants it."""

    why: str
    policy: Policy


def decide(host: Host, dane: Dane | NoDane, found: Found, rule: Rule | None = None) -> Policy | No:
    """What the hop asks of TLS."""
    if rule is Rule.OPPORTUNISTIC:
        return replace(OPPORTUNISTIC, why="the configuration asks for no more")
    if isinstance(dane, Dane) and dane.usable:
        return of_dane(dane)
    if rule is Rule.DANE:
        return No(f"{host.name}: the configuration wants DANE, and there is none ({_without(dane)})", _LACKING)
    decided = _of_sts(host, found.sts) if found.sts is not None else None
    if decided is None and isinstance(dane, Dane):
        decided = _unmatchable(dane)
    decided = decided or _without_any(found)
    if isinstance(decided, No) or rule is None:
        return decided
    return _stricter(host, decided, rule)


def of_dane(dane: Dane) -> Policy:
    """One of these keys."""
    return Policy(
        must_encrypt=True,
        must_verify=True,
        why=f"the keys in the TLSA records of {dane.base}",
        name="dane",
        tlsa=dane.usable,
        server_name=dane.base,
        names=dane.names,
        type=PolicyType.TLSA,
        strings=texts(dane.found),
    )


def _of_sts(host: Host, sts: Sts) -> Policy | No | None:
    """None: the policy is that there is none (mode none)."""
    policy = Policy(
        must_encrypt=True,
        must_verify=True,
        why="the MTA-STS policy",
        name="mta-sts",
        type=PolicyType.STS,
        strings=sts.lines,
        mx_patterns=sts.mx,
    )
    missing = f"{host.name} is none of the hosts in the MTA-STS policy"
    if sts.mode is Mode.NONE:
        return None
    if sts.mode is Mode.ENFORCE:
        wrong = replace(policy, trouble=Trouble.VALIDATION_FAILURE, details=missing)
        return policy if sts.covers(host.name) else No(missing, wrong)
    testing = replace(policy, name="testing", why="the MTA-STS policy, which is in testing", soft=True)
    if sts.covers(host.name):
        return testing
    return replace(testing, must_encrypt=False, must_verify=False, trouble=Trouble.VALIDATION_FAILURE, details=missing)


def _unmatchable(dane: Dane) -> Policy:
    """RFC 7672 2.2: there are records, so there is TLS; but none of them says with whom."""
    return Policy(
        must_encrypt=True,
        why=f"{dane.base} has TLSA records, none of which can be matched",
        name="encrypt",
        server_name=dane.base,
        type=PolicyType.TLSA,
        strings=texts(dane.found),
        trouble=Trouble.TLSA_INVALID,
        details="none of the TLSA records can be matched",
    )


def _without_any(found: Found) -> Policy:
    if found.fault is None:
        return OPPORTUNISTIC
    return replace(OPPORTUNISTIC, type=PolicyType.STS, trouble=found.fault.trouble, details=found.fault.details)


def _stricter(host: Host, policy: Policy, rule: Rule) -> Policy | No:
    """The administrator wants more than the domain does."""
    if rule is Rule.ENCRYPT:
        return replace(
            policy.firm if policy.must_verify else policy, must_encrypt=True, soft=False, name=_stronger(policy)
        )
    if policy.must_verify:
        return policy.firm
    return No(f"{host.name}: the configuration wants it proven by DANE or MTA-STS, and neither is there", _UNPROVEN)


def _stronger(policy: Policy) -> str:
    return policy.firm.name if policy.must_verify else "encrypt"


def _without(dane: Dane | NoDane) -> str:
    return dane.why if isinstance(dane, NoDane) else "none of its TLSA records can be matched"


# RFC 8460 4.3.2.1 has one word for both
_LACKING = Policy(
    name="dane", type=PolicyType.TLSA, trouble=Trouble.DANE_REQUIRED, details="DANE is required here, and there is none"
)
_UNPROVEN = replace(_LACKING, name="require", details="proof by DANE or MTA-STS is required here, and there is none")
