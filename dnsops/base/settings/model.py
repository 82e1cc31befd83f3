"""Every setting of the house: its type, default, one sentence and an example. Pure.

From this one declaration come the errors, `config schema`, `config example` and the reference chapter; nothing about a
setting is written down elsewhere. Settings of parts that come with later issues are declared and checked here already,
because one file is for the whole house (DESIGN 3). What spans several settings is in `rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.acme import Acme
from dnsops.base.settings.backup import Backup
from dnsops.base.settings.checks import Checks
from dnsops.base.settings.dkim import Dkim
from dnsops.base.settings.inbound import Inbound
from dnsops.base.settings.mailserver import (
    Account,
    Admin,
    Alias,
    Auth,
    Group,
    ImapRules,
    Limits,
    Listeners,
    Queue,
    Tls,
)
from dnsops.base.settings.records import Records
from dnsops.base.settings.reports import Reports
from dnsops.base.settings.section import FilePath, Port, SecretPath, Section, Text, Ttl
from dnsops.base.settings.spam import Echo, Spam, Srs
from dnsops.base.settings.transport import Transport
from dnsops.base.settings.web import Web
from dnsops.base.settings.words import (
    ONE_OR_MANY,
    Address,
    Duration,
    Form,
    Forwarder,
    HostName,
    MailAddress,
    SecretText,
    Source,
    WebAddress,
)


class Dns(Section):
    """Who holds the zones, and how to write there."""

    provider: Literal["cloudflare", "rfc2136", "zonefile", "octodns"] = Field(
        description="Who holds the zone.", examples=["cloudflare"]
    )
    token: SecretText | None = Field(
        default=None,
        description="Cloudflare: an API token with Zone:Read and DNS:Edit; without it TOKEN or CLOUDFLARE_API_TOKEN of the environment.",
        examples=["!file /etc/mailsrv/cloudflare-token"],
    )
    server: Text | None = Field(
        default=None,
        description="RFC 2136: the primary server that takes updates, HOST or ADDRESS, with #PORT unless it is 53.",
        examples=["ns1.example.org"],
    )
    key_file: SecretPath | None = Field(
        default=None,
        description="RFC 2136: the file of the TSIG key, as tsig-keygen writes it.",
        examples=["/etc/mailsrv/tsig.key"],
    )
    path: FilePath | None = Field(
        default=None,
        description="zonefile: the zone file to keep, or a directory with a file ZONE.zone for each zone.",
        examples=["/var/lib/knot/example.org.zone"],
    )
    config: FilePath | None = Field(
        default=None,
        description="octodns: octoDNS's own configuration, which has providers with their options, and zones.",
        examples=["/etc/octodns/production.yaml"],
    )
    name: Text | None = Field(
        default=None, description="octodns: which provider of that file holds the zones.", examples=["route53"]
    )
    ttl: Ttl = Field(
        default=300,
        description="The TTL of our records, in seconds; caches are waited for twice as long.",
        examples=[300],
    )


class Target(Section):
    """A host whose ports shall have true TLSA records."""

    host: HostName = Field(description="The host's name, as the MX record names it.", examples=["mx1.example.org"])
    ports: Annotated[tuple[Port, ...], ONE_OR_MANY] = Field(
        default=(25,), description="Its ports.", examples=[[25, 465]], min_length=1
    )
    sources: Annotated[tuple[Source, ...], ONE_OR_MANY] = Field(
        default=("mailsrv:",),
        description="Where its certificates come from, KIND:PLACE.",
        examples=[["certbot:mx1.example.org"]],
        min_length=1,
    )
    next_sources: Annotated[tuple[Source, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Where certificates that will be served later lie, to be announced before.",
        examples=[["pem:/etc/ssl/next.pem"]],
    )
    credential: SecretText | None = Field(
        default=None,
        description="What the source's management API asks for: a token, or USER:PASSWORD.",
        examples=["!file /etc/mailsrv/stalwart"],
    )
    dns: Dns | None = Field(
        default=None, description="Who holds this host's zone, when it is not the provider of `dns`."
    )
    ttl: Ttl | None = Field(
        default=None, description="The TTL of its records, in seconds, when not that of `dns`.", examples=[300]
    )
    forms: Annotated[tuple[Form, ...], ONE_OR_MANY] = Field(
        default=("3 1 1",),
        description="The records for each key: usage, selector, matching type.",
        examples=[["3 1 1"]],
        min_length=1,
    )
    reload: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(),
        description="The command, word by word and without a shell, after which the server shows a new key.",
        examples=[["systemctl", "reload", "postfix"]],
    )
    probe: bool = Field(default=True, description="Whether to look at what the port really shows.", examples=[True])
    addresses: Annotated[tuple[Address, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Where to probe, instead of the addresses that the DNS has for the host.",
        examples=[["127.0.0.1"]],
    )


class Tlsa(Section):
    """DANE: the records that say which key a port shows."""

    targets: tuple[Target, ...] = Field(
        default=(), description="The hosts to keep true; without any, `hostname` at the ports of `records.tlsa_ports`."
    )
    allow_insecure: bool = Field(
        default=False,
        description="Whether to publish in zones without DNSSEC, where TLSA does nothing.",
        examples=[False],
    )


class Resolver(Section):
    """Who validates DNSSEC for us."""

    mode: Literal["auto", "libunbound", "ad"] = Field(
        default="auto",
        description="libunbound, or the AD bit of a resolver on loopback; auto takes the first that is there.",
        examples=["auto"],
    )
    trust_anchor: FilePath | None = Field(
        default=None,
        description="The root's DS or DNSKEY records, instead of those shipped.",
        examples=["/etc/mailsrv/root.key"],
    )
    root_hints: FilePath | None = Field(
        default=None, description="The root's servers, instead of those built in.", examples=["/etc/mailsrv/root.hints"]
    )
    forward: Annotated[tuple[Forwarder, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Resolvers to ask instead of the authorities, ADDRESS or ADDRESS@PORT.",
        examples=[["127.0.0.1@53"]],
        max_length=16,
    )


class State(Section):
    """What we remember between runs."""

    directory: FilePath | None = Field(
        default=None,
        description="Where state lives; /var/lib/mailsrv for root, ~/.local/state/mailsrv for others.",
        examples=["/var/lib/mailsrv"],
    )


class Alert(Section):
    """Whom to tell when a job begins to fail, or is well again: once per change."""

    command: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(),
        description="A command, word by word and without a shell; it reads a JSON object on stdin.",
        examples=[["/usr/local/bin/tell-me"]],
    )
    mail: Annotated[tuple[MailAddress, ...], ONE_OR_MANY] = Field(
        default=(), description="Mail addresses.", examples=[["user1@example.org"]]
    )
    webhook: WebAddress | None = Field(
        default=None, description="An address that a JSON object is posted to.", examples=["https://example.org/hook"]
    )
    sender: MailAddress | None = Field(
        default=None,
        alias="from",
        description="The sender of alert mails; mailsrv@HOSTNAME unless given.",
        examples=["mailsrv@example.org"],
    )
    smtp: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\[\]:\s]+)(:[0-9]{1,5})?$")] = Field(
        default="localhost:25",
        description="The server that takes alert mails, HOST or HOST:PORT.",
        examples=["localhost:25"],
    )


class Job(Section):
    """When a job runs, where it differs from the table of `mailsrv timers list`."""

    every: Duration | None = Field(default=None, description="The time between two runs.", examples=["5min"])
    after_boot: Duration | None = Field(
        default=None, description="The time from the machine's start to the first run.", examples=["2min"]
    )
    jitter: Duration | None = Field(
        default=None, description="How far a run may be delayed at random.", examples=["30s"]
    )
    enabled: bool = Field(default=True, description="Whether it runs by itself at all.", examples=[True])


class Timers(Section):
    """What happens by itself."""

    run: bool = Field(
        default=True, description="Whether `mailsrv serve` starts the timers as its child.", examples=[True]
    )
    jobs: dict[str, Job] = Field(
        default={}, description="Changes to single jobs, by their names.", examples=[{"tlsa": {"every": "5min"}}]
    )


class LogLines(Section):
    """What we write about ourselves."""

    format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="text for people, json for programs; auto looks whether a terminal reads it.",
        examples=["auto"],
    )


class Settings(Section):
    """The configuration of mailsrv."""

    version: Annotated[int, Field(ge=1)] = Field(
        default=1,
        description="The version of this file's form; an older one is read as it was meant, and `mailsrv config migrate` brings it up to date.",
        examples=[2],
    )
    hostname: HostName = Field(
        description="The name of the mail host, as MX records name it.", examples=["mx1.example.org"]
    )
    domains: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(), description="The domains whose mail comes here.", examples=[["example.org"]]
    )
    dns: Dns | None = Field(default=None, description="Who holds the zones, and how to write there.")
    records: Records = Field(default=Records(), description="What DNS shall say about our host and domains.")
    acme: Acme = Field(default=Acme(), description="Where certificates are issued.")
    accounts: tuple[Account, ...] = Field(default=(), description="Who has mail here; more may live in the database.")
    aliases: tuple[Alias, ...] = Field(default=(), description="Addresses whose mail goes to others.")
    groups: tuple[Group, ...] = Field(default=(), description="Several accounts under one address.")
    catch_all: dict[HostName, Text] = Field(
        default={},
        description="For a domain, the account or address that takes mail for addresses nobody has.",
        examples=[{"example.org": "user1"}],
    )
    subaddress_separator: Annotated[str, Field(pattern=r"^[-+=_.#~!]{0,4}$")] = Field(
        default="+",
        description="What may stand between an address and a tag of one's own, each character by itself; empty for none.",
        examples=["+"],
    )
    postmaster: Text | None = Field(
        default=None,
        description="The account that takes mail for postmaster and abuse where nobody has these addresses; else the one named postmaster or admin, else the first.",
        examples=["user1"],
    )
    admin: Admin | None = Field(default=None, description="A fallback administrator.")
    listeners: Listeners = Field(default=Listeners(), description="The ports of the mail server.")
    tls: Tls = Field(default=Tls(), description="The certificate that the mail server shows.")
    limits: Limits = Field(default=Limits(), description="How much of the server anyone may have.")
    user: Text | None = Field(
        default=None,
        description="Whom `mailsrv serve` becomes when root starts it; `mailsrv` unless given, where there is such a user.",
        examples=["mailsrv"],
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="How many processes serve the ports.", examples=[1]
    )
    auth: Auth = Field(default=Auth(), description="How users prove who they are.")
    imap: ImapRules = Field(default=ImapRules(), description="Reading mail.")
    inbound: Inbound = Field(default=Inbound(), description="Mail from elsewhere, and what its origin means for it.")
    queue: Queue = Field(default=Queue(), description="Mail that leaves.")
    spam: Spam = Field(default=Spam(), description="Whose advice is taken on whether mail is wanted.")
    echo: Echo = Field(default=Echo(), description="Addresses that answer with what we saw of a mail.")
    srs: Srs = Field(default=Srs(), description="Sender addresses of mail that an alias sends on elsewhere.")
    web: Web = Field(default=Web(), description="What the server shows on the web.")
    transport: Transport = Field(default=Transport(), description="How mail to other servers is encrypted.")
    tlsa: Tlsa = Field(default=Tlsa(), description="DANE: the records that say which key a port shows.")
    dkim: Dkim = Field(default=Dkim(), description="DKIM: the signatures of our mail, and the keys that verify them.")
    resolver: Resolver = Field(default=Resolver(), description="Who validates DNSSEC for us.")
    reports: Reports = Field(default=Reports(), description="DMARC and TLS reports, both ways.")
    checks: Checks = Field(default=Checks(), description="What `mailsrv check` asks, and how long it may take.")
    backup: Backup = Field(
        default=Backup(), description="Backups: where they lie, who can read them, how many are kept."
    )
    state: State = Field(default=State(), description="What we remember between runs.")
    alert: Alert = Field(default=Alert(), description="Whom to tell when a job begins to fail.")
    timers: Timers = Field(default=Timers(), description="What happens by itself.")
    log: LogLines = Field(default=LogLines(), description="What we write about ourselves.")

    @property
    def targets(self) -> tuple[Target, ...]:
        """The TLSA targets in effect."""
        if self.tlsa.targets or not self.records.tlsa_ports:
            return self.tlsa.targets
        return (Target(host=self.hostname, ports=self.records.tlsa_ports),)

    @property
    def signing_domains(self) -> tuple[str, ...]:
        """The domains whose mail we sign."""
        return (self.dkim.domains or self.domains) if self.dkim.sign else ()
