"""The document that mail programs read at https://ua-auto-config.DOMAIN/.well-known/user-agent-configuration.json. Pure.

Standard: draft-ietf-mailmaint-pacc-02 (a draft). The TXT record holds the hash of these very bytes.
"""

from __future__ import annotations

import json

from dnsops.wanted.house import House

PATH = "/.well-known/user-agent-configuration.json"


def uaac_document(house: House, domain: str) -> bytes:
    """The same house and domain give the same bytes."""
    return json.dumps({"domain": domain}, sort_keys=True).encode()
