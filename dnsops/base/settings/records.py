"""The settings of the records that a mail domain should have. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.section import Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, Address, Duration, HostName, MailAddress, WebAddress


class MtaSts(Section):
    """The MTA-STS policy of our domains (RFC 8461)."""

    mode: Literal["enforce", "testing", "none"] = Field(
        default="enforce", description="What senders do when our TLS is not as the policy says.", examples=["enforce"]
    )
    max_age: Duration = Field(
        default=timedelta(days=7), description="How long senders keep the policy.", examples=["7d"]
    )


class Bimi(Section):
    """A picture beside our mail (BIMI, a draft)."""

    location: WebAddress = Field(description="The SVG picture.", examples=["https://example.org/logo.svg"])
    authority: WebAddress | None = Field(
        default=None, description="The certificate of its mark.", examples=["https://example.org/logo.pem"]
    )


class Records(Section):
    """What DNS shall say about our host and domains."""

    addresses: Annotated[tuple[Address, ...], ONE_OR_MANY] = Field(
        default=(),
        description="The public addresses of `hostname`; those of this machine's interfaces unless given, shown before use.",
        examples=[["192.0.2.25", "2001:db8::25"]],
        max_length=16,
    )
    mx_preference: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=10, description="The preference of our MX record.", examples=[10]
    )
    other_mx: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(), description="Further MX records, PREFERENCE HOST.", examples=[["20 mx2.example.net"]], max_length=20
    )
    spf: Text | None = Field(
        default=None,
        description="The SPF record of each domain; `v=spf1 mx -all`, merged with what is there, unless given.",
        examples=["v=spf1 mx include:_spf.example.net -all"],
    )
    dmarc: Text | None = Field(
        default=None,
        description="The DMARC record of each domain; reject, with reports to `reports_to`, unless given.",
        examples=["v=DMARC1; p=quarantine; rua=mailto:dmarc@example.org"],
    )
    reports_to: MailAddress | None = Field(
        default=None,
        description="Where other servers send DMARC and TLS reports; unless given those of `reports.addresses` that are, else postmaster of each domain.",
        examples=["reports@example.org"],
    )
    mta_sts: MtaSts = Field(default=MtaSts(), description="The MTA-STS policy of our domains.")
    caa: bool = Field(
        default=True, description="Whether CAA records allow only our authority and account.", examples=[True]
    )
    caa_issuers: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Further authorities that may issue for the domains, as CAA names them.",
        examples=[["letsencrypt.org"]],
        max_length=20,
    )
    client_setup: bool = Field(
        default=True,
        description="Whether mail programs find their settings: SRV, autoconfig, autodiscover, ua-auto-config.",
        examples=[True],
    )
    web_services: Annotated[tuple[Literal["jmap", "caldavs", "carddavs"], ...], ONE_OR_MANY] = Field(
        default=(),
        description="Web services that somebody serves at port 443 of the host, to be found by programs.",
        examples=[["caldavs", "carddavs"]],
    )
    client_name: bool = Field(
        default=True, description="Whether mail.DOMAIN leads to the host, for people who type it.", examples=[True]
    )
    tlsa_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], ONE_OR_MANY] = Field(
        default=(25, 465, 993), description="The ports of `hostname` with TLSA records.", examples=[[25, 465, 993]]
    )
    bimi: Bimi | None = Field(default=None, description="BIMI, for each domain.")
    parked: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Names that neither send nor receive mail, and shall say so.",
        examples=[["www.example.org"]],
        max_length=200,
    )
    most_removed: Annotated[int, Field(ge=0, le=10000)] = Field(
        default=3, description="The most records of a zone that one run may remove.", examples=[3]
    )
    most_removed_percent: Annotated[int, Field(ge=0, le=100)] = Field(
        default=30,
        description="The same as a share of our records there; the larger of the two holds.",
        examples=[30],
    )
