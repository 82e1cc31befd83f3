"""What the user says goes before the configuration; what cannot be opened is refused in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from checks.probe.asking import Stub
from checks.probe.opening import Options, configured, opened
from checks.probe.world import BUDGET
from dnsops.base.errors import Misused
from dnsops.base.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "hostname": "mx.example.org",
        "checks": {
            "resolver": "127.0.0.1@5353",
            "whois": "127.0.0.1:43",
            "blocklists": ["bl.example"],
            "budget": "20s",
        },
    }
)


def test_the_users_word_else_the_configurations() -> None:
    assert configured(None, Options(whois="a")) == Options(whois="a")
    assert configured(SETTINGS, Options(whois="a")) == Options(
        resolver="127.0.0.1@5353", whois="a", blocklists=("bl.example",), budget=20.0
    )


def test_no_budget_is_longer_than_a_minute() -> None:
    slow = SETTINGS.model_copy(update={"checks": SETTINGS.checks.model_copy(update={"budget": timedelta(hours=1)})})
    assert configured(slow, Options()).budget == BUDGET < 60


def open_once(options: Options) -> object:
    async def story() -> object:
        async with opened(options) as world:
            return world.dns, world.routes

    return asyncio.run(story())


def test_a_named_resolver_is_asked() -> None:
    dns, routes = open_once(Options(resolver="127.0.0.1@5353"))  # type: ignore[misc]
    assert isinstance(dns, Stub)
    assert routes is None


@pytest.mark.parametrize(
    "change, word",
    [
        ({"resolver": "resolver.example.org"}, "not an address"),
        ({"resolver": "127.0.0.1@dns"}, "not an address"),
        ({"whois": "127.0.0.1:43"}, "both"),
        ({"routinator": "http://127.0.0.1/validity"}, "both"),
        ({"whois": "127.0.0.1:43", "routinator": "gopher://a"}, "web address"),
    ],
)
def test_what_cannot_be_opened(change: dict[str, str], word: str) -> None:
    with pytest.raises(Misused, match=word):
        open_once(replace(Options(resolver="127.0.0.1"), **change))  # type: ignore[arg-type]


def test_a_bundle_that_is_not_there_is_said(tmp_path: Path) -> None:
    from dnsops.base.errors import ForUser

    with pytest.raises(ForUser, match="cannot be read"):
        open_once(Options(resolver="127.0.0.1", trust=tmp_path / "none"))
