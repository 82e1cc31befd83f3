"""The shelf that a command line and the configuration speak of.

    shelf = writing(place, settings, state, recipients)
    shelf = reading(place, settings, state, identity)

Fails by: `Misused` when neither names a place, `ForUser` for keys of a store that nobody gave.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dnsops.base.errors import ForUser, Misused
from dnsops.base.secrets import Secret
from mailsrv.backup.folder import Folder
from mailsrv.backup.memory import Memory
from mailsrv.backup.place import Place
from mailsrv.backup.sealing import Opener, Seal
from mailsrv.backup.shelf import Shelf

if TYPE_CHECKING:
    from dnsops.base.settings import Settings
    from dnsops.base.settings.backup import Backup
    from mailsrv.backup.bucket import Account

S3 = "s3://"


def place_of(given: str | None, settings: Settings | None) -> str:
    """Where: the command line's word, else the configuration's; "" when neither says."""
    from pydantic import TypeAdapter, ValidationError

    from dnsops.base.settings import backup

    if given is None:
        return (settings.backup.place if settings else None) or ""
    if not given.startswith(S3):
        return given
    try:
        return TypeAdapter(backup.Where).validate_python(given)
    except ValidationError:
        raise Misused(f"not a place in an S3 store: {given[:80]!r}", "", "write it like s3://BUCKET/PREFIX") from None


def named_place(given: str | None, settings: Settings | None) -> str:
    """The same, and there has to be one."""
    found = place_of(given, settings)
    if not found:
        raise Misused("no place named", "backup", "say a directory or s3://BUCKET/PREFIX, or set backup.place")
    return found


def writing(place: str, settings: Settings, state: Path, recipients: Sequence[str] | None = None) -> Shelf:
    """For a new backup. recipients: instead of the configuration's; none: a plain one."""
    memory = Memory(state)
    whom = settings.backup.recipients if recipients is None else recipients
    seal = Seal.of(whom, memory.key()) if whom else None
    folder = memory.prepare() if place.startswith(S3) else None
    there = _place(place, settings, folder) if folder else Folder(Path(place), state)
    return Shelf(there, seal, memory=memory)


def reading(place: str, settings: Settings | None, state: Path | None, identity: Path | None) -> Shelf:
    """For what is there already. identity: its file, else the configuration's where that is here."""
    kept = settings.backup.identity if settings else None
    file = identity or (kept if kept and kept.is_file() else None)
    folder = state / "backup" if state and (state / "backup").is_dir() else None
    return Shelf(_place(place, settings, folder), opener=Opener.of(file) if file else None)


def _place(place: str, settings: Settings | None, folder: Path | None) -> Place:
    if not place.startswith(S3):
        return Folder(Path(place))
    from mailsrv.backup.bucket import Bucket

    return Bucket(place, account(settings.backup if settings else None), folder, folder / "lock" if folder else None)


def account(backup: Backup | None) -> Account:
    """How the store is reached: the configuration's word, else the environment's, by the names that Amazon's tools use."""
    from mailsrv.backup.bucket import Account

    env = os.environ
    access, secret = (backup.access_key, backup.secret_key) if backup else (None, None)
    token = None
    if access is None or secret is None:
        access, secret = Secret(env.get("AWS_ACCESS_KEY_ID", "")), Secret(env.get("AWS_SECRET_ACCESS_KEY", ""))
        token = Secret(env["AWS_SESSION_TOKEN"]) if env.get("AWS_SESSION_TOKEN") else None
    if not access or not secret:
        advice = "set backup.access_key and backup.secret_key, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise ForUser("no keys for the S3 store", "backup", advice)
    endpoint = (backup.endpoint if backup else None) or env.get("AWS_ENDPOINT_URL", "")
    region = (backup.region if backup else None) or env.get("AWS_REGION") or "us-east-1"
    return Account(access, secret, _safe(endpoint), region, token)


def _safe(endpoint: str) -> str:
    from urllib.parse import urlsplit

    from dnsops.base.settings.words import loopback

    if endpoint.startswith("http://") and not loopback(urlsplit(endpoint).hostname or ""):
        raise ForUser("anyone on the way could read what goes there", endpoint[:200], "use https://")
    return endpoint
