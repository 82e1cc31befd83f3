"""The settings of the checks: whom they ask, what they trust, what they leave out. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dnsops.base.settings.section import FilePath, Section, Text
from dnsops.base.settings.words import (
    ONE_OR_MANY,
    Duration,
    Forwarder,
    HostName,
    MailAddress,
    SecretText,
    WebAddress,
    duration,
)

Door = Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\[\]:\s]+)(:[0-9]{1,5})?$", max_length=300)]


class Checks(Section):
    """What `mailsrv check` asks, and how long it may take."""

    resolver: Forwarder | None = Field(
        default=None,
        description="A validating resolver on loopback to ask, ADDRESS or ADDRESS@PORT; without it we validate ourselves.",
        examples=["127.0.0.1"],
    )
    trust: FilePath | None = Field(
        default=None,
        description="Certificates to trust beside the system's, PEM.",
        examples=["/etc/ssl/own-root.pem"],
    )
    suffixes: FilePath | None = Field(
        default=None,
        description="A public suffix list, instead of the one that came with the program.",
        examples=["/usr/share/publicsuffix/public_suffix_list.dat"],
    )
    whois: Door | None = Field(
        default=None,
        description="Who tells the routes of an address as RIPE's RISwhois does, HOST or HOST:PORT; without it routing is not tested.",
        examples=["riswhois.ripe.net:43"],
    )
    routinator: WebAddress | None = Field(
        default=None,
        description="Who tells whether a route is valid, as Routinator's /api/v1/validity does; without it routing is not tested.",
        examples=["http://127.0.0.1:8323/api/v1/validity"],
    )
    local: bool = Field(
        default=False,
        description="Whether addresses that are not global count as the Internet's: they may have routes, and policies are fetched from them.",
        examples=[False],
    )
    blocklists: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(),
        description="DNS blocklists to ask about the addresses of mail hosts; whom to trust is yours to say.",
        examples=[["zen.example.net"]],
        max_length=16,
    )
    budget: Duration = Field(
        default=duration("60s"), description="How long the check of one domain may take.", examples=["60s"]
    )
    echo: Annotated[tuple[MailAddress, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Addresses that answer every mail, for `mailsrv check echo`.",
        examples=[["echo@example.org"]],
        max_length=20,
    )
    echo_account: Text | None = Field(
        default=None,
        description="The account that sends to the echo addresses and gets their answers; the first with a password unless given.",
        examples=["user1"],
    )
    echo_password: SecretText | None = Field(
        default=None,
        description="Its password, where the account has only a hash in the configuration.",
        examples=["!file /etc/mailsrv/pw1"],
    )
    echo_late: Duration = Field(
        default=duration("2min"), description="After which time an answer is late.", examples=["2min"]
    )
    echo_wait: Duration = Field(
        default=duration("10min"), description="How long to wait for an answer.", examples=["10min"]
    )
    backups: FilePath | None = Field(
        default=None,
        description="Where another program's backups go, a directory or a file, so that `mailsrv check health` knows their age; `backup.place` unless given.",
        examples=["/var/backups/mailsrv"],
    )
    backup_age: Duration = Field(
        default=duration("26h"), description="How old the newest backup may be.", examples=["26h"]
    )
    mailbox: bool = Field(
        default=False,
        description="Whether `mailsrv check health` visits the echo account's mailbox by IMAP, and puts a message in and takes it out.",
        examples=[True],
    )
    outward: Annotated[tuple[Door, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Mail servers elsewhere whose port 25 `mailsrv check health` tries to reach, HOST or HOST:PORT; nothing is sent there.",
        examples=[["mx1.example.net:25"]],
        max_length=8,
    )
    log: FilePath | None = Field(
        default=None,
        description="The server's log, where it is a file; else systemd's journal is read.",
        examples=["/var/log/mailsrv.log"],
    )
