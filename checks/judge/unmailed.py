"""The findings of a domain without mail hosts: one row of words and statuses for each state of its MX (reference 3). Pure.

Fails by: nothing.
"""

from __future__ import annotations

from checks.catalogue import by_id
from checks.finding import Finding, Status
from checks.judge.mx import MxState

# state -> status, whether it is capped no more, and the verdict of mx_aaaa, dnssec_mx_exists and starttls_exists
ROWS: dict[MxState, tuple[Status, bool, tuple[str, str, str]]] = {
    MxState.NO_MX: (Status.NOT_TESTED, False, ("other", "no-mailservers", "other-2")),
    MxState.NULL_MX: (Status.NOT_TESTED, False, ("null-mx",) * 3),
    MxState.NULL_MX_WITH_OTHER: (Status.NOTICE, True, ("null-mx-with-other-mx",) * 3),
    MxState.NULL_MX_WITHOUT_ADDRESS: (Status.INFO, True, ("null-mx-without-a-aaaa",) * 3),
}
PLACES = {"mx_aaaa": 0, "dnssec_mx_exists": 1, "starttls_exists": 2}
SENTENCES = {
    MxState.NO_MX: "the domain has no MX record",
    MxState.NULL_MX: "the domain takes no mail and says so (null MX)",
    MxState.NULL_MX_WITH_OTHER: "a null MX stands beside other MX records",
    MxState.NULL_MX_WITHOUT_ADDRESS: "a null MX at a name without address is not needed",
}


def finding(name: str, state: MxState, strict: str = "") -> Finding:
    """Of one of PLACES. strict: what is wrong all the same, as `mx.hint` says it."""
    status, override, verdicts = ROWS[state]
    subtest = by_id(name)
    return subtest.finding(
        status,
        verdicts[PLACES[name]],
        0 if name == "starttls_exists" else None,
        worst=subtest.initial,
        override=override,
        details=(SENTENCES[state],),
        strict=Status.NOTICE if strict else None,
        strict_details=(strict,) if strict else (),
        fix="Keep the null MX alone, or the others." if state is MxState.NULL_MX_WITH_OTHER else "",
    )
