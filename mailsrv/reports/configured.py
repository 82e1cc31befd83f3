"""What the settings say about reports, with the defaults that depend on other settings. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailsrv.reports.letters import Reporter

if TYPE_CHECKING:
    from dnsops.base.settings import Settings


def addresses(settings: Settings) -> dict[str, str]:
    """Where reports of others arrive, in lower case -> dmarc or tls."""
    given = settings.reports.addresses
    chosen = (("dmarc", given.dmarc, "dmarc-reports"), ("tls", given.tls, "tls-reports"))
    return {(address or f"{local}@{_domain(settings)}").lower(): kind for kind, address, local in chosen}


def reporter(settings: Settings) -> Reporter:
    """Who we are in reports of ours."""
    reports = settings.reports
    return Reporter(
        host=settings.hostname,
        organization=reports.organization or settings.hostname,
        contact=reports.contact or f"postmaster@{_domain(settings)}",
        sender=(reports.sender or f"noreply-reports@{_domain(settings)}").lower(),
    )


def own(settings: Settings) -> frozenset[str]:
    """Addresses of ours between which only reports travel: mail to them is not reported on, and they get no reports of ours."""
    return frozenset((*addresses(settings), reporter(settings).sender))


def domains(settings: Settings) -> frozenset[str]:
    """Whom reports that come here may be about."""
    return frozenset((settings.hostname, *settings.domains))


def _domain(settings: Settings) -> str:
    return settings.domains[0] if settings.domains else settings.hostname
