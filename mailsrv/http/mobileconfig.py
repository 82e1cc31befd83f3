"""The configuration profile by which iPhones, iPads and Macs set up an account. Pure; `sealing` signs it.

    https://mail.example.org/profile.mobileconfig?email=user1@example.org

Standard: Apple's Configuration Profile Reference (com.apple.mail.managed), an XML property list. The password is asked by the
device. Identifiers come from the address, so that a profile loaded twice replaces itself.
Fails by: nothing; without an incoming and an outgoing server there is no profile: None.
"""

from __future__ import annotations

import plistlib
import uuid

from mailsrv.http.offer import Offer, Service

TYPE = "application/x-apple-aspen-config; charset=utf-8"
_ROOM = uuid.UUID("6f7a3d1e-3c0b-5d0b-9a52-0d1c7f7f5a11")  # of ours alone: names below it become identifiers


def profile(offer: Offer, address: str) -> bytes | None:
    """For one address, unsigned."""
    if not offer.incoming or not offer.outgoing:
        return None
    return plistlib.dumps(
        {
            "PayloadType": "Configuration",
            "PayloadVersion": 1,
            "PayloadIdentifier": f"{_reversed(offer.domain)}.mail.{_id(address)}",
            "PayloadUUID": _id("profile", address),
            "PayloadDisplayName": f"{offer.name}: {address}",
            "PayloadDescription": f"Sets up mail for {address}.",
            "PayloadOrganization": offer.name,
            "PayloadRemovalDisallowed": False,
            "PayloadContent": [_account(offer, address)],
        }
    )


def _account(offer: Offer, address: str) -> dict[str, object]:
    return {
        "PayloadType": "com.apple.mail.managed",
        "PayloadVersion": 1,
        "PayloadIdentifier": f"{_reversed(offer.domain)}.mail.{_id(address)}.account",
        "PayloadUUID": _id("account", address),
        "PayloadDisplayName": address,
        "EmailAccountDescription": offer.name,
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAddress": address,
        **_server("Incoming", offer.incoming[0], address),
        **_server("Outgoing", offer.outgoing[0], address),
        "OutgoingPasswordSameAsIncomingPassword": True,
        "SMIMEEnabled": False,
    }


def _server(way: str, service: Service, address: str) -> dict[str, object]:
    """Apple has one switch for TLS; the port tells its programs whether it comes first or by STARTTLS."""
    return {
        f"{way}MailServerAuthentication": "EmailAuthPassword",
        f"{way}MailServerHostName": service.host,
        f"{way}MailServerPortNumber": service.port,
        f"{way}MailServerUseSSL": True,
        f"{way}MailServerUsername": address,
    }


def _id(*words: str) -> str:
    return str(uuid.uuid5(_ROOM, "\0".join(words))).upper()


def _reversed(domain: str) -> str:
    return ".".join(reversed(domain.split(".")))
