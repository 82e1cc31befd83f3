"""The settings of issuing certificates. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from dnsops.base.errors import Misused
from dnsops.base.settings.section import FilePath, Section, Text
from dnsops.base.settings.words import ONE_OR_MANY, Duration, MailAddress, SecretText, WebAddress

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"


class Eab(Section):
    """External account binding: what some authorities hand out with a contract (RFC 8555 7.3.4)."""

    key_id: Text = Field(description="The key's name, as the authority gave it.", examples=["kid-1"])
    hmac_key: SecretText = Field(description="The key, base64url.", examples=["!file /etc/mailsrv/eab"])


class Acme(Section):
    """Where certificates are issued, and how."""

    issue: bool = Field(
        default=True, description="Whether we have the host's certificate issued and renewed.", examples=[True]
    )
    contact: MailAddress | None = Field(
        default=None, description="The mail address that the authority may write to.", examples=["user1@example.org"]
    )
    directory: WebAddress = Field(
        default=LETS_ENCRYPT,
        description="The authority's ACME directory; Let's Encrypt unless given.",
        examples=[LETS_ENCRYPT],
    )
    roots: FilePath | None = Field(
        default=None,
        description="Root certificates (PEM) that the directory's own TLS is verified by, for a private authority.",
        examples=["/etc/mailsrv/acme-root.pem"],
    )
    agree_to_terms: bool = Field(
        default=True, description="Whether you agree to the authority's terms of service.", examples=[True]
    )
    eab: Eab | None = Field(default=None, description="External account binding, where the authority asks for it.")
    challenge: Literal["auto", "dns-01", "http-01", "tls-alpn-01"] = Field(
        default="auto",
        description="How we prove the names: by DNS where `dns` is configured, else by HTTP on our port 80.",
        examples=["auto"],
    )
    names: Annotated[tuple[Text, ...], ONE_OR_MANY] = Field(
        default=(),
        description="Further names in the certificate, wildcards too; `hostname` and the web names of `domains` are in it anyway.",
        examples=[["www.example.org", "*.example.org"]],
        max_length=90,
    )
    key_type: Literal["p256", "p384", "rsa3072"] = Field(
        default="p256", description="The kind of key.", examples=["p256"]
    )
    profile: Text | None = Field(
        default=None, description="The authority's certificate profile, where it has several.", examples=["shortlived"]
    )
    preferred_chain: Text | None = Field(
        default=None,
        description="The common name of the root to prefer, where the authority offers several chains.",
        examples=["ISRG Root X1"],
    )
    renew_before: Duration = Field(
        default=timedelta(days=30),
        description="How long before its end a certificate is renewed, where the authority says nothing better; at most a third of its life.",
        examples=["30d"],
    )
    persist: bool = Field(
        default=False,
        description="Whether to publish _validation-persist records, which some authorities take instead of a challenge each time.",
        examples=[False],
    )


def overridden(acme: Acme, given: dict[str, str | None]) -> Acme:
    """The same with what a command line says instead; `given`: settings by their names, None where it says nothing."""
    said = {name: value for name, value in given.items() if value is not None}
    try:
        checked = Acme.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        what = str(first["msg"]).removeprefix("Value error, ")
        raise Misused(what, "--" + str(first["loc"][0]).replace("_", "-")) from None
    return acme.model_copy(update={name: getattr(checked, name) for name in said})
