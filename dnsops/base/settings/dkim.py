"""The settings of DKIM: who signs, with what, and how often the keys change. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from dnsops.base.settings.section import Section
from dnsops.base.settings.words import ONE_OR_MANY, Duration, HostName

Algorithm = Literal["rsa", "ed25519"]


class Dkim(Section):
    """DKIM: the signatures of our mail, and the keys in the DNS that verify them."""

    sign: bool = Field(
        default=True, description="Whether we make keys, publish them and sign with them.", examples=[True]
    )
    domains: Annotated[tuple[HostName, ...], ONE_OR_MANY] = Field(
        default=(), description="The domains that sign; those of `domains` unless given.", examples=[["example.org"]]
    )
    algorithms: Annotated[tuple[Algorithm, ...], ONE_OR_MANY] = Field(
        default=("rsa", "ed25519"),
        description="The kinds of keys, each with its own selector: rsa is what everybody verifies, ed25519 what comes.",
        examples=[["rsa", "ed25519"]],
        min_length=1,
    )
    rotate_every: Duration = Field(
        default=timedelta(days=90),
        description="The time until new keys take over, each time up to a tenth shorter; 0s for never.",
        examples=["90d"],
    )
    hold: Duration = Field(
        default=timedelta(days=7),
        description="How long a record stays after its key's last signature, for mail that waits in queues.",
        examples=["7d"],
    )
    revoked: Duration = Field(
        default=timedelta(0),
        description="How long after that an empty key tells that it was revoked; 0s for not at all.",
        examples=["30d"],
    )
    publish_retired_keys: bool = Field(
        default=False,
        description="Whether private keys are given to everybody (STATE/dkim/retired) once nothing verifies with them, so that old mail proves nothing.",
        examples=[False],
    )
