"""Secrets: typed so that no log line, table, traceback or diff can show them.

Read from a file, from the environment, or from a systemd credential (systemd.exec(5), LoadCredential=).
Fails by: `Misconfigured`, naming the place and never the value.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import NoReturn

from dnsops.base.errors import Misconfigured

KEPT = Path("/etc/mailsrv/secrets")  # a file for each credential; only root may look, and systemd hands them over
LONGEST = 65536  # bytes; a token, a TSIG key, a password


class Secret:
    """A text that only `reveal` shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format("<secret>", spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def from_file(path: Path, where: str = "") -> Secret:
    """The first line of a file, without its line end."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except FileNotFoundError:
        raise Misconfigured(f"the secret's file {path} is not there", where, "create it with mode 0600") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Misconfigured(f"the secret's file {path} cannot be read ({reason})", where) from None
    if len(text) > LONGEST:
        raise Misconfigured(f"the secret's file {path} is longer than {LONGEST} characters", where)
    line = text.strip("\r\n ").splitlines()
    if not line:
        raise Misconfigured(f"the secret's file {path} is empty", where, "write the secret into its first line")
    return Secret(line[0].strip())


def from_env(name: str, where: str = "") -> Secret:
    """The value of an environment variable."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise Misconfigured(f"the environment variable {name} is not set", where, f"export {name}")
    return Secret(value)


def from_credential(name: str, where: str = "") -> Secret:
    """A credential that systemd passed to this service; where it passed none, root finds it where systemd would."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY") or (str(KEPT) if os.access(KEPT, os.R_OK) else "")
    if not folder:
        raise Misconfigured(
            f"credential {name}: systemd passed none", where, f"add LoadCredential={name}:FILE to the unit"
        )
    if "/" in name:
        raise Misconfigured(f"credential {name!r}: a name has no slash", where)
    return from_file(Path(folder) / name, where)
