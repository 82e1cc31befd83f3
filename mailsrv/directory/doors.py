"""The directory's doors for the protocols: what SMTP and IMAP ask for in their own words (their `door` and `login`).

    SmtpLogins(logins, settings.auth.mechanisms)      mechanisms(client), login(client, mechanism)
    ImapLogins(logins, settings.auth.mechanisms)      mechanisms(peer), begin(mechanism, peer), password(name, word, peer)

Fails by: `Later`, as the doors have it; a login that fails tells no more than the protocol's one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from dnsops.base.errors import Later
from dnsops.base.secrets import Secret
from mailsrv.directory.passwords import Granted, Logins
from mailsrv.directory.sasl.binding import binding
from mailsrv.directory.sasl.door import Binding, Challenge, Done, Failed, Why
from mailsrv.directory.sasl.exchange import Answers, CheckToken, Exchange, Offer, begin, offer
from mailsrv.imap import login as imap
from mailsrv.smtp import door as smtp
from mailsrv.smtp.replies import Reply

MALFORMED = Reply(501, "5.5.2", "that is not what this mechanism sends")
TOO_LONG = Reply(501, "5.5.4", "name, password or token is longer than we take")
_REPLIES = {Why.MALFORMED: MALFORMED, Why.TOO_LONG: TOO_LONG}


@dataclass(frozen=True)
class SmtpLogins:
    """For submission. plaintext_allowed: passwords without TLS, as `mailsrv try` does on loopback."""

    logins: Logins
    configured: Sequence[str]
    plaintext_allowed: bool = False
    check_token: CheckToken | None = None

    def mechanisms(self, client: smtp.Client) -> tuple[str, ...]:
        return self._offer(client).mechanisms

    def login(self, client: smtp.Client, mechanism: str) -> smtp.Login | None:
        exchange = begin(mechanism, self._offer(client), Answers(self.logins, client.address, self.check_token))
        return SmtpLogin(exchange) if exchange else None

    def _offer(self, client: smtp.Client) -> Offer:
        return offer(
            self.configured,
            self.logins,
            tls=client.tls is not None,
            plaintext_allowed=self.plaintext_allowed,
            binding=Binding(client.tls.bindings) if client.tls else None,
            tokens=self.check_token is not None,
        )


@dataclass
class SmtpLogin:
    """One AUTH."""

    exchange: Exchange
    begun: bool = False

    async def step(self, response: bytes | None) -> smtp.Challenge | smtp.LoggedIn | smtp.Rejected:
        said = await (self.exchange.step(response or b"") if self.begun else self.exchange.start(response))
        self.begun = True
        match said:
            case Challenge(data):
                return smtp.Challenge(data)
            case Done(account):
                return smtp.LoggedIn(account.name)
        return smtp.Rejected(_REPLIES.get(_why(said)))


@dataclass(frozen=True)
class ImapLogins:
    """For reading mail."""

    logins: Logins
    configured: Sequence[str]
    plaintext_allowed: bool = False
    check_token: CheckToken | None = None

    def mechanisms(self, peer: imap.Peer) -> tuple[str, ...]:
        return self._offer(peer).mechanisms

    def begin(self, mechanism: str, peer: imap.Peer) -> imap.Dialogue | None:
        exchange = begin(mechanism, self._offer(peer), Answers(self.logins, peer.address, self.check_token))
        return ImapDialogue(exchange) if exchange else None

    async def password(self, name: str, password: Secret, peer: imap.Peer) -> str | None:
        given = password.reveal().encode(errors="surrogateescape")
        verdict = await self.logins.check(name, given, peer.address)
        return verdict.account.name if isinstance(verdict, Granted) else None

    def _offer(self, peer: imap.Peer) -> Offer:
        return offer(
            self.configured,
            self.logins,
            tls=peer.secure,
            plaintext_allowed=self.plaintext_allowed,
            binding=binding(peer.end_point, peer.exporter),
            tokens=self.check_token is not None,
        )


@dataclass
class ImapDialogue:
    """One AUTHENTICATE. No mechanism of ours begins with an empty response, so an empty first step is none."""

    exchange: Exchange
    begun: bool = False

    async def step(self, data: bytes) -> imap.Answer:
        said = await (self.exchange.step(data) if self.begun else self.exchange.start(data or None))
        self.begun = True
        match said:
            case Challenge(data):
                return imap.Challenge(data)
            case Done(account):
                return imap.Granted(account.name)
        _why(said)
        return imap.Denied()


def _why(failed: Failed) -> Why:
    """Why it failed; not now is no verdict."""
    if failed.why is Why.LATER:
        raise Later(failed.why.value, timedelta(seconds=failed.after))
    return failed.why
