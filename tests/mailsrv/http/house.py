"""A configuration with two domains, and the site that it makes: for the tests of what is told to mail programs."""

from __future__ import annotations

from typing import Any

from dnsops.base.settings.model import Settings
from mailsrv.http.site import Asked, Documents, Site

HOST = "mx1.example.org"
DOCUMENTS = {
    domain: Documents(b"version: STSv1\nmode: enforce\nmx: mx1.example.org\nmax_age: 604800\n", b'{"a": 1}')
    for domain in ("example.org", "example.net")
}


def configured(**changes: Any) -> Settings:
    usual = {
        "hostname": HOST,
        "domains": ["example.org", "example.net"],
        "web": {"display_name": "Mail & <more>"},
        "accounts": [],
    }
    return Settings.model_validate(usual | changes)


def site(**changes: Any) -> Site:
    return Site.of(configured(**changes), DOCUMENTS)


def get(host: str, path: str, **fields: str) -> Asked:
    return Asked("GET", host, path, fields)


def outlook(address: str, schema: str = "") -> bytes:
    """What Outlook posts (MS-OXDSCLI 2.2.3)."""
    wanted = schema or "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">'
        f"<Request><EMailAddress>{address}</EMailAddress>"
        f"<AcceptableResponseSchema>{wanted}</AcceptableResponseSchema></Request></Autodiscover>"
    ).encode()
