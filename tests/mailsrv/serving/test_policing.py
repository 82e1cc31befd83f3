"""What a configuration makes of TLS policies."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path

import pytest

from dnsops.base.settings import Settings
from dnsops.resolve.answer import Security
from dnsops.resolve.memory import MemoryDns
from mailsrv.serving.policing import allowed, policing
from mailsrv.transport.host import Host
from mailsrv.transport.policy import Withheld

HOST = Host("mx1.example.org", ("192.0.2.25",), canonical="mx1.example.org", proven=True)


def asked(transport: dict[str, object], state: Path | None = None) -> tuple[str, set[str]]:
    """The policy for example.org, which has TLSA and announces MTA-STS from nowhere; and what was asked for."""
    settings = Settings.model_validate({"hostname": "mx.us.example", "transport": transport})

    async def story() -> tuple[str, set[str]]:
        dns = MemoryDns({"example.org": Security.SECURE})
        dns.put("_25._tcp.mx1.example.org", "TLSA", "3 1 1 " + "aa" * 32)
        dns.put("_mta-sts.example.org", "TXT", '"v=STSv1; id=1;"')
        async with policing(settings, dns, state) as (policies, notes):
            assert notes.helo == "mx.us.example"
            try:
                found = (await policies.policy("example.org", HOST, True)).name
            except Withheld as withheld:
                found = f"withheld by {withheld.policy}"
        return found, {name for name, _ in dns.asked}

    return asyncio.run(story())


@pytest.mark.parametrize(
    "transport,name,sts",
    [
        ({}, "dane", False),
        ({"dane": False}, "opportunistic", True),
        ({"dane": False, "mta_sts": False}, "opportunistic", False),
        ({"domains": {"example.org": "opportunistic"}}, "opportunistic", False),
        ({"domains": {"example.org": "dane"}, "dane": False}, "withheld by dane", False),
        ({"domains": {"example.org": "require"}, "dane": False}, "withheld by require", True),
        ({"domains": {"example.org": "encrypt"}, "dane": False, "mta_sts": False}, "encrypt", False),
    ],
)
def test_settings_are_heard(transport: dict[str, object], name: str, sts: bool, tmp_path: Path) -> None:
    found, names = asked(transport, tmp_path)
    assert (found, "_mta-sts.example.org" in names) == (name, sts)
    assert (tmp_path / "mta-sts").is_dir() is (transport.get("mta_sts", True) is True)


def test_networks_of_our_own_may_be_fetched_from() -> None:
    allows = allowed(("10.0.0.0/8", "fd00::/8"))
    found = {a: allows(ipaddress.ip_address(a)) for a in ("10.1.1.1", "fd00::1", "8.8.8.8", "127.0.0.1", "192.168.1.1")}
    assert found == {"10.1.1.1": True, "fd00::1": True, "8.8.8.8": True, "127.0.0.1": False, "192.168.1.1": False}
