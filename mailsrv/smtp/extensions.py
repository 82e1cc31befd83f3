"""What EHLO offers: exactly what is meant. Pure.

Standards: RFC 5321 4.1.1.1, and for each extension the one that stands beside it in the table.
Fails by: nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mailsrv.smtp.limits import Limits
from mailsrv.smtp.replies import Reply


@lru_cache(maxsize=64)
def offer(
    hostname: str, limits: Limits, encrypted: bool = False, starttls: bool = False, login: Sequence[str] = ()
) -> Reply:
    """The answer to EHLO. `starttls`: we have a certificate; `login`: mechanisms that may be used now."""
    table = (
        ("PIPELINING", True),  # RFC 2920
        (f"SIZE {limits.message}", True),  # RFC 1870
        ("8BITMIME", True),  # RFC 6152
        ("SMTPUTF8", True),  # RFC 6531
        ("ENHANCEDSTATUSCODES", True),  # RFC 2034
        ("CHUNKING", True),  # RFC 3030, without BINARYMIME
        ("DSN", True),  # RFC 3461
        ("STARTTLS", starttls and not encrypted),  # RFC 3207
        ("REQUIRETLS", encrypted),  # RFC 8689 2: only inside TLS
        (f"AUTH {' '.join(login)}", bool(login)),  # RFC 4954
        (f"LIMITS MAILMAX={limits.messages} RCPTMAX={limits.recipients}", True),  # RFC 9422
    )
    return Reply(250, "", "\n".join([hostname, *(keyword for keyword, offered in table if offered)]))
