"""Each mail host of an echo address by itself: which there are, and what becomes of a mail handed to each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from checks.echo import ways
from checks.echo.direct import Route, mail_hosts
from checks.echo.trips import Direct, each_host
from checks.finding import Report
from dnsops.base import settings
from dnsops.records import names
from dnsops.resolve.choice import resolver
from tests.lab.dnstree import DnsTree
from tests.lab.mailserver import DOMAIN, HOST, MailServer

ECHO = f"echo@{DOMAIN}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MailServer]:
    with MailServer(tmp_path_factory.mktemp("serve"), echo={"addresses": [ECHO]}) as running:
        yield running


def told(server: MailServer, *routes: Route, echo: str = ECHO) -> Report:
    way = ways.of(settings.load(str(server.config), names.host))
    how, limit = Direct(HOST, lambda content, now: content), timedelta(seconds=3)
    return asyncio.run(each_host(way, {echo: routes}, how, limit, limit))


def test_each_host_has_findings_of_its_own(server: MailServer) -> None:
    good = Route("mx1.mail.test", "127.0.0.1", server.ports["smtp"])
    report = told(
        server, good, Route("mx2.mail.test", "127.0.0.1", 1), Route("mx3.mail.test", ""), echo=f"bob@{DOMAIN}"
    )
    sent = {one.host: one for one in report.findings if one.id == "echo_sent"}
    by = f"bob@{DOMAIN} by "
    assert {host: one.status.word for host, one in sent.items()} == {
        f"{by}mx1.mail.test": "success", f"{by}mx2.mail.test": "fail", f"{by}mx3.mail.test": "fail",
    }  # fmt: skip
    assert sent[f"{by}mx3.mail.test"].details == ("mx3.mail.test has no address",)
    (answered,) = (one for one in report.findings if one.id == "echo_answered")
    assert answered.details[0].startswith("no answer came in time"), "bob does not answer"


def test_a_host_that_refuses_is_told_in_its_own_words(server: MailServer) -> None:
    report = told(server, Route("mx1.mail.test", "127.0.0.1", server.ports["smtp"]), echo=f"nobody@{DOMAIN}")
    assert report.findings[0].details[0].startswith("550 ")


@pytest.mark.lab
def test_the_mail_hosts_are_found(clean_zone: DnsTree) -> None:
    async def find(domain: str) -> list[Route]:
        async with resolver() as asked:
            return await mail_hosts(f"echo@{domain}", asked)

    (only,) = asyncio.run(find("example.org"))
    assert (only.host, only.port, bool(only.address)) == ("mx1.example.org", 25, True)
    assert asyncio.run(find("nobody.example.org")) == [Route("nobody.example.org", "")]


def test_the_option_is_there(tmp_path: Path) -> None:
    from tests.checks.commands.asked import check

    assert "--direct" in check("echo", "--help").stdout
