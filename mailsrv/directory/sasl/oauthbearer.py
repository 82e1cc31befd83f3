"""OAUTHBEARER: a token that someone else gave out, checked by whom the configuration names.

    n,a=user@example.org,^Ahost=mail.example.org^Aport=143^Aauth=Bearer TOKEN^A^A

Standards: RFC 7628, RFC 6750 2.1 (the token's alphabet). Limits: 8 KiB for a token, 16 pairs. Fails by: `Failed`, after a
challenge with the error as JSON that the client answers with one ^A (RFC 7628 3.2.2).
"""

from __future__ import annotations

import re

from mailsrv.directory.sasl import gs2
from mailsrv.directory.sasl.door import AskAct, AskToken, Challenge, Done, Failed, Mechanism, Why, as_account, as_bytes

MOST_PAIRS = 16
_TOKEN = re.compile(rb"bearer +([A-Za-z0-9._~+/-]{1,8192}=*)", re.IGNORECASE)
_PAIR = re.compile(rb"([A-Za-z]{1,32})=([\x21-\x7e \t\r\n]*)")
REFUSED = b'{"status":"invalid_token"}'


def oauthbearer(initial: bytes | None) -> Mechanism:
    """One message from the client."""
    read = parse(as_bytes((yield Challenge())) if initial is None else initial)
    if read is None:
        return Failed(Why.MALFORMED)
    name, token = read
    account = as_account((yield AskToken(name, token))) if token else None
    if account is None:
        yield Challenge(REFUSED)
        return Failed(Why.CREDENTIALS, name)
    if name and (yield AskAct(account, name)) is not True:
        return Failed(Why.AUTHZID, name)
    return Done(account, "token")


def parse(data: bytes) -> tuple[str, bytes] | None:
    """The authzid and the token; an empty token asks only what would be needed (RFC 7628 3.1)."""
    headed = gs2.read(data)
    if headed is None or headed[0].flag == "p":
        return None
    header, rest = headed
    if rest == b"\x01\x01":
        return header.authzid, b""
    if not rest.startswith(b"\x01") or not rest.endswith(b"\x01\x01"):
        return None
    pairs = [_PAIR.fullmatch(part) for part in rest[1:-2].split(b"\x01", MOST_PAIRS)]
    if not all(pairs) or len(pairs) > MOST_PAIRS:
        return None
    auths = [pair[2] for pair in pairs if pair and pair[1].lower() == b"auth"]
    found = _TOKEN.fullmatch(auths[0]) if len(auths) == 1 else None
    return (header.authzid, found[1]) if found else None
