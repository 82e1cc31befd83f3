"""Push a pair into Stalwart (from 0.16 on) by its JMAP interface: `x:Certificate/set` (RFC 8620 5.3).

Stalwart shows, for a name, the newest certificate for it, from the moment it holds it: so this is the switch itself, and the
pair's TLSA records must be ripe before. Address and credentials are those of the source `stalwart-api:` (sources/stalwart_api).
A pair that is there already is not pushed again; an answer that was lost is settled by reading.
Fails by: `ForUser` for credentials, rights and what Stalwart refuses; `Later` when it does not answer.
"""

from __future__ import annotations

from pathlib import Path

from dnsops.base import files
from dnsops.base.errors import ForUser, Later, Misused
from dnsops.base.printable import printable
from dnsops.certs.chain import LARGEST_PEM
from dnsops.certs.generations import LARGEST_KEY, Generation
from dnsops.certs.sources import door
from dnsops.certs.sources.stalwart_api import StalwartApi

NAME = "pair"  # what the request calls the new object


def push(spec: str, pair: Generation) -> None:
    """Let the server at `stalwart-api:URL` hold the pair, once."""
    place = door.parse(spec)
    if not isinstance(place, StalwartApi):
        raise Misused(f"{spec!r} is no Stalwart", "--install", "write stalwart-api:https://HOST")
    if _holds(place, pair):
        return
    try:
        document = place.jmap([["x:Certificate/set", {"create": {NAME: _object(pair)}}, "s"]])
    except Later:
        if _holds(place, pair):  # the answer was lost, the pair was not
            return
        raise
    _check(document, place.url)


def _holds(place: StalwartApi, pair: Generation) -> bool:
    chain = pair.chain
    if chain is None:
        raise ForUser("it has no certificate yet", str(pair.path), "have one issued first: `mailsrv cert issue`")
    return any(held.certificates[0] == chain.certificates[0] for held in place.held(pair.host))


def _object(pair: Generation) -> dict[str, object]:
    """The Certificate object. The key is in it: nobody prints this."""
    return {
        "certificate": {"@type": "Text", "value": _read(pair.chain_path, LARGEST_PEM)},
        "privateKey": {"@type": "Text", "secret": _read(pair.key_path, LARGEST_KEY)},
    }


def _read(path: Path, limit: int) -> str:
    try:
        return files.read_bounded(path, limit).decode("ascii")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no PEM text"
        raise ForUser(f"cannot be read ({reason})", str(path), "run as the user who owns it") from None


def _check(document: object, url: str) -> None:
    """Whether it was created; else Stalwart's word on why not, which never holds what was sent."""
    answers = document.get("methodResponses") if isinstance(document, dict) else None
    first = answers[0] if isinstance(answers, list) and answers else None
    name, said = first[:2] if isinstance(first, list) and len(first) > 1 else ("", None)
    created = said.get("created") if isinstance(said, dict) else None
    if name == "x:Certificate/set" and isinstance(created, dict) and NAME in created:
        return
    refused = said.get("notCreated") if isinstance(said, dict) else None
    why = refused.get(NAME) if isinstance(refused, dict) else said
    kind = why.get("type") if isinstance(why, dict) else None
    advice = "the account needs the permission sysCertificateCreate; is it Stalwart 0.16 or later?"
    raise ForUser(f"Stalwart does not take the pair: {printable(str(kind or 'no word why'))[:80]}", url, advice)
