"""S-DNS-01: bogus, refused, silent is never "there is none"."""

from __future__ import annotations

import pytest

from dnsops.resolve.answer import Answer, Security, failed
from mailsrv.auth.asked import unknown


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "NOTIMP", ""])
@pytest.mark.parametrize("security", Security)
def test_s_dns_01_what_is_an_answer(security: Security, rcode: str) -> None:
    sound = security in (Security.SECURE, Security.INSECURE) and rcode in ("NOERROR", "NXDOMAIN")
    assert unknown(Answer("a.org", "TXT", security, rcode)) is not sound


def test_s_dns_01_no_answer_is_none() -> None:
    assert unknown(failed("a.org", "TXT", "silent"))
