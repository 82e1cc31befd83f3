"""LOGIN: the name, then the password. draft-murchison-sasl-login, for clients that know no better. Limits: as for PLAIN."""

from __future__ import annotations

from mailsrv.directory.sasl.door import Challenge, Failed, Mechanism, Why, as_bytes, text
from mailsrv.directory.sasl.plain import checked

USERNAME, PASSWORD = b"Username:", b"Password:"  # the words that clients look for


def login(initial: bytes | None) -> Mechanism:
    """Two questions; some clients answer the first one with the command."""
    name = text(as_bytes((yield Challenge(USERNAME))) if initial is None else initial)
    if not name:
        return Failed(Why.MALFORMED)
    password = as_bytes((yield Challenge(PASSWORD)))
    if not password or b"\0" in password:
        return Failed(Why.MALFORMED, name[:254])
    return (yield from checked(name, password))
