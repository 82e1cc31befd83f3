"""The settings of what the server shows on the web: policies and set-up for mail programs. Pure."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dnsops.base.settings.section import Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, Network


class Web(Section):
    """MTA-STS policy, autoconfig, autodiscover, mobileconfig: what the records of our domains point to."""

    trusted_proxies: Annotated[tuple[Network, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Reverse proxies in front of us, whose X-Forwarded-For and X-Forwarded-Proto are believed.",
        examples=[["127.0.0.1"]],
        max_length=100,
    )
    display_name: Text | None = Field(
        default=None, description="What mail programs call the account's provider.", examples=["Example mail"]
    )
