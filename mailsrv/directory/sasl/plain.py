"""PLAIN: [authzid] NUL authcid NUL passwd. RFC 4616. Limits: 254 octets for a name, 1 KiB for a password."""

from __future__ import annotations

from mailsrv.directory.prep import LONGEST
from mailsrv.directory.sasl.door import (
    AskAct,
    AskPassword,
    Challenge,
    Done,
    Failed,
    Mechanism,
    Why,
    as_account,
    as_bytes,
    text,
)

LONGEST_NAME = 254


def plain(initial: bytes | None) -> Mechanism:
    """One message from the client, in the command itself or after an empty challenge."""
    data = as_bytes((yield Challenge())) if initial is None else initial
    parts = data.split(b"\0")
    if len(parts) != 3:
        return Failed(Why.MALFORMED)
    authzid, authcid = text(parts[0]), text(parts[1])
    if authzid is None or not authcid or not parts[2]:
        return Failed(Why.MALFORMED)
    return (yield from checked(authcid, parts[2], authzid))


def checked(name: str, password: bytes, authzid: str = "") -> Mechanism:
    """A name and its password; then whether one acts for oneself."""
    if max(len(name.encode()), len(authzid.encode())) > LONGEST_NAME or len(password) > LONGEST:
        return Failed(Why.TOO_LONG, name[:LONGEST_NAME])
    account = as_account((yield AskPassword(name, password)))
    if account is None:
        return Failed(Why.CREDENTIALS, name)
    if authzid and (yield AskAct(account, authzid)) is not True:
        return Failed(Why.AUTHZID, name)
    return Done(account)
