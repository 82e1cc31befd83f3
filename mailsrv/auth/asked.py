"""Whether an answer of the DNS is one: what every check here asks first. Pure.

Promise P-28: bogus, refused or silent is never "there is none". Fails by: nothing.
"""

from __future__ import annotations

from dnsops.resolve.answer import Answer, Security


def unknown(answer: Answer) -> bool:
    """Whether what was asked cannot be known now; else `items` is all there is, be it nothing."""
    return answer.security in (Security.BOGUS, Security.FAILED) or answer.rcode not in ("NOERROR", "NXDOMAIN")
