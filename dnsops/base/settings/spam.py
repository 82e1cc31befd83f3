"""The settings of what is wanted and what is not: lists, greylisting, scanners; echo addresses; forwarded senders. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.mailserver import Size
from dnsops.base.settings.section import SecretPath, Section
from dnsops.base.settings.words import ONE_OR_MANY, Duration, HostName, MailAddress, Network

_HOST_PORT = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}"
HostPort = Annotated[str, Field(pattern=rf"^{_HOST_PORT}$", max_length=300)]
SocketOrPort = Annotated[str, Field(pattern=rf"^(/[^\x00-\x1f]+|{_HOST_PORT})$", max_length=300)]
HttpAddress = Annotated[str, Field(pattern=r"^http://[!-~]+$", max_length=300)]
Score = Annotated[float, Field(ge=-1000, le=1000)]


class DnsList(Section):
    """A DNS list. Mind its terms: many serve small sites only, and none serves a public resolver."""

    zone: HostName = Field(description="The list's zone.", examples=["zen.spamhaus.org"])
    listed: Literal["junk", "refuse"] = Field(
        default="junk", description="What being on it means.", examples=["refuse"]
    )
    of: Literal["addresses", "domains"] = Field(
        default="addresses",
        description="What it lists: the addresses of clients, or the domains of senders and HELO.",
        examples=["addresses"],
    )
    codes: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=(),
        description="The answers that count, as networks; all of 127.0.0.0/8 but error codes unless given.",
        examples=[["127.0.0.2/31", "127.0.0.4/30"]],
        max_length=16,
    )


class Spam(Section):
    """Whose advice is taken on whether mail is wanted; nobody's but reputation's unless named here."""

    dnsbl: tuple[DnsList, ...] = Field(
        default=(),
        description="DNS lists to ask; none by default, for whom to trust is yours to say.",
        max_length=16,
    )
    greylist: bool = Field(
        default=False,
        description="Whether strangers' first mail must be sent twice, minutes apart.",
        examples=[False],
    )
    reputation: bool = Field(
        default=True,
        description="Whether to remember whom an account writes to and what it moves into Junk.",
        examples=[True],
    )
    rspamd: HttpAddress | None = Field(
        default=None,
        description="rspamd's normal worker; it hears all mail in the clear, so keep it near.",
        examples=["http://127.0.0.1:11333"],
    )
    spamd: HostPort | None = Field(default=None, description="SpamAssassin's spamd.", examples=["127.0.0.1:783"])
    clamd: SocketOrPort | None = Field(
        default=None,
        description="ClamAV's clamd: the path of its socket, or HOST:PORT.",
        examples=["/run/clamav/clamd.ctl"],
    )
    junk_score: Score | None = Field(
        default=None,
        description="From how many of SpamAssassin's points on mail is junk; from its own required_score on unless given.",
        examples=[5.0],
    )
    refuse_score: Score | None = Field(
        default=15.0, description="From how many of SpamAssassin's points on mail is refused.", examples=[15.0]
    )
    scan_size: Size = Field(
        default="10 MiB", description="The largest message that scanners are shown.", examples=["10 MiB"]
    )
    deadline: Duration = Field(
        default=timedelta(seconds=10), description="How long each of them may think.", examples=["10s"]
    )
    on_failure: Literal["accept", "later"] = Field(
        default="accept",
        description="What to do with mail when a scanner gives no answer: go on without it, or let the sender try again.",
        examples=["accept"],
    )


class Echo(Section):
    """Addresses that answer with what we saw of a mail: SPF, DKIM, DMARC, TLS."""

    addresses: Annotated[tuple[MailAddress, ...], ONE_OR_MANY] = Field(
        default=(),
        description="The addresses that answer; none unless given.",
        examples=["echo@example.org"],
        max_length=16,
    )


class Srs(Section):
    """Sender addresses of mail that an alias sends on elsewhere, rewritten so that its SPF passes there."""

    enabled: bool = Field(default=True, description="Whether to rewrite them.", examples=[True])
    domain: HostName | None = Field(
        default=None,
        description="The domain of the new addresses; that of the alias unless given.",
        examples=["example.org"],
    )
    secret: SecretPath | None = Field(
        default=None,
        description="A file of secrets, the first line the current one; made in the state directory unless given.",
        examples=["/etc/mailsrv/srs"],
    )
