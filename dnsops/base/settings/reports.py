"""The settings of reports: what we send to others, where theirs arrive, how long they are kept. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dnsops.base.settings.section import Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, HostName, MailAddress

Days = Annotated[int, Field(ge=1, le=3650)]


class ReportAddresses(Section):
    """Where reports of others arrive: mail to these is read by mailsrv, and what is no report is delivered as mail."""

    dmarc: MailAddress | None = Field(
        default=None,
        description="For DMARC reports; dmarc-reports@ the first of `domains` unless given.",
        examples=["dmarc-reports@example.org"],
    )
    tls: MailAddress | None = Field(
        default=None,
        description="For TLS reports; tls-reports@ the first of `domains` unless given.",
        examples=["tls-reports@example.org"],
    )


class Reports(Section):
    """DMARC and TLS reports, both ways."""

    send: bool = Field(
        default=True, description="Whether domains that ask for reports get ours, once a day.", examples=[True]
    )
    organization: Text | None = Field(
        default=None, description="Who we are in them; `hostname` unless given.", examples=["Example Mail"]
    )
    contact: MailAddress | None = Field(
        default=None,
        description="Whom their readers may write to; postmaster@ the first of `domains` unless given.",
        examples=["postmaster@example.org"],
    )
    sender: MailAddress | None = Field(
        default=None,
        description="The address they come from; noreply-reports@ the first of `domains` unless given.",
        examples=["noreply-reports@example.org"],
    )
    exclude: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(), description="Domains that get none.", examples=[["example.net"]], max_length=1000
    )
    addresses: ReportAddresses = Field(default=ReportAddresses(), description="Where reports of others arrive.")
    keep_days: Days = Field(default=400, description="How many days those are kept.", examples=[400])
