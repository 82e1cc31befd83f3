"""The kinds of value that settings have beyond pydantic's own: host names, secrets, durations, addresses. Pure.

Fails by: PydanticCustomError of kind `ours`; its context's `advice` says what to write.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    GetPydanticSchema,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError, core_schema

from dnsops.base.errors import ForUser
from dnsops.base.secrets import Secret

Spelling: TypeAlias = Callable[[str], str]

LONGEST_WAIT = timedelta(days=366)
_UNITS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(\d{1,9})\s*([a-z]+)\s*")


def refused(what: str, advice: str) -> PydanticCustomError:
    """What is wrong and what to write instead. The words go in as values: braces in them mean nothing."""
    return PydanticCustomError("ours", "{what}", {"what": what, "advice": advice})


def as_written(name: str) -> str:
    """A name's spelling where nobody knows better: lower case, no final dot (RFC 4343)."""
    return name.strip().lower().removesuffix(".")


def _spelled(name: str, info: ValidationInfo) -> str:
    spell: Spelling = (info.context or {}).get("spell", as_written)
    try:
        spelled = spell(name)
    except ForUser as error:
        raise refused(error.what, error.advice) from None
    if not spelled or len(spelled) > 253 or re.search(r"[\s/@:]", spelled):
        raise refused(f"not a host name: {name[:80]!r}", "write it like mx1.example.org")
    return spelled


def _not_plain(value: object) -> object:
    if isinstance(value, Secret):
        return value
    raise refused(
        "a secret stands in plain text here",
        "put it into a file of mode 0600 and write !file PATH (or !env NAME, !credential NAME)",
    )


def _hash(value: object) -> object:
    if isinstance(value, str) and re.match(r"[${]", value):
        return Secret(value)
    if isinstance(value, Secret):
        return value
    raise refused("not a password hash", 'write "$argon2id$...", or {SCHEME}HASH as Dovecot does; or use password')


class OneOrMany:
    """A list that may be written as its only value: `ports: 25`."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_as_list, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        many = handler(schema)
        return {"anyOf": [many["items"], many]}


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str | int) and not isinstance(value, bool) else value


def duration(value: object) -> timedelta:
    """`5min`, `1h 30min`, `90` (seconds)."""
    if isinstance(value, timedelta):
        return value
    text = str(value).strip().lower()
    parts = _DURATION.findall(text)
    if text.isdigit() and len(text) < 10:
        parts = [(text, "s")]
    elif _DURATION.sub("", text) or not parts or any(unit not in _UNITS for _, unit in parts):
        raise refused(f"not a length of time: {text[:40]!r}", "write it like 5min, 30s or 1h 30min")
    total = timedelta(seconds=sum(int(count) * _UNITS[unit] for count, unit in parts))
    if total > LONGEST_WAIT:
        raise refused(f"longer than a year: {text[:40]!r}", "write it like 5min or 1d")
    return total


def in_words(span: timedelta) -> str:
    """The inverse of `duration`: `1h 30min`, `30s`."""
    seconds = int(span.total_seconds())
    words = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            words.append(f"{count}{unit}")
    return " ".join(words) or "0s"


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        raise refused(f"not an IP address: {text[:60]!r}", "write 192.0.2.1 or 2001:db8::1") from None


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip()))
    except ValueError:
        raise refused(
            f"not a network: {text[:60]!r}", "write 192.0.2.0/24, 2001:db8::/32 or a single address"
        ) from None


def _forwarder(text: str) -> str:
    address, _, port = text.partition("@")
    if port and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise refused(f"not a port: {port[:20]!r}", "write 192.0.2.1@5353")
    return _ip(address) + (f"@{int(port)}" if port else "")


def _mail(text: str) -> str:
    local, _, domain = text.strip().rpartition("@")
    if not local or not domain or re.search(r"[\s<>\x00-\x1f]", text.strip()):
        raise refused(f"not a mail address: {text[:80]!r}", "write it like postmaster@example.org")
    return f"{local}@{domain.lower()}"


def _web(text: str) -> str:
    """https anywhere, http only to this machine: what is posted must not be read on its way."""
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in ("http", "https") or url.username:
        raise refused("not a web address", "write it like https://example.org/hook")
    if url.scheme == "http" and not loopback(host):
        raise refused(f"http to {host}: anyone on the way could read it", "write https://")
    return text


def loopback(host: str) -> bool:
    """Whether a host, as an address or `localhost`, is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _form(text: str) -> str:
    if not re.fullmatch(r"[23] [01] [012]", text):
        raise refused(f"not a TLSA form for mail: {text[:20]!r}", 'write usage, selector, matching type: "3 1 1"')
    return text


def _source(text: str) -> str:
    if not re.match(r"[a-z][a-z0-9-]*:", text):
        raise refused(
            f"not a source of certificates: {text[:80]!r}", "write KIND:PLACE, such as certbot:mx1.example.org"
        )
    return text


def _secret_schema(*_: object) -> core_schema.CoreSchema:
    return core_schema.is_instance_schema(Secret)


_ANY_SECRET = {"type": "string", "format": "secret", "description": "!file PATH, !env NAME or !credential NAME"}
_AS_SECRET = (GetPydanticSchema(_secret_schema), PlainSerializer(str, return_type=str), WithJsonSchema(_ANY_SECRET))

HostName = Annotated[str, AfterValidator(_spelled)]
SecretText = Annotated[Secret, *_AS_SECRET, BeforeValidator(_not_plain)]
PasswordHash = Annotated[Secret, *_AS_SECRET, BeforeValidator(_hash)]
Duration = Annotated[
    timedelta,
    BeforeValidator(duration),
    PlainSerializer(in_words, return_type=str),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}),
]
Address = Annotated[str, AfterValidator(_ip)]
Network = Annotated[str, AfterValidator(_network)]
Forwarder = Annotated[str, AfterValidator(_forwarder)]
MailAddress = Annotated[str, AfterValidator(_mail)]
WebAddress = Annotated[str, AfterValidator(_web)]
Form = Annotated[str, AfterValidator(_form)]
Source = Annotated[str, AfterValidator(_source)]
ONE_OR_MANY = OneOrMany()
