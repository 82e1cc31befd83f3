"""Whether a message may be answered by a machine at all, and how often. Pure.

    never     <> and addresses of machines; what machines, lists or bulk mailers sent; ourselves; what was answered lately
    only      when the envelope sender is proven: by SPF, or by DMARC of the same organization

Standard: RFC 3834 2 (when not to answer), 3.1.8 (loops), 4 (where to: the envelope sender). S-BAK-04: a forged sender would
get the answer, and we would be the ones who sent it.
Limits: one answer an hour for a sender, MOST in an hour for all together; a header that was not read whole is not answered.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from dnsops.records import names
from mailsrv.auth.verdicts import Authentication, Result
from mailsrv.directory import address
from mailsrv.directory.address import Mailbox
from mailsrv.message.header import Header

HOUR = 3600.0
MOST = 1000  # answers in an hour
_MACHINES = re.compile(
    r"(mailer-daemon|listserv|majordomo|no-?reply|do-?not-?reply|bounces?|echo)([+=-].*)?"
    r"|owner-.*|.*-(request|owner|bounces?)",
    re.DOTALL,
)
_BULK = {b"bulk", b"list", b"junk"}


def why_not(
    head: Header, sender: str, echoes: Collection[str], authentication: Authentication, account: str = ""
) -> str:
    """Why there is no answer, for the log; "" when there may be one. `sender`: of the envelope.  echoes: addresses that echo.

    account: who had logged in to send it; that is proof enough.
    """
    if not sender:
        return "the null sender is never answered"
    mailbox = address.parse(sender)
    if mailbox is None or mailbox.domain.startswith("["):
        return "the sender is no address that an answer could go to"
    if not sender.isascii():
        return "an answer to the sender would need SMTPUTF8 all the way"
    if _MACHINES.fullmatch(mailbox.local.lower()) or mailbox in map(address.parse, echoes):
        return "the sender is a machine"
    return _by_header(head) or ("" if account else _unproven(mailbox, authentication))


def _by_header(head: Header) -> str:
    """RFC 3834 2, and the marks that mailers used before it."""
    if not head.complete:
        return "the header is too large to be read whole"
    submitted = [value.split(b";")[0].strip().lower() for value in head.every(b"auto-submitted")]
    if any(value != b"no" for value in submitted):
        return "a machine sent it: Auto-Submitted"
    if _BULK & {value.strip().lower() for value in head.every(b"precedence")}:
        return "bulk mail: Precedence"
    if any(name.startswith(b"list-") for name in head.fields) or b"mailing-list" in head.fields:
        return "it came by a mailing list"
    if any(name in head.fields for name in (b"x-auto-response-suppress", b"x-autoreply", b"x-autorespond", b"x-loop")):
        return "it asks for no answer of a machine"
    if any(value.strip() == b"<>" for value in head.every(b"return-path")):
        return "its Return-Path is the null sender"
    kind = head.first(b"content-type") or b""
    return "it is a report" if kind.lower().startswith(b"multipart/report") else ""


def _unproven(sender: Mailbox, authentication: Authentication) -> str:
    """Whether the envelope sender is who it says."""
    dmarc = authentication.dmarc
    if authentication.mail.result is Result.PASS and not authentication.mail.helo:
        return ""
    domain = dmarc.organizational or dmarc.domain
    if dmarc.result is Result.PASS and domain and names.under(sender.domain, domain):
        return ""
    return "nothing proves that the sender is who it says: neither SPF nor DMARC passes"


@dataclass
class Pace:
    """When whom was answered. Times are seconds of a steady clock."""

    most: int = MOST
    answered: dict[str, float] = field(default_factory=dict)

    def may(self, sender: str, now: float) -> bool:
        """Whether this sender may be answered now; if so, it counts."""
        key = str(address.parse(sender) or sender[:320].lower())
        while self.answered and now - self.answered[oldest := next(iter(self.answered))] >= HOUR:
            del self.answered[oldest]  # the first of a dict is the longest there
        if key in self.answered or len(self.answered) >= self.most:
            return False
        self.answered[key] = now
        return True
