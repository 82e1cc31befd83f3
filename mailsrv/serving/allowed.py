"""The limits of a configuration, in the words of the rooms that keep them. Pure.

Fails by: nothing; the settings were checked when they were read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mailsrv.directory.book import octets
from mailsrv.imap.limits import Limits as ImapLimits
from mailsrv.smtp.limits import Limits as SmtpLimits
from mailsrv.smtp.limits import Network

if TYPE_CHECKING:
    from dnsops.base.settings.mailserver import Limits


def smtp_limits(limits: Limits) -> SmtpLimits:
    return SmtpLimits(
        message=octets(limits.message_size) or 0,
        recipients=limits.recipients,
        messages=limits.messages,
        connections=limits.connections,
        per_network=limits.per_network,
        new_per_minute=limits.new_per_minute,
        account_per_hour=limits.recipients_per_hour,
        session_time=limits.session_time.total_seconds(),
        exempt=networks(limits.exempt),
    )


def imap_limits(limits: Limits) -> ImapLimits:
    message = octets(limits.message_size) or 0
    usual = ImapLimits()
    return ImapLimits(
        message=message,
        messages=max(usual.messages, message),
        connections=limits.imap_connections,
        sessions=limits.imap_per_account,
    )


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)
