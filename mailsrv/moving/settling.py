"""A plan becomes files of ours: a draft of mailsrv.yml, accounts there or in the database, DKIM keys, a certificate. Nothing is overwritten.

Each part that is there already is left as it is, and told. Fails by: `ForUser` from the disk; `Misused` when the draft is there.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser, Misused
from dnsops.base.secrets import LONGEST, from_env
from dnsops.dkim.keys import Keys
from mailsrv.directory import hashes
from mailsrv.directory.keys import BadHash
from mailsrv.moving.foreign import Plan, Signing, draft

DRAFT, CHAIN, KEY = "mailsrv.yml", "tls.pem", "tls.key"


def resolve(kind: str, name: str) -> str:
    """What a macro of Stalwart stands for."""
    if kind == "env":
        return from_env(name).reveal()
    try:
        return files.read_bounded(Path(name), LONGEST).decode().strip()
    except UnicodeDecodeError:
        raise ForUser("is no text", name) from None
    except (OSError, ValueError) as error:
        raise ForUser(f"cannot be read ({getattr(error, 'strerror', None) or error})", name) from None


def readable(line: str) -> str:
    """Why this is no stored password; "" when it is one."""
    try:
        hashes.read(line)
    except BadHash as error:
        return str(error)
    return ""


def settle(plan: Plan, folder: Path, state: Path, people: bool, now: datetime) -> list[str]:
    """Write it; what was written, one line each."""
    path = folder / DRAFT
    if path.exists():
        raise Misused("is there already", str(path), "name another directory with --output")
    done, where = [], {"state": f"{{directory: {state}}}"}
    try:
        files.private_directory(folder)
        if plan.pairs:
            _new(folder / CHAIN, plan.pairs[0].chain)
            _new(folder / KEY, plan.pairs[0].key.reveal())
            where["tls"] = f"{{certificate: {folder / CHAIN}, key: {folder / KEY}}}"
            done.append(f"{folder / CHAIN}: the certificate {plan.pairs[0].name}")
        done += keep_keys(plan, state, now)
        files.replace(path, draft(plan, where, people).encode())
    except OSError as error:
        raise ForUser(f"cannot be written ({error.strerror})", str(error.filename or folder)) from None
    return [*done, f"{path}: the draft of a configuration"]


def _new(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text.rstrip("\n") + "\n")


def keep_keys(plan: Plan, state: Path, now: datetime) -> list[str]:
    """DKIM keys under their selectors, signing from the first mail on; a domain that has keys keeps those it has."""
    done = []
    domains: dict[str, list[Signing]] = {}
    for one in plan.signing:
        domains.setdefault(one.domain, []).append(one)
    for domain, those in domains.items():
        try:
            files.private_directory(state)
            Keys(state / "dkim").adopt(domain, [(one.selector, one.pem.reveal().encode()) for one in those], now)
            done.append(f"{domain}: signs with {', '.join(one.selector for one in those)}, as before")
        except ForUser as error:
            plan.leave(f"DKIM keys of {domain}", str(error))
    return done


def hashed(password: str) -> str:
    """argon2id of a plain one."""
    from mailsrv.directory.making import hashed as made

    return made("ARGON2ID", password)
