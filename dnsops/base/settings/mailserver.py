"""The settings of the mail server itself: accounts, addresses, listeners, logging in, the queue. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.section import FilePath, Port, SecretPath, Section, Text
from dnsops.base.settings.words import (
    ONE_OR_MANY,
    Address,
    Duration,
    MailAddress,
    Network,
    PasswordHash,
    SecretText,
)

Day = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]

Size = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,8} ?[KMGT]?(i?B)?$")]


class AppPassword(Section):
    """A password of its own for one program or device, to be taken back alone."""

    name: Text = Field(description="What it is for.", examples=["phone"])
    password: SecretText | None = Field(
        default=None, description="The password.", examples=["!file /etc/mailsrv/pw1-phone"]
    )
    password_hash: PasswordHash | None = Field(
        default=None,
        description="Instead of the password its hash; `mailsrv account hash --app` makes both.",
        examples=["{SSHA512}RmlmdHkgYnl0ZXMgb2YgYSBkaWdlc3QgYW5kIGl0cyBzYWx0"],
    )
    expires: Day | None = Field(
        default=None, description="The last day (UTC) on which it is taken.", examples=["2030-12-31"]
    )


class Account(Section):
    """A person or program that reads and sends mail."""

    name: Text = Field(description="The name to log in with.", examples=["user1"])
    password: SecretText | None = Field(default=None, description="The password.", examples=["!file /etc/mailsrv/pw1"])
    password_hash: PasswordHash | None = Field(
        default=None,
        description="Instead of the password its hash: argon2id, {SHA512-CRYPT}, bcrypt and others as Dovecot and Stalwart write them.",
        examples=["$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"],
    )
    scram_keys: PasswordHash | None = Field(
        default=None,
        description="SCRAM keys of the same password, for SCRAM beside a password_hash; `password` alone needs none.",
        examples=["{SCRAM-SHA-256}4096,c2FsdHNhbHQ=,c3RvcmVk,c2VydmVy"],
    )
    app_passwords: tuple[AppPassword, ...] = Field(
        default=(), description="Further passwords, one for each program or device.", max_length=16
    )
    quota: Size | None = Field(
        default=None, description="How much mail it may keep; without end unless given.", examples=["10 GiB"]
    )
    enabled: bool = Field(
        default=True, description="Whether one may log in; mail is taken all the same.", examples=[True]
    )
    addresses: Annotated[tuple[MailAddress, ...], ONE_OR_MANY] = Field(
        description="Its mail addresses: the first is the main one, the rest are aliases.",
        examples=[["user1@example.org", "user1real@example.org"]],
        min_length=1,
    )
    may_send_as: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Patterns of further sender addresses; one's own addresses and their subaddresses are allowed anyway.",
        examples=[["user1+*@example.org"]],
        max_length=100,
    )


class Alias(Section):
    """An address whose mail goes to others."""

    address: MailAddress = Field(description="The address.", examples=["info@example.org"])
    to: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        description="Names of accounts, addresses here, or addresses elsewhere.",
        examples=[["user1", "partner@example.net"]],
        min_length=1,
        max_length=1000,
    )


class Group(Section):
    """Several accounts under one address."""

    address: MailAddress = Field(description="The address.", examples=["team@example.org"])
    members: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        description="Names of accounts.", examples=[["user1", "postmaster"]], min_length=1, max_length=1000
    )
    members_may_send: bool = Field(
        default=False, description="Whether each member may send as the group.", examples=[True]
    )


class Admin(Section):
    """A fallback administrator, for when the directory of accounts cannot be read."""

    name: Text = Field(default="admin", description="The name to log in with.", examples=["admin"])
    password: SecretText | None = Field(
        default=None, description="The password.", examples=["!file /etc/mailsrv/admin"]
    )
    password_hash: PasswordHash | None = Field(
        default=None,
        description="Instead of the password its hash.",
        examples=["$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaA"],
    )


class Listener(Section):
    """A port that the server listens on."""

    port: Port = Field(description="The TCP port.", examples=[993])
    bind: Annotated[tuple[Address, ...], ONE_OR_MANY] = Field(
        default=("::", "0.0.0.0"), description="The addresses to listen on.", examples=[["192.0.2.25", "2001:db8::25"]]
    )
    implicit_tls: bool = Field(
        default=False, description="TLS from the first byte instead of STARTTLS.", examples=[True]
    )
    enabled: bool = Field(default=True, description="Whether to listen at all.", examples=[True])


class Smtp(Listener):
    port: Port = Field(default=25, description="The TCP port.", examples=[25])


class Submission(Listener):
    port: Port = Field(default=587, description="The TCP port.", examples=[587])


class Submissions(Listener):
    port: Port = Field(default=465, description="The TCP port.", examples=[465])
    implicit_tls: bool = Field(
        default=True, description="TLS from the first byte instead of STARTTLS.", examples=[True]
    )


class Imap(Listener):
    port: Port = Field(default=143, description="The TCP port.", examples=[143])


class Imaps(Listener):
    port: Port = Field(default=993, description="The TCP port.", examples=[993])
    implicit_tls: bool = Field(
        default=True, description="TLS from the first byte instead of STARTTLS.", examples=[True]
    )


class Http(Listener):
    port: Port = Field(default=8080, description="The TCP port.", examples=[8080])
    bind: Annotated[tuple[Address, ...], ONE_OR_MANY] = Field(
        default=("127.0.0.1", "::1"),
        description="The addresses to listen on; management stays on loopback.",
        examples=[["127.0.0.1"]],
    )


class Https(Listener):
    port: Port = Field(default=443, description="The TCP port.", examples=[443])
    implicit_tls: bool = Field(
        default=True, description="TLS from the first byte; off only for a proxy in front.", examples=[True]
    )


class Web(Listener):
    port: Port = Field(default=80, description="The TCP port.", examples=[80])


class Listeners(Section):
    """The ports of the mail server."""

    smtp: Smtp = Field(default=Smtp(), description="Mail from other servers.")
    submissions: Submissions = Field(default=Submissions(), description="Mail from our users, TLS from the first byte.")
    submission: Submission = Field(default=Submission(), description="Mail from our users, STARTTLS.")
    imaps: Imaps = Field(default=Imaps(), description="Reading mail, TLS from the first byte.")
    imap: Imap = Field(default=Imap(), description="Reading mail, STARTTLS.")
    http: Http = Field(default=Http(), description="Management: health and figures.")
    https: Https = Field(
        default=Https(),
        description="What the records of our domains point to: MTA-STS policy, set-up for mail programs. Mail goes on where the port is another's.",
    )
    web: Web = Field(
        default=Web(),
        description="The same for proxies that `web.trusted_proxies` lists; for all others http-01 answers, and the way to https.",
    )
    proxies: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Peers on the SMTP ports that must begin with a PROXY header (HAProxy, version 1 or 2), and are believed.",
        examples=[["192.0.2.80"]],
        max_length=100,
    )


class Tls(Section):
    """The certificate that the mail server shows, when it is not the one that mailsrv itself keeps."""

    certificate: FilePath | None = Field(
        default=None,
        description="A PEM file, the host's certificate first; read again when it changes. Unless given, the current pair of `mailsrv cert show`.",
        examples=["/etc/ssl/mx1.example.org/fullchain.pem"],
    )
    key: SecretPath | None = Field(
        default=None,
        description="The PEM file of its private key.",
        examples=["/etc/ssl/mx1.example.org/privkey.pem"],
    )


Count = Annotated[int, Field(ge=1, le=10_000_000)]


class Limits(Section):
    """How much of the server one message, one peer and everyone together may have."""

    message_size: Size = Field(default="50 MiB", description="The largest message.", examples=["50 MiB"])
    recipients: Count = Field(default=1000, description="Recipients of one message.", examples=[1000])
    messages: Count = Field(default=100_000, description="Messages in one SMTP session.", examples=[100_000])
    connections: Count = Field(default=2000, description="SMTP connections at a time.", examples=[2000])
    per_network: Count = Field(
        default=100, description="SMTP connections at a time from one address, or one IPv6 /64.", examples=[100]
    )
    new_per_minute: Count = Field(
        default=300, description="New SMTP connections in a minute from one address, or one IPv6 /64.", examples=[300]
    )
    recipients_per_hour: Count = Field(
        default=2000, description="Recipients that one account writes to in an hour.", examples=[2000]
    )
    session_time: Duration = Field(
        default=timedelta(hours=4), description="How long an SMTP session may last.", examples=["4h"]
    )
    exempt: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks that the limits by network do not hold for.",
        examples=[["127.0.0.0/8", "192.0.2.0/24"]],
    )
    imap_connections: Count = Field(default=10_000, description="IMAP connections at a time.", examples=[10_000])
    imap_per_account: Count = Field(
        default=500, description="IMAP connections at a time of one account.", examples=[500]
    )


Mechanism = Literal[
    "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN", "LOGIN", "OAUTHBEARER"
]


class Auth(Section):
    """How users prove who they are, and whom they may write as."""

    mechanisms: Annotated[tuple[Mechanism, ...], ONE_OR_MANY] = Field(
        default=("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "PLAIN", "LOGIN"),
        description="The SASL mechanisms on offer.",
        examples=[["SCRAM-SHA-256", "PLAIN"]],
    )
    must_match_sender: bool = Field(
        default=True, description="Whether a user may send only as addresses that are theirs.", examples=[True]
    )


class ImapRules(Section):
    """Reading mail."""

    allow_plaintext_auth: bool = Field(
        default=False, description="Whether to accept passwords without TLS.", examples=[False]
    )


class Queue(Section):
    """Mail that leaves."""

    next_hop: Text | None = Field(
        default=None,
        description="Where mail for others goes: to their MX unless given; `local` keeps everything here.",
        examples=["local"],
    )
    bind: Annotated[tuple[Address, ...], ONE_OR_MANY] = Field(
        default=(),
        description="The addresses that mail leaves from, one of each family: those that SPF and the reverse name know.",
        examples=[["192.0.2.25", "2001:db8::25"]],
        max_length=2,
    )
    user: Text | None = Field(
        default=None, description="The name to log in with at the next hop.", examples=["relay@example.net"]
    )
    password: SecretText | None = Field(
        default=None, description="Its password; given only over TLS.", examples=["!file /etc/mailsrv/relay"]
    )
