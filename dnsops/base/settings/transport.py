"""The settings of TLS with other mail servers: what their domains' policies are worth to us. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.section import Section
from dnsops.base.settings.words import ONE_OR_MANY, HostName, Network

Word = Literal["require", "dane", "encrypt", "opportunistic"]


class Transport(Section):
    """How mail to other servers is encrypted."""

    dane: bool = Field(
        default=True, description="Whether the TLSA records of mail hosts say whom we talk to.", examples=[True]
    )
    mta_sts: bool = Field(
        default=True, description="Whether the MTA-STS policies of domains are fetched and kept to.", examples=[True]
    )
    domains: dict[HostName, Word] = Field(
        default={},
        description="For a domain, our own word instead: require (proven by DANE or MTA-STS), dane, encrypt, or opportunistic (its policies are ignored).",
        examples=[{"partner.example.net": "require"}],
    )
    fetch_from: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Networks that policies may be fetched from although they are none of the public Internet's.",
        examples=[["10.0.0.0/8"]],
        max_length=100,
    )
