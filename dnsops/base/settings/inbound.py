"""The settings of mail that comes from elsewhere: whose word on its origin counts, and what becomes of it. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.section import Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, HostName, Network

Fate = Literal["accept", "junk", "refuse"]
AccountFate = Literal["accept", "junk"]  # one recipient of several cannot refuse what the others take


class Inbound(Section):
    """Mail from elsewhere: SPF, DKIM, DMARC, ARC, and what follows from them."""

    authserv_id: HostName | None = Field(
        default=None,
        description="Our name in Authentication-Results; `hostname` unless given.",
        examples=["mx1.example.org"],
    )
    check: bool = Field(
        default=True,
        description="Whether SPF, DKIM, DMARC and ARC are looked at, and what `spam` names is asked.",
        examples=[True],
    )
    trusted_networks: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=("127.0.0.0/8", "::1/128"),
        description="Networks whose mail is not checked: this machine's own, and hosts that checked it before us.",
        examples=[["127.0.0.0/8", "192.0.2.80"]],
        max_length=100,
    )
    dmarc: Literal["enforce", "quarantine", "ignore"] = Field(
        default="enforce",
        description="What a failed DMARC leads to: enforce does as its domain asks, quarantine refuses nothing, ignore only notes it.",
        examples=["enforce"],
    )
    organizational: Literal["tree", "psl"] = Field(
        default="tree",
        description="How DMARC finds who a domain belongs to: by the DNS (RFC 9989), or by the public suffix list (RFC 7489).",
        examples=["tree"],
    )
    spf_fail: Fate = Field(
        default="junk",
        description="What becomes of mail that SPF forbids, where its domain has no DMARC and no signature of it holds.",
        examples=["junk"],
    )
    no_author: Fate = Field(
        default="junk",
        description="What becomes of mail whose From names nobody, or several domains.",
        examples=["refuse"],
    )
    trusted_sealers: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Domains whose ARC seals are believed when they say that DMARC passed before: forwarders and mailing lists.",
        examples=[["lists.example.net"]],
        max_length=1000,
    )
    seal: bool = Field(
        default=True,
        description="Whether mail that an alias sends on elsewhere gets an ARC seal of ours.",
        examples=[True],
    )
    senders: dict[HostName, Fate] = Field(
        default={},
        description="For a domain in From, and those below it, what becomes of its mail whatever SPF, DKIM and DMARC say.",
        examples=[{"partner.example": "accept"}],
    )
    account_senders: dict[Text, dict[HostName, AccountFate]] = Field(
        default={},
        description="The same for single accounts, by their names; it goes before `senders`.",
        examples=[{"user1": {"partner.example": "accept"}}],
    )
