"""A mail domain is checked: facts are gathered, judged, and become a report.

    report = await check_mail("example.org", world)

Input is a domain or a mail address, in any spelling (reference internet.nl 2): what stands before the last @ is left out, and
international names become A-labels. Fails by: `ForUser` for what is no domain; all else is in the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dnsops.records import names

if TYPE_CHECKING:
    from checks.finding import Report
    from checks.probe.world import World


def domain_of(text: str) -> str:
    """`Joe@Bücher.example.` -> `xn--bcher-kva.example`."""
    return names.canonical(text.rpartition("@")[2], "the domain to check")


async def check_mail(domain: str, world: World) -> Report:
    """The report about one domain."""
    from checks.judge.story import judge
    from checks.probe.gathering import gather

    return judge(await gather(domain_of(domain), world), world.organizational)
