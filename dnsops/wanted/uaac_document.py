"""The document that mail programs read at https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json. Pure.

Standard: draft-ietf-mailmaint-pacc (a draft): protocols by host, at their usual ports with TLS from the first byte, so that a
service at another port is left out; version -02 calls submission smtp, -03 submit: both are there, and clients pass over
what they do not know. The TXT record holds the hash of these very bytes.
"""

from __future__ import annotations

import json

from dnsops.wanted.house import House

PATH = "/.well-known/user-agent-configuration.json"
LONGEST_NAME, LONGEST_SHORT = 60, 20  # characters, as the draft has it
# label of ours, the port that the draft means, its names there
PROTOCOLS = (("imaps", 993, ("imap",)), ("submissions", 465, ("smtp", "submit")))


def uaac_document(house: House, domain: str) -> bytes:
    """The same house and domain give the same bytes. domain: for the provider's name, where none is configured."""
    host = {"host": house.hostname}
    protocols = {name: host for label, port, found in PROTOCOLS if house.port_of(label) == port for name in found}
    provider = _provider(house.display_name or domain)
    document = {"authentication": {"password": True}, "info": {"provider": provider}, "protocols": protocols}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")


def _provider(name: str) -> dict[str, str]:
    full = " ".join(name.split())[:LONGEST_NAME].rstrip()
    return {"name": full} | ({"shortName": full} if len(full) <= LONGEST_SHORT else {})
