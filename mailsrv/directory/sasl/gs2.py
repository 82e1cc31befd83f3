"""The GS2 header before the messages of SCRAM and OAUTHBEARER: `n,a=user2,` - the binding's flag and the authzid.

Standards: RFC 5801 4, RFC 5802 5.1 and 7. Limits: 254 octets for a name. Fails by: None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST_NAME = 254
_HEADER = re.compile(rb"(?:([ny])|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,\0]{1,765}))?,")


@dataclass(frozen=True, slots=True)
class Header:
    """flag: n, y or p; kind: the binding's name with p; raw: the octets as they came, which are bound."""

    flag: str
    kind: str
    authzid: str
    raw: bytes


def read(data: bytes) -> tuple[Header, bytes] | None:
    """The header and what stands behind it."""
    found = _HEADER.match(data)
    if not found:
        return None
    authzid = saslname(found[3] or b"")
    if authzid is None:
        return None
    flag = (found[1] or b"p").decode()
    return Header(flag, (found[2] or b"").decode(), authzid, found[0]), data[found.end() :]


def saslname(data: bytes) -> str | None:
    """RFC 5802 5.1: `,` is written =2C and `=` is =3D."""
    try:
        name = data.decode()
    except UnicodeDecodeError:
        return None
    if re.search(r"=(?!2C|3D)|[,\0]", name):
        return None
    name = name.replace("=2C", ",").replace("=3D", "=")
    return name if len(name.encode()) <= LONGEST_NAME else None
